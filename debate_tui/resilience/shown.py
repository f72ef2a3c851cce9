"""The text of a turn so far, and the place in it that belongs to each cursor."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from debate_tui.domain.stream import Chunk

if TYPE_CHECKING:
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

    earliest: Place
    start: Place
    end: Place


class Shown:
    """What has been delivered of a turn, by all its connections together."""

    def __init__(self, resume: Resume | None = None) -> None:
        self.cursor: Cursor | None = None
        self.answer_length = self.reasoning_length = 0
        self._answer, self._reasoning = io.StringIO(), io.StringIO()
        self._first_cursor: Cursor | None = None
        self._cursors_repeat = False
        self._events: dict[tuple[str, str], Event] = {}
        self._repeated: dict[tuple[str, str], Event] = {}
        self._last_end = Place()
        if resume:
            self.add(Chunk(resume.reasoning, reasoning=True))
            self.add(Chunk(resume.text))
            if resume.cursor:
                self._last_end = self.end
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
        start = self.end if cursor is not None else None
        if chunk.reasoning:
            self._reasoning.write(text)
            self.reasoning_length += len(text)
        else:
            self._answer.write(text)
            self.answer_length += len(text)
        if cursor is not None and start is not None:
            self._mark(cursor, start, self.end)

    def mark(self, cursor: Cursor, at: Place | None = None) -> None:
        """Remember a cursor that came without new text; it stands for `at`, or the end of what there is."""
        at = at or self.end
        self._mark(cursor, at, at)

    def begins_with(self, cursor: Cursor) -> bool:
        """Whether `cursor` was the first one of the turn, and cursors have named one place each."""
        return cursor == self._first_cursor and not self._cursors_repeat

    def events(self, cursor: Cursor) -> tuple[Event, ...]:
        """What `cursor` stood for, the first and the last time it came."""
        key = cursor.stream, cursor.position
        found = (self._events.get(key), self._repeated.get(key))
        return tuple(event for event in found if event)

    def _mark(self, cursor: Cursor, start: Place, end: Place) -> None:
        self.cursor = cursor
        key = cursor.stream, cursor.position
        event = Event(min(self._last_end, start), start, end)
        self._last_end = end
        known = self._events.get(key)
        if known is None:
            if not self._events and event.earliest == Place():
                self._first_cursor = cursor
            self._events[key] = event
            _prune(self._events)
        elif known.end != end:
            self._cursors_repeat = True
            self._repeated[key] = event
            _prune(self._repeated)


def _prune(events: dict[tuple[str, str], Event]) -> None:
    if len(events) > REMEMBERED_CURSORS:
        for key in list(islice(events, REMEMBERED_CURSORS // 2)):
            del events[key]
