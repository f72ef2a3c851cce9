"""Text laid out in lines: its width, where it is broken, and what is drawn before each line.

Lines are broken greedily: at blanks, around wide characters, and anywhere in words too long for a line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len, split_graphemes

from debate_tui.display.markdown.lines import Line, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The number of terminal cells that text takes.
#
# Widths are Rich's, because the screen is composed with them: two for CJK and emoji, none for combining and
# other zero-width characters, and a single width for a whole emoji sequence.


_NARROW = (
    " -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u2010-\u2027\u2030-\u205e\u2070-\u209c\u20a0-\u20c0"
    "\u2100-\u22ff\u2500-\u25fc\u2713-\u2718"
)
_WIDE = (
    "\u3001-\u3029\u3030-\u303e\u3041-\u3096\u309b-\u30ff\u3105-\u312f\u3131-\u3163\u31f0-\u321e"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\uffe0-\uffe6"
)

is_narrow = re.compile(f"[{_NARROW}]*").fullmatch
"""Match text whose characters each take one cell and stand alone.

These are Latin, Greek, Cyrillic, typography, currency, arrows, mathematics and box drawing. Variation
selectors and joiners are excluded, so nothing can widen a character later.
"""

is_wide = re.compile(f"[{_WIDE}]").match
"""Match a character that takes two cells and stands alone: ideographs, kana, hangul and punctuation."""

has_simple_widths = re.compile(f"[{_NARROW}{_WIDE}]*").fullmatch
"""Match text of only such characters."""

_find_wide = re.compile(f"[{_WIDE}]").findall


def fitting_end(text: str, start: int, width: int) -> int:
    """Return where plain text from `start` on no longer fits into `width` cells."""
    end, length = start, len(text)
    while end < length and width > 0:
        step = max(1, width // 2)
        piece = text[end : end + step]
        size = len(piece) + len(_find_wide(piece))
        if size > width:
            break
        end += len(piece)
        width -= size
    return end


JOINERS = re.compile("[\u200d\ufe0f]")
"""Characters that join others into one, or make one wide."""

_EMOJI = "\u2190-\u3299\U0001f000-\U0001faff"
_STRAY_SELECTOR = re.compile("(?<![0-9#*\xa9\xae\u203c-\u3299\U0001f000-\U0001faff])\ufe0f")
_STRAY_JOINER = re.compile(f"\u200d(?![{_EMOJI}])|(?<![{_EMOJI}\ufe0f])\u200d")


def strip_stray_joiners(text: str) -> str:
    """Remove joiners outside emoji sequences: terminals and Rich disagree on their width."""
    return text if text.isascii() else _STRAY_JOINER.sub("", _STRAY_SELECTOR.sub("", text))


def strip_stray_joiners_so_far(text: str) -> str:
    """Do the same for text that continues: a joiner at its end may still join something."""
    kept = "\u200d" if text.endswith("\u200d") else ""
    return strip_stray_joiners(text.removesuffix("\u200d")) + kept


def cell_width(text: str) -> int:
    """Return the width of text without line breaks, in cells."""
    if is_narrow(text):
        return len(text)
    return len(text) + len(_find_wide(text)) if has_simple_widths(text) else cell_len(text)


def graphemes(text: str) -> list[tuple[int, int, int]]:
    """Return start, end and width of each unit of text that must not be split."""
    return split_graphemes(text)[0]


Span = tuple[int, int]
Grapheme = tuple[int, int, int, bool]

_WORD_BREAK = re.compile(r"[-/–—_.,;:&?=)\]}](?=[^-/–—_.,;:&?=)\]}]*$)")
"""The last place within a word where it may be broken if it must."""

_NOT_FIRST = frozenset(
    "、。，．：；？！）］｝〉》」』】〕〗〙〛’”…‥ー々ゝゞヽヾ・ぁぃぅぇぉっゃゅょァィゥェォッャュョ゜゛"
)
_NOT_LAST = frozenset("（［｛〈《「『【〔〖〘〚‘“")


def wrap(text: str, width: int) -> list[Span]:
    """Return spans of `text`, one per line of up to `width` cells, without the blanks at line ends.

    A grapheme wider than the line gets a line of its own. There is always at least one span. Line feeds
    break lines.
    """
    if "\n" not in text:
        if is_narrow(text):
            return _wrap_narrow(text, width)
        return _wrap_simple(text, width) if has_simple_widths(text) else _wrap_graphemes(text, width)
    spans: list[Span] = []
    offset = 0
    for line in text.split("\n"):
        spans += [(start + offset, end + offset) for start, end in wrap(line, width)]
        offset += len(line) + 1
    return spans


def wrap_code(text: str, width: int) -> list[Span]:
    """Return spans of `text` that fill lines of `width` cells, including blanks: for code."""
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
    start, length = _skip_blanks(text, 0), len(text.rstrip(" "))
    while length - start > width:
        gap = text.rfind(" ", start + 1, start + width + 1)
        end = gap if gap > 0 else _break_in_word(text, start, start + width)
        spans.append((start, _trim_blanks(text, end)))
        start = _skip_blanks(text, end)
    if start < length or not spans:
        spans.append((start, max(start, length)))
    return spans


def _skip_blanks(text: str, start: int) -> int:
    while text.startswith(" ", start):
        start += 1
    return start


def _trim_blanks(text: str, end: int) -> int:
    while end and text[end - 1] == " ":
        end -= 1
    return end


def _break_in_word(text: str, start: int, limit: int) -> int:
    word_break = _WORD_BREAK.search(text, start + 1, limit)
    return word_break.end() if word_break else limit


def _wrap_simple(text: str, width: int) -> list[Span]:
    """Wrap text without joiners, in which every character has its own width."""
    spans: list[Span] = []
    start, length = _skip_blanks(text, 0), len(text.rstrip(" "))
    while start < length:
        limit = max(start + 1, fitting_end(text, start, width))
        if limit >= length:
            spans.append((start, length))
            break
        end = limit
        while end > start and text[end] != " " and not _can_break_at(text, end):
            end -= 1
        if end <= start:
            end = _break_in_word(text, start, limit)
        spans.append((start, _trim_blanks(text, end)))
        start = _skip_blanks(text, end)
    return spans or [(start, start)]


def _can_break_at(text: str, at: int) -> bool:
    before, here = text[at - 1], text[at]
    if before == " ":
        return True
    return bool(is_wide(before) or is_wide(here)) and here not in _NOT_FIRST and before not in _NOT_LAST


def _wrap_graphemes(text: str, width: int) -> list[Span]:
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
        if index > first and (blank or _can_break_between(text, parts[index - 1], parts[index])):
            fit = index
        if used + size <= width or index == first:
            used += size
            index += 1
            continue
        begin = parts[first][0]
        end = parts[fit][0] if fit > first else _break_in_word(text, begin, start)
        while parts[index][0] > end and index > first + 1:
            index -= 1
        spans.append((begin, _trim_blanks(text, parts[index][0])))
        first, used, fit = index, 0, -1
    begin = parts[first][0] if first < count else len(text)
    if begin < len(text) or not spans:
        spans.append((begin, max(begin, _trim_blanks(text, len(text)))))
    return spans


def _can_break_between(text: str, before: Grapheme, here: Grapheme) -> bool:
    if before[3]:
        return True
    if here[2] < 2 and before[2] < 2:
        return False
    return text[here[0]] not in _NOT_FIRST and text[before[0]] not in _NOT_LAST


# Runs: text with styles.


def runs_text(runs: Iterable[Run]) -> str:
    """Return the text of runs."""
    return "".join([text for text, _ in runs])


def merge_runs(runs: Iterable[Run]) -> list[Run]:
    """Join neighbouring runs of the same style, and drop empty ones."""
    result: list[Run] = []
    for text, style in runs:
        if not text:
            continue
        if result and result[-1][1] == style:
            result[-1] = (result[-1][0] + text, style)
        else:
            result.append((text, style))
    return result


def slice_runs(runs: Sequence[Run], spans: Iterable[tuple[int, int]]) -> list[list[Run]]:
    """Return the runs in each span of their text; spans must be ascending."""
    if len(runs) == 1:
        text, style = runs[0]
        return [[(text[start:end], style)] if end > start else [] for start, end in spans]
    result: list[list[Run]] = []
    index, offset = 0, 0
    for start, end in spans:
        piece: list[Run] = []
        while index < len(runs):
            text, style = runs[index]
            stop = offset + len(text)
            if stop > start and offset < end > start:
                piece.append((text[max(0, start - offset) : end - offset], style))
            if stop > end:
                break
            index += 1
            offset = stop
        result.append(piece)
    return result


# What is drawn before the lines of a block: bars of quotes, bullets, numbers and indentation.


class PrefixPart(Struct, frozen=True, gc=False):
    """One container's part: its text on the block's first line and on the others, equally wide."""

    first: str
    rest: str
    style: str


class BlockPrefix(Struct, frozen=True):
    """The parts of all containers, outermost first, and the style they give the text.

    `gap_depth` is how many of the parts continue through the blank line above the block, or −1 if it has
    none.
    """

    parts: tuple[PrefixPart, ...] = ()
    style: str = ""
    gap_depth: int = -1

    def continuation(self) -> BlockPrefix:
        """Return the prefix for what continues after the first line, without a blank line between."""
        return BlockPrefix(
            tuple(PrefixPart(part.rest, part.rest, part.style) for part in self.parts), self.style
        )

    def with_marker(self, marker: str) -> BlockPrefix:
        """Return the prefix with another marker instead of the innermost bullet."""
        last = self.parts[-1]
        first = marker + " "
        return BlockPrefix(
            (*self.parts[:-1], PrefixPart(first, " " * cell_width(first), last.style)),
            self.style,
            self.gap_depth,
        )


class FittedPrefix(Struct, frozen=True):
    """A prefix fitted into a width: its runs for the first and other lines, and the room for text."""

    first: tuple[Run, ...]
    rest: tuple[Run, ...]
    indent: int
    width: int
    text_width: int
    gap_lines: tuple[Line, ...]

    def build_line(self, runs: Sequence[Run], *, start: int, first: bool, fill: str = "") -> Line:
        """Build a line with this prefix."""
        size = 0
        for text, _ in runs:
            size += cell_width(text)
        prefix = self.first if first else self.rest
        return Line((*prefix, *runs), self.width + size, self.indent, start, fill)

    def wrap_runs(self, runs: Sequence[Run]) -> list[Line]:
        """Wrap the runs of a block's text into lines with this prefix."""
        return self.build_lines(runs, wrap(runs_text(runs), self.text_width))

    def build_lines(
        self, runs: Sequence[Run], spans: Sequence[Span], offset: int = 0, *, first: bool = True
    ) -> list[Line]:
        """Build lines from spans of runs, which begin at the character `offset` of the block's text."""
        return [
            self.build_line(piece, start=offset + span[0], first=first and index == 0)
            for index, (piece, span) in enumerate(zip(slice_runs(runs, spans), spans, strict=True))
        ]


@lru_cache(1024)
def fit_prefix(prefix: BlockPrefix, width: int) -> FittedPrefix:
    """Fit a prefix into a width; drop outer containers while they take more than half of it."""
    parts = prefix.parts
    above = prefix.gap_depth
    while parts and sum(cell_width(part.rest) for part in parts) > width // 2:
        parts = parts[1:]
        above = above - 1 if above > 0 else above
    first = tuple((part.first, part.style) for part in parts)
    rest = tuple((part.rest, part.style) for part in parts)
    taken = cell_width(runs_text(rest))
    return FittedPrefix(
        first=first,
        rest=rest,
        indent=len(runs_text(rest)),
        width=taken,
        text_width=max(1, width - taken),
        gap_lines=_gap_lines(rest[:above]) if above >= 0 else (),
    )


def _gap_lines(runs: Sequence[Run]) -> tuple[Line, ...]:
    while runs and not runs[-1][0].strip():
        runs = runs[:-1]
    text = runs_text(runs)
    return (Line(tuple(runs), cell_width(text), len(text)),)
