"""Block quotes and list items: how they begin, and which lines continue them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.markdown.blocks import skip_indentation
from debate_tui.display.markdown.lines import combine_styles
from debate_tui.display.markdown.wrap import BlockPrefix, PrefixPart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.display.markdown.lines import MarkdownSymbols

MAX_NESTING = 20
"""The maximum number of nested containers; further markers are text."""


_LIST_MARKER = re.compile(r"([*+-])(?= |$)|(\d{1,9})([.)])(?= |$)")


class BlockQuote(Struct, frozen=True, eq=False):
    """A block quote; compared by identity."""


class ListItem(Struct, frozen=True, eq=False):
    """A list item.

    Its content is indented by `content_indent`. `marker` is its bullet, or the character after its number:
    an item with another marker begins another list, and `list_id` tells lists apart. `starts_blank` means
    that its first line was empty.
    """

    content_indent: int
    marker: str
    number: int
    list_id: int
    starts_blank: bool


Container = BlockQuote | ListItem


def match_containers(containers: Sequence[Container], line: str, marked_count: int) -> tuple[int, int]:
    """Return how many open containers a line continues, and the position in the line after them.

    The first `marked_count` containers already have content.
    """
    position = 0
    for index, container in enumerate(containers):
        start = skip_indentation(line, position)
        blank = start == len(line)
        if isinstance(container, BlockQuote):
            if start - position > 3 or blank or line[start] != ">":
                return index, position
            position = start + 1 + line.startswith(" ", start + 1)
        elif blank:
            if container.starts_blank and index >= marked_count:
                return index, position
            position = min(start, position + container.content_indent)
        elif start - position >= container.content_indent:
            position += container.content_indent
        else:
            return index, position
    return len(containers), position


def parse_list_item(
    line: str, position: int, start: int, *, within_paragraph: bool
) -> tuple[ListItem, int] | None:
    """Parse the list item that begins at `start`; return it and where in the line its text begins.

    Return `None` if no item begins there. The item does not belong to a list yet: its `list_id` is 0.
    """
    marker = _LIST_MARKER.match(line, start)
    if marker is None:
        return None
    text = skip_indentation(line, marker.end())
    starts_blank = text == len(line)
    if within_paragraph and (starts_blank or (marker[2] not in (None, "1") and int(marker[2]) != 1)):
        return None
    gap = text - marker.end()
    if starts_blank or gap > 4:
        gap = 1
    begin = min(len(line), marker.end() + gap)
    number = int(marker[2]) if marker[2] else -1
    kind = marker[1] or marker[3]
    return ListItem(marker.end() + gap - position, kind, number, 0, starts_blank), begin


def build_prefix(
    containers: Sequence[Container],
    marked_count: int,
    gap_depth: int,
    *,
    symbols: MarkdownSymbols,
    style: str,
) -> BlockPrefix:
    """Build the prefix of a block in `containers`.

    The first `marked_count` of them have already shown their markers.
    """
    parts: list[PrefixPart] = []
    bullets = 0
    for index, container in enumerate(containers):
        if isinstance(container, BlockQuote):
            style = combine_styles(style, "quote")
            bar = symbols.quote_bar + " "
            parts.append(PrefixPart(bar, bar, "border"))
            continue
        if container.number < 0:
            sign = symbols.bullets[bullets % len(symbols.bullets)]
            bullets += 1
        else:
            sign = f"{container.number}{container.marker}"
        rest = " " * (len(sign) + 1)
        parts.append(PrefixPart(rest if index < marked_count else sign + " ", rest, "marker"))
    return _intern_prefix(BlockPrefix(tuple(parts), style, gap_depth))


@lru_cache(1024)
def _intern_prefix(prefix: BlockPrefix) -> BlockPrefix:
    """Share one prefix among all that are equal, as for most items of a list."""
    return prefix


def gap_depth_between(previous: Sequence[Container] | None, current: Sequence[Container]) -> int:
    """Return how many containers continue through the blank line above a block.

    `previous` are the containers of the block before it. −1 means that no blank line precedes it: at the
    start, between the items of a list, and above a list within an item.
    """
    if previous is None:
        return -1
    common = 0
    for old, new in zip(previous, current, strict=False):
        if old is not new:
            break
        common += 1
    if common < len(current) and isinstance(opened := current[common], ListItem):
        if (
            common < len(previous)
            and isinstance(old := previous[common], ListItem)
            and old.list_id == opened.list_id
        ):
            return -1
        if common and isinstance(current[common - 1], ListItem):
            return -1
    return common
