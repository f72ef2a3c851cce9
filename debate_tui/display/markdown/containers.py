"""Quotes and list items: what a line must begin with to go on in one, and how one begins."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.frame import Frame, Part
from debate_tui.display.markdown.line import blend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.display.markdown.signs import Signs

DEEPEST = 20
"""Containers within one another; further signs of them are text."""

_MARKER = re.compile(r"([*+-])(?= |$)|(\d{1,9})([.)])(?= |$)")
_BLANKS = re.compile(" *")


class Quote(Struct, frozen=True, eq=False):
    """A block quote; every one is its own."""


class Item(Struct, frozen=True, eq=False):
    """An item of a list.

    What belongs to it is indented by `content`. `kind` is its bullet or the sign behind its number: an item
    of another kind begins another list, and lists are told apart by `series`. `bare` is one that had nothing
    on its first line.
    """

    content: int
    kind: str
    number: int
    series: int
    bare: bool


Container = Quote | Item


def indentation(line: str, position: int) -> int:
    """Where the text begins that follows the blanks at a position."""
    blanks = _BLANKS.match(line, position)
    assert blanks is not None
    return blanks.end()


def go_on(containers: Sequence[Container], line: str, shown: int) -> tuple[int, int]:
    """How many of the open containers a line goes on in, and where in the line that leads.

    The first `shown` of them have something in them.
    """
    position = 0
    for index, container in enumerate(containers):
        start = indentation(line, position)
        blank = start == len(line)
        if isinstance(container, Quote):
            if start - position > 3 or blank or line[start] != ">":
                return index, position
            position = start + 1 + line.startswith(" ", start + 1)
        elif blank:
            if container.bare and index >= shown:
                return index, position
            position = min(start, position + container.content)
        elif start - position >= container.content:
            position += container.content
        else:
            return index, position
    return len(containers), position


def item_at(line: str, position: int, start: int, *, within_paragraph: bool) -> tuple[Item, int] | None:
    """The item that begins at `start`, without its place in a list, and where in the line its text begins."""
    marker = _MARKER.match(line, start)
    if marker is None:
        return None
    text = indentation(line, marker.end())
    bare = text == len(line)
    if within_paragraph and (bare or (marker[2] not in (None, "1") and int(marker[2]) != 1)):
        return None
    gap = text - marker.end()
    if bare or gap > 4:
        gap = 1
    begin = min(len(line), marker.end() + gap)
    number = int(marker[2]) if marker[2] else -1
    kind = marker[1] or marker[3]
    return Item(marker.end() + gap - position, kind, number, 0, bare), begin


def frame_of(containers: Sequence[Container], shown: int, above: int, *, signs: Signs, style: str) -> Frame:
    """The frame of a block in some containers, of which the first `shown` have had their signs."""
    if not containers:
        return _outermost(style, above)
    parts: list[Part] = []
    bullets = 0
    for index, container in enumerate(containers):
        if isinstance(container, Quote):
            style = blend(style, "quote")
            bar = signs.bar + " "
            parts.append(Part(bar, bar, "border"))
            continue
        if container.number < 0:
            sign = signs.bullets[bullets % len(signs.bullets)]
            bullets += 1
        else:
            sign = f"{container.number}{container.kind}"
        rest = " " * (len(sign) + 1)
        parts.append(Part(rest if index < shown else sign + " ", rest, "marker"))
    return _shared(Frame(tuple(parts), style, above))


@lru_cache(1024)
def _shared(frame: Frame) -> Frame:
    """One frame for all that are equal: most items of a list."""
    return frame


@cache
def _outermost(style: str, above: int) -> Frame:
    return Frame((), style, above)


def above(before: Sequence[Container] | None, now: Sequence[Container]) -> int:
    """How many containers go on through the blank line above a block, by where the block before it was.

    −1 for no such line: at the start, between the items of a list, and above a list within an item.
    """
    if before is None:
        return -1
    common = 0
    for old, new in zip(before, now, strict=False):
        if old is not new:
            break
        common += 1
    if common < len(now) and isinstance(begun := now[common], Item):
        if common < len(before) and isinstance(old := before[common], Item) and old.series == begun.series:
            return -1
        if common and isinstance(now[common - 1], Item):
            return -1
    return common
