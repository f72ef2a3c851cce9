"""The few signs a document is drawn with, and what stands for them where only ASCII can be shown."""

from __future__ import annotations

from msgspec import Struct


class Signs(Struct, frozen=True, kw_only=True):
    """Each takes one cell, but the two boxes of tasks, which may take three in ASCII."""

    bullets: tuple[str, ...] = ("•", "◦", "▪")
    bar: str = "▎"
    rule: str = "─"
    column: str = "│"
    crossing: str = "┼"
    todo: str = "☐"
    done: str = "☑"
    folded: str = "▸"
    place: str = "▐"


UNICODE = Signs()

ASCII = Signs(
    bullets=("*", "-", "+"),
    bar="|",
    rule="-",
    column="|",
    crossing="+",
    todo="[ ]",
    done="[x]",
    folded=">",
    place="#",
)
