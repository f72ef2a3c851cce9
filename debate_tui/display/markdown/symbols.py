"""The symbols a document is drawn with, and their replacements where only ASCII can be shown."""

from __future__ import annotations

from msgspec import Struct


class MarkdownSymbols(Struct, frozen=True, kw_only=True):
    """The symbols for drawing; each takes one cell, except for task boxes, which take three in ASCII."""

    bullets: tuple[str, ...] = ("•", "◦", "▪")
    quote_bar: str = "▎"
    rule: str = "─"
    column_separator: str = "│"
    column_crossing: str = "┼"
    unchecked_box: str = "☐"
    checked_box: str = "☑"
    fold_marker: str = "▸"
    position_marker: str = "▐"


UNICODE_SYMBOLS = MarkdownSymbols()

ASCII_SYMBOLS = MarkdownSymbols(
    bullets=("*", "-", "+"),
    quote_bar="|",
    rule="-",
    column_separator="|",
    column_crossing="+",
    unchecked_box="[ ]",
    checked_box="[x]",
    fold_marker=">",
    position_marker="#",
)
