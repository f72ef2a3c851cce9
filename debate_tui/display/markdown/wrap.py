"""Where lines break: greedily, at blanks, around wide characters, and anywhere in what fits on no line."""

from __future__ import annotations

import re

from debate_tui.display.markdown.width import fitting, graphemes, is_narrow, is_plain, is_wide

Span = tuple[int, int]
Part = tuple[int, int, int, bool]

_SEAM = re.compile(r"[-/–—_.,;:&?=)\]}](?=[^-/–—_.,;:&?=)\]}]*$)")
"""The last place within a word where it may be broken if it must."""

_NOT_FIRST = frozenset(
    "、。，．：；？！）］｝〉》」』】〕〗〙〛’”…‥ー々ゝゞヽヾ・ぁぃぅぇぉっゃゅょァィゥェォッャュョ゜゛"
)
_NOT_LAST = frozenset("（［｛〈《「『【〔〖〘〚‘“")


def wrap(text: str, width: int) -> list[Span]:
    """Spans of `text`, one for each line of at most `width` cells; blanks at their ends are in none of them.

    A grapheme wider than the line stands alone on it. There is always at least one span. Line feeds break.
    """
    if "\n" not in text:
        if is_narrow(text):
            return _wrap_narrow(text, width)
        return _wrap_plain(text, width) if is_plain(text) else _wrap_any(text, width)
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
    start, length = _text_from(text, 0), len(text.rstrip(" "))
    while length - start > width:
        gap = text.rfind(" ", start + 1, start + width + 1)
        end = gap if gap > 0 else _within_word(text, start, start + width)
        spans.append((start, _text_to(text, end)))
        start = _text_from(text, end)
    if start < length or not spans:
        spans.append((start, max(start, length)))
    return spans


def _text_from(text: str, start: int) -> int:
    while text.startswith(" ", start):
        start += 1
    return start


def _text_to(text: str, end: int) -> int:
    while end and text[end - 1] == " ":
        end -= 1
    return end


def _within_word(text: str, start: int, limit: int) -> int:
    seam = _SEAM.search(text, start + 1, limit)
    return seam.end() if seam else limit


def _wrap_plain(text: str, width: int) -> list[Span]:
    """For text without anything that joins: every character has its width."""
    spans: list[Span] = []
    start, length = _text_from(text, 0), len(text.rstrip(" "))
    while start < length:
        limit = max(start + 1, fitting(text, start, width))
        if limit >= length:
            spans.append((start, length))
            break
        end = limit
        while end > start and text[end] != " " and not _may_part(text, end):
            end -= 1
        if end <= start:
            end = _within_word(text, start, limit)
        spans.append((start, _text_to(text, end)))
        start = _text_from(text, end)
    return spans or [(start, start)]


def _may_part(text: str, at: int) -> bool:
    before, here = text[at - 1], text[at]
    if before == " ":
        return True
    return bool(is_wide(before) or is_wide(here)) and here not in _NOT_FIRST and before not in _NOT_LAST


def _wrap_any(text: str, width: int) -> list[Span]:
    spans: list[Span] = []
    parts = [(start, end, size, text[start:end] == " ") for start, end, size in graphemes(text)]
    count = len(parts)
    first = index = used = 0
    fit = -1  # the part that may begin the next line
    while index < count:
        start, _, size, blank = parts[index]
        if index == first and blank:
            first = index = index + 1
            continue
        if index > first and (blank or _may_break(text, parts[index - 1], parts[index])):
            fit = index
        if used + size <= width or index == first:
            used += size
            index += 1
            continue
        begin = parts[first][0]
        end = parts[fit][0] if fit > first else _within_word(text, begin, start)
        while parts[index][0] > end and index > first + 1:
            index -= 1
        spans.append((begin, _text_to(text, parts[index][0])))
        first, used, fit = index, 0, -1
    begin = parts[first][0] if first < count else len(text)
    if begin < len(text) or not spans:
        spans.append((begin, max(begin, _text_to(text, len(text)))))
    return spans


def _may_break(text: str, before: Part, here: Part) -> bool:
    if before[3]:
        return True
    if here[2] < 2 and before[2] < 2:
        return False
    return text[here[0]] not in _NOT_FIRST and text[before[0]] not in _NOT_LAST
