"""Where lines break: greedily, at blanks, around wide characters, and anywhere in what fits on no line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from debate_tui.display.markdown.width import graphemes, is_narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

Span = tuple[int, int]

_SEAM = re.compile(r"[-/–—_.,;:&?=)\]}](?=[^-/–—_.,;:&?=)\]}]*$)")
"""The last place within a word where it may be broken if it must."""

_NOT_FIRST = frozenset(
    "、。，．：；？！）］｝〉》」』】〕〗〙〛’”…‥ー々ゝゞヽヾ・ぁぃぅぇぉっゃゅょァィゥェォッャュョ゜゛"
)
_NOT_LAST = frozenset("（［｛〈《「『【〔〖〘〚‘“")


def wrap(text: str, width: int) -> list[Span]:
    """Spans of `text`, one for each line of at most `width` cells; blanks at a break are in none of them.

    A grapheme wider than the line stands alone on it. There is always at least one span. Line feeds break.
    """
    if "\n" not in text:
        return _wrap_narrow(text, width) if is_narrow(text) else _wrap_wide(text, width)
    spans: list[Span] = []
    offset = 0
    for line in text.split("\n"):
        spans += [(start + offset, end + offset) for start, end in wrap(line, width)]
        offset += len(line) + 1
    return spans


def fold(text: str, width: int) -> list[Span]:
    """Spans of `text` that fill each line of `width` cells, blanks and all: for code."""
    if is_narrow(text):
        return [(start, min(start + width, len(text))) for start in range(0, len(text), width)] or [(0, 0)]
    spans: list[Span] = []
    begin = used = 0
    for start, _, size in graphemes(text):
        if used + size > width and start > begin:
            spans.append((begin, start))
            begin, used = start, 0
        used += size
    spans.append((begin, len(text)))
    return spans


def _wrap_narrow(text: str, width: int) -> list[Span]:
    spans: list[Span] = []
    start, length = 0, len(text)
    while length - start > width:
        gap = text.rfind(" ", start + 1, start + width + 1)
        if gap < 0:
            end = _within_word(text, start, start + width)
            spans.append((start, end))
            start = end
            continue
        end = gap
        while end > start and text[end - 1] == " ":
            end -= 1
        spans.append((start, end))
        start = gap + 1
        while start < length and text[start] == " ":
            start += 1
    spans.append((start, length))
    return spans


def _within_word(text: str, start: int, limit: int) -> int:
    seam = _SEAM.search(text, start + 1, limit)
    return seam.end() if seam else limit


def _wrap_wide(text: str, width: int) -> list[Span]:
    spans: list[Span] = []
    parts = graphemes(text)
    first = index = 0
    used = 0
    brk = -1  # the part that may begin the next line
    while index < len(parts):
        start, end, size = parts[index]
        blank = text[start:end] == " "
        if index > first and (blank or _may_break(text, parts, index)):
            brk = index
        if used + size <= width or index == first:
            used += size
            index += 1
            continue
        at = brk if brk > first else index
        stop = parts[at][0]
        begin = parts[first][0]
        spans.append((begin, begin + len(text[begin:stop].rstrip(" "))))
        while at < len(parts) and text[parts[at][0] : parts[at][1]] == " ":
            at += 1
        first = index = at
        used, brk = 0, -1
    begin = parts[first][0] if first < len(parts) else len(text)
    spans.append((begin, len(text)))
    return spans


def _may_break(text: str, parts: Sequence[tuple[int, int, int]], index: int) -> bool:
    start, _, size = parts[index]
    before, before_end, before_size = parts[index - 1]
    if text[before:before_end] == " ":
        return True
    if size < 2 and before_size < 2:
        return False
    return text[start] not in _NOT_FIRST and text[before] not in _NOT_LAST
