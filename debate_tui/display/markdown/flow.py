"""A paragraph that grows: what can no longer change is read and wrapped once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.markdown.inline import inline
from debate_tui.display.markdown.line import cut, merged, plain
from debate_tui.display.markdown.settled import settled
from debate_tui.display.markdown.wrap import wrap

if TYPE_CHECKING:
    from debate_tui.display.markdown.frame import Margin
    from debate_tui.display.markdown.line import Line, Run


class Flow:
    """The lines of a paragraph's text within a margin, by `update` after `update`.

    The lines are the same for a text however it grew; only the work differs.
    """

    __slots__ = ("_head", "_lines", "_margin", "_offset", "_read", "_style")

    def __init__(self, margin: Margin, style: str) -> None:
        self._margin = margin
        self._style = style
        self._read = ""  # what of the text is read for good
        self._lines: list[Line] = []  # the full lines of that
        self._head: list[Run] = []  # and the beginning of its last line,
        self._offset = 0  # which starts here

    def fits(self, margin: Margin, style: str, text: str) -> bool:
        """Whether this is the beginning of such a paragraph."""
        return self._margin == margin and self._style == style and text.startswith(self._read)

    def update(self, text: str) -> list[Line]:
        """The lines of a text that begins as the last one did."""
        tail = text[len(self._read) :]
        if end := settled(tail):
            self._read += tail[:end]
            self._take(inline(tail[:end], self._style))
            tail = tail[end:]
        runs = merged([*self._head, *inline(tail, self._style)])
        return self._lines + self._wrapped(runs)[0]

    def _take(self, runs: list[Run]) -> None:
        runs = merged([*self._head, *runs])
        text = plain(runs)
        spans = wrap(text, self._margin.room)
        begin = spans[-1][0]
        if len(spans) > 1:
            self._lines += self._made(runs, spans[:-1])
        self._head = cut(runs, [(begin, len(text))])[0]
        self._offset += begin

    def _wrapped(self, runs: list[Run]) -> tuple[list[Line], int]:
        spans = wrap(plain(runs), self._margin.room)
        return self._made(runs, spans), spans[-1][0]

    def _made(self, runs: list[Run], spans: list[tuple[int, int]]) -> list[Line]:
        return self._margin.lines(cut(runs, spans), spans, self._offset, first=not self._lines)
