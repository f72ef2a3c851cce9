"""The text of a turn so far, and the place in it that belongs to each cursor."""

from __future__ import annotations

import io
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.domain.stream import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.stream import Cursor, Resume

MAX_CURSORS = 2048
"""How many of the last cursors are remembered; a server that replays more replays everything."""


class TextPosition(NamedTuple):
    """A place in a turn: how much of the answer and of the reasoning lies before it, in characters."""

    answer: int = 0
    reasoning: int = 0


class CursorSpan(NamedTuple):
    """What a cursor stood for.

    Where its last chunk began, where its chunks began at the earliest if it had several, where they ended.
    """

    cursor: Cursor
    earliest: TextPosition
    start: TextPosition
    end: TextPosition


class DeliveredText:
    """What has been delivered of a turn, by all its connections together.

    A cursor without a position is a stream's way to say that it has no place to go on from.
    """

    def __init__(self, resume: Resume | None = None) -> None:
        self.cursor: Cursor | None = None
        self.answer_length = self.reasoning_length = 0
        self._answer, self._reasoning = io.StringIO(), io.StringIO()
        # Every chunk passes here: what its cursor stood for is put together only after a cut.
        self._cursor_marks: deque[tuple[Cursor, int, int, int, int]] = deque(maxlen=MAX_CURSORS)
        if resume:
            self.add(Chunk(resume.reasoning, reasoning=True))
            self.add(Chunk(resume.text))
        self._initial_end = self.end
        if resume and resume.cursor:
            self.record_cursor(resume.cursor)

    @property
    def answer(self) -> str:
        return self._answer.getvalue()

    @property
    def reasoning(self) -> str:
        return self._reasoning.getvalue()

    @property
    def length(self) -> int:
        """Characters of answer and reasoning together."""
        return self.answer_length + self.reasoning_length

    @property
    def end(self) -> TextPosition:
        return TextPosition(self.answer_length, self.reasoning_length)

    def add(self, chunk: Chunk) -> None:
        """Append a chunk's text."""
        text, cursor = chunk.text, chunk.cursor
        answer, reasoning = self.answer_length, self.reasoning_length
        if chunk.reasoning:
            self._reasoning.write(text)
            self.reasoning_length += len(text)
        else:
            self._answer.write(text)
            self.answer_length += len(text)
        if cursor is not None:
            self.cursor = cursor
            if cursor.position:
                self._cursor_marks.append(
                    (cursor, answer, reasoning, self.answer_length, self.reasoning_length)
                )

    def record_cursor(self, cursor: Cursor, position: TextPosition | None = None) -> None:
        """Remember a cursor that came without new text; it stands for `position`, or the end of what there
        is."""
        self.cursor = cursor
        place = position or self.end
        if cursor.position:
            self._cursor_marks.append((cursor, *place, *place))

    def spans_of(self, cursor: Cursor) -> tuple[CursorSpan, ...]:
        """What `cursor` stood for, the first and the last time it came."""
        found = [event for event in self._iter_spans() if event.cursor == cursor]
        return tuple(found if len(found) < 2 else (found[0], found[-1]))

    def is_first_cursor(self, cursor: Cursor) -> bool:
        """Whether `cursor` was the first one of the turn, and cursors have named one place each."""
        places: dict[Cursor, TextPosition] = {}
        first = next(self._iter_spans(), None)
        return (
            first is not None
            and first.cursor == cursor
            and first.earliest == TextPosition()
            and all(places.setdefault(event.cursor, event.end) == event.end for event in self._iter_spans())
        )

    def _iter_spans(self) -> Iterator[CursorSpan]:
        before = self._initial_end
        if len(self._cursor_marks) == MAX_CURSORS:
            before = TextPosition(*self._cursor_marks[0][1:3])
        for cursor, answer, reasoning, answer_end, reasoning_end in self._cursor_marks:
            start, end = TextPosition(answer, reasoning), TextPosition(answer_end, reasoning_end)
            yield CursorSpan(cursor, min(before, start), start, end)
            before = end
