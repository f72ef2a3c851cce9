"""The text of a turn so far, and the place in it that belongs to each cursor."""

from __future__ import annotations

import io
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.domain.stream import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.stream import Cursor, Resume

REMEMBERED_CURSORS = 2048
"""How many of the last cursors are remembered; a server that replays more replays everything."""


class Place(NamedTuple):
    """A place in a turn: how much of the answer and of the reasoning lies before it, in characters."""

    answer: int = 0
    reasoning: int = 0


class Event(NamedTuple):
    """What a cursor stood for.

    Where its last chunk began, where its chunks began at the earliest if it had several, where they ended.
    """

    cursor: Cursor
    earliest: Place
    start: Place
    end: Place


class Shown:
    """What has been delivered of a turn, by all its connections together.

    A cursor without a position is a stream's way to say that it has no place to go on from.
    """

    def __init__(self, resume: Resume | None = None) -> None:
        self.cursor: Cursor | None = None
        self.answer_length = self.reasoning_length = 0
        self._answer, self._reasoning = io.StringIO(), io.StringIO()
        # Every chunk passes here: what its cursor stood for is put together only after a cut.
        self._marks: deque[tuple[Cursor, int, int, int, int]] = deque(maxlen=REMEMBERED_CURSORS)
        if resume:
            self.add(Chunk(resume.reasoning, reasoning=True))
            self.add(Chunk(resume.text))
        self._before_marks = self.end
        if resume and resume.cursor:
            self.mark(resume.cursor)

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
    def end(self) -> Place:
        return Place(self.answer_length, self.reasoning_length)

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
                self._marks.append((cursor, answer, reasoning, self.answer_length, self.reasoning_length))

    def mark(self, cursor: Cursor, at: Place | None = None) -> None:
        """Remember a cursor that came without new text; it stands for `at`, or the end of what there is."""
        self.cursor = cursor
        place = at or self.end
        if cursor.position:
            self._marks.append((cursor, *place, *place))

    def events(self, cursor: Cursor) -> tuple[Event, ...]:
        """What `cursor` stood for, the first and the last time it came."""
        found = [event for event in self._events() if event.cursor == cursor]
        return tuple(found if len(found) < 2 else (found[0], found[-1]))

    def begins_with(self, cursor: Cursor) -> bool:
        """Whether `cursor` was the first one of the turn, and cursors have named one place each."""
        places: dict[Cursor, Place] = {}
        first = next(self._events(), None)
        return (
            first is not None
            and first.cursor == cursor
            and first.earliest == Place()
            and all(places.setdefault(event.cursor, event.end) == event.end for event in self._events())
        )

    def _events(self) -> Iterator[Event]:
        before = self._before_marks
        if len(self._marks) == REMEMBERED_CURSORS:
            before = Place(*self._marks[0][1:3])
        for cursor, answer, reasoning, answer_end, reasoning_end in self._marks:
            start, end = Place(answer, reasoning), Place(answer_end, reasoning_end)
            yield Event(cursor, min(before, start), start, end)
            before = end
