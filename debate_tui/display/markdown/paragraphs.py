"""Paragraphs: finished, still open, and rendered as they grow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.markdown.blocks import LeafBlock
from debate_tui.display.markdown.inline import markdown_it_parser, parse_inline
from debate_tui.display.markdown.lines import Run, combine_styles
from debate_tui.display.markdown.wrap import (
    BlockPrefix,
    FittedPrefix,
    fit_prefix,
    merge_runs,
    runs_text,
    slice_runs,
    wrap,
)
from debate_tui.domain.markdown import can_open_close, formula_end, line_break_end, may_become_verbatim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.display.markdown.lines import Line, MarkdownSymbols

_TASK_BOX = re.compile(r"\[([ xX])\] +(?=\S)")


class Paragraph(LeafBlock, frozen=True, gc=False):
    """Text with markup, or one piece of a very long paragraph."""

    is_task: bool = False
    heading_level: int = 0

    @property
    def style(self) -> str:
        """The style of the text; headings are paragraphs with their own style."""
        return combine_styles(self.prefix.style, "heading") if self.heading_level else self.prefix.style

    def render(self, width: int, symbols: MarkdownSymbols) -> list[Line]:
        """Parse and wrap the text."""
        text, prefix = self.text_and_prefix(width, symbols)
        return prefix.wrap_runs(parse_inline(text, self.style))

    def text_and_prefix(self, width: int, symbols: MarkdownSymbols) -> tuple[str, FittedPrefix]:
        """Return the text and its fitted prefix; a task's box replaces the bullet."""
        if self.is_task and (box := _TASK_BOX.match(self.text)):
            prefix = self.prefix.with_marker(symbols.unchecked_box if box[1] == " " else symbols.checked_box)
            return self.text[box.end() :], fit_prefix(prefix, width)
        return self.text, fit_prefix(self.prefix, width)

    def render_incremental(
        self, paragraph: IncrementalParagraph | None, width: int, symbols: MarkdownSymbols
    ) -> tuple[IncrementalParagraph, list[Line]]:
        """Return the same lines as `render`, reusing the work done for a shorter text in `paragraph`.

        Also return the paragraph to pass next time.
        """
        text, prefix = self.text_and_prefix(width, symbols)
        if paragraph is None or not paragraph.can_continue(prefix, self.style, text):
            paragraph = IncrementalParagraph(prefix, self.style)
        return paragraph, paragraph.update(text)

    def count_lines(self, width: int, symbols: MarkdownSymbols) -> int:
        text, prefix = self.text_and_prefix(width, symbols)
        return len(wrap(runs_text(parse_inline(text)), prefix.text_width))

    def plain_text(self, width: int, symbols: MarkdownSymbols) -> str:
        """Return the text as one line, except for hard breaks."""
        return runs_text(parse_inline(self.text_and_prefix(width, symbols)[0]))


class OpenParagraph(Struct, frozen=True):
    """A paragraph's text since the last cut.

    Its last line begins at `last_line_start`, and may be the heading of a table if `can_head_table`.
    """

    text: str
    prefix: BlockPrefix
    is_task: bool
    last_line_start: int = 0
    can_head_table: bool = True
    was_split: bool = False

    @property
    def last_line(self) -> str:
        """The last line read."""
        return self.text[self.last_line_start :]

    def with_line(self, line: str, closed: list[LeafBlock], *, can_head_table: bool) -> OpenParagraph:
        """Return the paragraph with one more line."""
        return replace(
            self,
            text=f"{self.text}\n{line}",
            last_line_start=len(self.text) + 1,
            can_head_table=can_head_table,
        ).split_off_closed(closed)

    def with_text(self, text: str, closed: list[LeafBlock]) -> OpenParagraph:
        """Return the paragraph with more text in its last line."""
        return replace(self, text=self.text + text).split_off_closed(closed)

    def without_last_line(self) -> OpenParagraph | None:
        """Return the paragraph without its last line, or `None` if it has only one."""
        if not self.last_line_start:
            return None
        return replace(self, text=self.text[: self.last_line_start - 1], last_line_start=0)

    def close(self, closed: list[LeafBlock], *, draft: bool = False) -> None:
        """Close the paragraph."""
        closed.append(Paragraph(self.text.rstrip(), self.prefix, self.is_task))

    def split_off_closed(self, closed: list[LeafBlock]) -> OpenParagraph:
        """Close as much as possible, and return the rest."""
        grown = self
        while split_at := split_point(grown.text):
            closed.append(Paragraph(grown.text[:split_at].rstrip(), grown.prefix, grown.is_task))
            last = grown.last_line_start - split_at
            grown = OpenParagraph(
                grown.text[split_at:],
                grown.prefix.continuation(),
                False,
                max(0, last),
                grown.can_head_table and last >= 0,
                True,
            )
        return grown


