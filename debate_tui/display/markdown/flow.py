"""A paragraph that grows: what can no longer change is read and wrapped once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.markdown.inline import parse_inline
from debate_tui.display.markdown.line import merge_runs, runs_text, slice_runs
from debate_tui.display.markdown.settled import final_length
from debate_tui.display.markdown.wrap import wrap

if TYPE_CHECKING:
    from debate_tui.display.markdown.frame import FittedPrefix
    from debate_tui.display.markdown.line import Line, Run


class IncrementalParagraph:
    """The lines of a paragraph's text within a margin, by `update` after `update`.

    The lines are the same for a text however it grew; only the work differs.
    """

    __slots__ = ("_final_lines", "_final_text", "_last_line_runs", "_last_line_start", "_prefix", "_style")

    def __init__(self, prefix: FittedPrefix, style: str) -> None:
        self._prefix = prefix
        self._style = style
        self._final_text = ""  # what of the text is read for good
        self._final_lines: list[Line] = []  # the full lines of that
        self._last_line_runs: list[Run] = []  # and the beginning of its last line,
        self._last_line_start = 0  # which starts here

    def can_continue(self, prefix: FittedPrefix, style: str, text: str) -> bool:
        """Whether this is the beginning of such a paragraph."""
        return self._prefix == prefix and self._style == style and text.startswith(self._final_text)

    def update(self, text: str) -> list[Line]:
        """The lines of a text that begins as the last one did."""
        tail = text[len(self._final_text) :]
        if end := final_length(tail):
            self._final_text += tail[:end]
            self._append_final(parse_inline(tail[:end], self._style))
            tail = tail[end:]
        runs = merge_runs([*self._last_line_runs, *parse_inline(tail, self._style)])
        return self._final_lines + self._wrap_runs(runs)[0]

    def _append_final(self, runs: list[Run]) -> None:
        runs = merge_runs([*self._last_line_runs, *runs])
        text = runs_text(runs)
        spans = wrap(text, self._prefix.text_width)
        begin = spans[-1][0]
        if len(spans) > 1:
            self._final_lines += self._build_lines(runs, spans[:-1])
        self._last_line_runs = slice_runs(runs, [(begin, len(text))])[0]
        self._last_line_start += begin

    def _wrap_runs(self, runs: list[Run]) -> tuple[list[Line], int]:
        spans = wrap(runs_text(runs), self._prefix.text_width)
        return self._build_lines(runs, spans), spans[-1][0]

    def _build_lines(self, runs: list[Run], spans: list[tuple[int, int]]) -> list[Line]:
        return self._prefix.build_lines(
            slice_runs(runs, spans), spans, self._last_line_start, first=not self._final_lines
        )
