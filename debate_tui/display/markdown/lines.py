"""The output of rendering: lines of styled runs, the names of styles, and the symbols used for drawing."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

Run = tuple[str, str]
"""Text and its style: names from `STYLES` joined by spaces, outermost first; empty for plain text."""

STYLES = frozenset(
    [
        "heading",
        "strong",
        "emphasis",
        "strike",
        "code",
        "block",
        "link",
        "url",
        "marker",
        "border",
        "quote",
        "reasoning",
        "notice",
        "keyword",
        "string",
        "number",
        "comment",
        "name",
    ]
)
"""The names that make up a style. The theme defines what they look like."""


class Line(Struct, frozen=True, gc=False):
    """One line on screen.

    The first `indent` characters are bars, bullets and indentation; the block's own text follows, from its
    character `start` on. `width` is the total width in cells; the rest of the row is blank, in style
    `fill`.
    """

    runs: tuple[Run, ...]
    width: int
    indent: int = 0
    start: int = 0
    fill: str = ""

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join([text for text, _ in self.runs])

    @property
    def content(self) -> str:
        """The line without styles, bars, bullets and indentation."""
        return self.text[self.indent :]


BLANK_LINE = Line((), 0)


@lru_cache(1024)
def combine_styles(outer: str, inner: str) -> str:
    """Return the style of `inner` within `outer`."""
    names = dict.fromkeys(outer.split())
    names.update(dict.fromkeys(inner.split()))
    return " ".join(names)


class DocumentPosition(NamedTuple):
    """A character of a block; an offset of −1 is the blank line above it."""

    block: int
    offset: int


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