# Growing paragraphs: what can no longer change is parsed and wrapped once.


class IncrementalParagraph:
    """The lines of a growing paragraph within a prefix, updated by `update`.

    The lines do not depend on how the text grew; only the work does.
    """

    __slots__ = ("_final_lines", "_final_text", "_last_line_runs", "_last_line_start", "_prefix", "_style")

    def __init__(self, prefix: FittedPrefix, style: str) -> None:
        self._prefix = prefix
        self._style = style
        self._final_text = ""  # the text parsed for good
        self._final_lines: list[Line] = []  # its complete lines
        self._last_line_runs: list[Run] = []  # the beginning of its last line
        self._last_line_start = 0  # where that line starts

    def can_continue(self, prefix: FittedPrefix, style: str, text: str) -> bool:
        """Return whether a text with this prefix and style continues the paragraph."""
        return self._prefix == prefix and self._style == style and text.startswith(self._final_text)

    def update(self, text: str) -> list[Line]:
        """Return the lines of a text that begins like the last one."""
        tail = text[len(self._final_text) :]
        if end := final_length(tail):
            self._final_text += tail[:end]
            self._append_final(parse_inline(tail[:end], self._style))
            tail = tail[end:]
        runs = merge_runs([*self._last_line_runs, *parse_inline(tail, self._style)])
        return self._final_lines + self._build_lines(runs, wrap(runs_text(runs), self._prefix.text_width))

    def _append_final(self, runs: list[Run]) -> None:
        runs = merge_runs([*self._last_line_runs, *runs])
        text = runs_text(runs)
        spans = wrap(text, self._prefix.text_width)
        begin = spans[-1][0]
        if len(spans) > 1:
            self._final_lines += self._build_lines(runs, spans[:-1])
        self._last_line_runs = slice_runs(runs, [(begin, len(text))])[0]
        self._last_line_start += begin

    def _build_lines(self, runs: list[Run], spans: list[tuple[int, int]]) -> list[Line]:
        return self._prefix.build_lines(runs, spans, self._last_line_start, first=not self._final_lines)


# How far the markup of a growing paragraph is final.
#
# markdown-it parses a whole text. To parse only what is new, `final_length` finds how far a text can no
# longer be changed by what follows; up to there it is parsed once and never again.


PIECE_SIZE = 2000
"""Characters that markup can always span; pieces of a long paragraph have up to twice as many."""

_DELIMITER_RUN = re.compile(r"([*_~])\1*")
_TICKS = re.compile(r"`+")
_AUTOLINK = re.compile(r"<[a-zA-Z][a-zA-Z0-9+.\-]{1,31}:[^<>\x00-\x20]*>|<[^\s<>@]+@[^\s<>@]+>")
_AUTOLINK_END = re.compile(r"[\s<>]")
_LINK_DESTINATION = re.compile(r"\([ \n]*([^\s()<>\\*_~\[\]`&]*)(?:[ \n]+\"[^\"\\*_~\[\]`&]*\")?[ \n]*\)")
_SPECIAL_CHARACTER = re.compile(r"[\\`*_~\[\]<$]")
_UNDECIDED = -1


def _unmarked_stretches(text: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a text that are outside all markup whatever follows, in order.

    It stops at the first doubt: then less is final, and more is parsed again, than necessary. What it
    yields for a text holds for every longer one.
    """
    stack: list[str] = []
    position = begin = 0
    length = len(text)
    while position < length:
        found = _SPECIAL_CHARACTER.search(text, position)
        stop = found.start() if found else length
        if not stack and stop > begin:
            yield begin, stop
        if found is None:
            return
        position = _skip_markup(text, stop, stack)
        if position == _UNDECIDED:
            return
        begin = position


def _skip_markup(text: str, at: int, stack: list[str]) -> int:
    """Return the end of the markup at a position, or `_UNDECIDED` if in doubt.

    What it opens or closes is pushed to or popped from `stack`.
    """
    match text[at]:
        case "\\" | "$" | "<":
            return _skip_verbatim(text, at)
        case "`":
            return _skip_code(text, at)
        case "[":
            stack.append("[")
            return at + 1
        case "]":
            return _skip_bracket(text, at, stack)
        case _:
            return _skip_delimiter(text, at, stack)


def _skip_verbatim(text: str, at: int) -> int:
    if end := formula_end(text, at) or line_break_end(text, at):
        return end
    if may_become_verbatim(text, at):
        return _UNDECIDED
    if text[at] != "<":
        return at + (2 if text[at] == "\\" else 1)
    if link := _AUTOLINK.match(text, at):
        return link.end()
    return at + 1 if _AUTOLINK_END.search(text, at + 1) else _UNDECIDED


def _skip_code(text: str, at: int) -> int:
    ticks = _TICKS.match(text, at)
    assert ticks is not None
    for other in _TICKS.finditer(text, ticks.end()):
        if len(other[0]) == len(ticks[0]):
            return other.end() if other.end() < len(text) else _UNDECIDED
    return _UNDECIDED


def _skip_bracket(text: str, at: int, stack: list[str]) -> int:
    if "[" not in stack:
        return at + 1
    if stack[-1] != "[" or at + 1 == len(text):
        return _UNDECIDED
    stack.pop()
    if text[at + 1] != "(":
        return at + 1
    target = _LINK_DESTINATION.match(text, at + 1)
    if (
        target is None
        or "[" in stack
        or not markdown_it_parser().validateLink(markdown_it_parser().normalizeLink(target[1]))
    ):
        return _UNDECIDED
    return target.end()


def _skip_delimiter(text: str, at: int, stack: list[str]) -> int:
    run = _DELIMITER_RUN.match(text, at)
    assert run is not None
    end = run.end()
    if end == len(text):
        return _UNDECIDED
    if run[1] == "~" and len(run[0]) != 2:
        return end if len(run[0]) == 1 else _UNDECIDED
    opens, closes = can_open_close(run[1], text[at - 1] if at else " ", text[end])
    if closes and stack and stack[-1] == run[0]:
        stack.pop()
    elif closes and stack:
        return _UNDECIDED
    elif opens:
        stack.append(run[0])
    return end


_IDEOGRAPH = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_BREAK_PATTERN = rf"(?<=[^\s] )(?=[!-~\u00c0-\u02af\u0391-\u03ff\u0410-\u044f“‘«{_IDEOGRAPH}])"
_BREAK_PATTERN += rf"|(?<=[{_IDEOGRAPH}])(?=[{_IDEOGRAPH}])"
_BREAK_POINT = re.compile(_BREAK_PATTERN)
_SENTENCE_END = re.compile(rf"(?<=[.!?:;…] )(?=[!-~\u00c0-\u02af])|(?<=[。！？])(?=[{_IDEOGRAPH}])")


def final_length(text: str) -> int:
    """Return how far a text's markup is final; the parts before and after can be parsed separately."""
    end = 0
    for start, stop in _unmarked_stretches(text):
        # The text after the stretch only serves as lookahead.
        place = _last_break(text, start, stop)
        end = place or end
    return end


def _last_break(text: str, start: int, stop: int) -> int:
    blank = stop
    while (blank := text.rfind(" ", start, blank)) >= 0:
        if _BREAK_POINT.match(text, blank + 1):
            return blank + 1
    if text.isascii():
        return 0
    return max((found.start() for found in _BREAK_POINT.finditer(text, start, stop)), default=0)


def split_point(text: str) -> int:
    """Return where to cut a long paragraph into pieces for parsing; 0 if it is short enough.

    Preferably outside all markup: after the first sentence that ends beyond `PIECE_SIZE` characters, or at
    any blank beyond one and a half times that; at twice that in any case. A longer text that begins the
    same is cut at the same place.
    """
    if len(text) < PIECE_SIZE:
        return 0
    late = PIECE_SIZE * 3 // 2
    for start, stop in _unmarked_stretches(text[: 2 * PIECE_SIZE]):
        if stop <= PIECE_SIZE:
            continue
        sentence = _SENTENCE_END.search(text, max(start, PIECE_SIZE), stop)
        if sentence and sentence.start() <= late:
            return sentence.start()
        anywhere = _BREAK_POINT.search(text, max(start, late), stop)
        if anywhere:
            return min(anywhere.start(), sentence.start()) if sentence else anywhere.start()
    if len(text) <= 2 * PIECE_SIZE:
        return 0
    return _forced_split_point(text)


def _forced_split_point(text: str) -> int:
    blank = text.rfind(" ", PIECE_SIZE, 2 * PIECE_SIZE)
    if blank > 0:
        return blank + 1
    end = 2 * PIECE_SIZE
    while end > PIECE_SIZE and not text[end - 1 : end + 1].isalnum():
        end -= 1
    return end if end > PIECE_SIZE else 2 * PIECE_SIZE
