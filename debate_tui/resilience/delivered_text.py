"""The text of a turn so far, with the position of each cursor in it."""

from __future__ import annotations

import io
import itertools
import unicodedata
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct

from debate_tui.domain.stream import Chunk, Cursor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.domain.stream import ResumePoint


MAX_CURSORS = 2048
"""Number of recent cursors kept; a server that replays more replays everything."""


class TextPosition(NamedTuple):
    """A position in a turn: characters of answer and of reasoning before it."""

    answer: int = 0
    reasoning: int = 0


_CursorMark = tuple[Cursor, int, int, int, int]
"""A cursor with the start and end of its chunk: answer, reasoning, answer, reasoning."""


class CursorSpan(NamedTuple):
    """The text a cursor stands for.

    `start` is where its last chunk began, `earliest` where its first chunk may have begun if it had several,
    `end` where they ended.
    """

    cursor: Cursor
    earliest: TextPosition
    start: TextPosition
    end: TextPosition


class DeliveredText:
    """What all connections of a turn have delivered together.

    A cursor with an empty position means that the stream cannot be resumed from there.
    """

    def __init__(self, resume: ResumePoint | None = None) -> None:
        self.cursor: Cursor | None = None
        self.answer_length = self.reasoning_length = 0
        self._answer, self._reasoning = io.StringIO(), io.StringIO()
        # Every chunk passes through here, so cursor spans are only computed after a cut.
        self._cursor_marks: deque[_CursorMark] = deque(maxlen=MAX_CURSORS)
        self._first_mark: _CursorMark | None = None
        if resume:
            self.add(Chunk(resume.reasoning, reasoning=True))
            self.add(Chunk(resume.text))
        self._initial_end = self.end
        if resume and resume.cursor:
            answer, reasoning = resume.after_cursor
            place = TextPosition(self.answer_length - answer, self.reasoning_length - reasoning)
            self.record_cursor(resume.cursor, place)

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
    def has_answer(self) -> bool:
        """Whether the answer contains more than white space."""
        return bool(self.answer_length) and not self.answer.isspace()

    @property
    def end(self) -> TextPosition:
        return TextPosition(self.answer_length, self.reasoning_length)

    @property
    def after_cursor(self) -> tuple[int, int]:
        """Characters of answer and of reasoning after the cursor's position."""
        spans = self.spans_of(self.cursor) if self.cursor else ()
        if not spans:
            return 0, 0
        end = spans[0].end
        return self.answer_length - end.answer, self.reasoning_length - end.reasoning

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
                mark = (cursor, answer, reasoning, self.answer_length, self.reasoning_length)
                self._cursor_marks.append(mark)
                if self._first_mark is None:
                    self._first_mark = mark

    def record_cursor(self, cursor: Cursor, position: TextPosition | None = None) -> None:
        """Store a cursor that came without new text, at `position` or the end of the text."""
        self.cursor = cursor
        place = position or self.end
        if cursor.position:
            self._cursor_marks.append((cursor, *place, *place))
            self._first_mark = self._first_mark or self._cursor_marks[-1]

    def forget_cursors(self) -> None:
        """Drop all cursors, so that the answer is requested from its start."""
        self.cursor = None
        self._cursor_marks.clear()
        self._first_mark = None

    def spans_of(self, cursor: Cursor) -> tuple[CursorSpan, ...]:
        """Return what `cursor` stood for at its first and last occurrence."""
        found = [event for event in self._iter_spans() if event.cursor.is_same_place(cursor)]
        return tuple(found if len(found) < 2 else (found[0], found[-1]))

    def is_out_of_order(self, cursor: Cursor) -> bool:
        """Return whether `cursor` breaks the even numbering of the earlier ones (by 1 after a single one)."""
        numbers = [mark[0].position for mark in self._cursor_marks if mark[0].stream == cursor.stream]
        numbers = [*dict.fromkeys(numbers), cursor.position]
        if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
            return False
        steps = {int(later) - int(earlier) for earlier, later in itertools.pairwise(numbers[:-1])}
        if numbers[:-1] in (["0"], ["1"]):
            steps = {1}
        return len(steps) == 1 and int(numbers[-1]) - int(numbers[-2]) not in steps

    def is_first_cursor(self, cursor: Cursor) -> bool:
        """Return whether `cursor` was the turn's first one, and each cursor has had only one position."""
        places: dict[Cursor, TextPosition] = {}
        first = next(self._iter_spans(), None)
        return (
            first is not None
            and first.cursor.is_same_place(cursor)
            and first.earliest == TextPosition()
            and all(places.setdefault(event.cursor, event.end) == event.end for event in self._iter_spans())
        )

    def _iter_spans(self) -> Iterator[CursorSpan]:
        marks, before = self._cursor_marks, self._initial_end
        if len(marks) == MAX_CURSORS:
            if self._first_mark is not None and self._first_mark is not marks[0]:
                yield _span(self._first_mark, before)  # a full replay begins with this cursor
            before = TextPosition(*marks[0][1:3])
        for mark in marks:
            span = _span(mark, before)
            yield span
            before = span.end


def _span(mark: _CursorMark, before: TextPosition) -> CursorSpan:
    cursor, answer, reasoning, answer_end, reasoning_end = mark
    start, end = TextPosition(answer, reasoning), TextPosition(answer_end, reasoning_end)
    return CursorSpan(cursor, min(before, start), start, end)


# Splicing: how the text of a new connection joins the text already shown.
#
# A `TextSplicer` is fed the chunks of the new connection and holds them back until it knows how they join.
# What it holds back is probably on screen already, so new text is not delayed.


MIN_REPEAT_WIDTH = 16
MIN_REPEAT_VARIETY = 8
"""A repetition of fewer columns, or fewer different characters, may be intended."""


class SpliceResult(Struct, frozen=True):
    """The new part of a connection's text, and how much of it was a repetition.

    If `superseded` is true, the texts do not join: the chunks are the text from its start. `seen_cursors` are
    the cursors found within the repeated text, with their positions.
    """

    chunks: tuple[Chunk, ...] = ()
    superseded: bool = False
    repeated: int = 0
    seen_cursors: tuple[tuple[Cursor, TextPosition], ...] = ()


class TextSplicer(Protocol):
    """Joins the text of one new connection to the text already shown."""

    @property
    def resolved(self) -> bool:
        """Whether the join is found: all further chunks are new."""
        ...

    @property
    def pending(self) -> Sequence[Chunk]:
        """The chunks held back."""
        ...

    @property
    def pending_start(self) -> TextPosition:
        """Where the pending text begins in the old text, as far as is known."""
        ...

    def note_cursor(self, cursor: Cursor) -> None:
        """Record a cursor that came without text."""
        ...

    def feed(self, chunk: Chunk) -> SpliceResult | None:
        """Process the next chunk; return `None` while it is held back."""
        ...

    def finish(self) -> SpliceResult:
        """Return the best join at the natural end of the stream."""
        ...


def is_unintended_repeat(text: str) -> bool:
    """Return whether `text`, appearing twice in a row, can only be an unintended repetition."""
    if len(set(text)) < MIN_REPEAT_VARIETY or text.find(text[: len(text) // 2], 1) > 0:
        return False  # monotonous or repetitive text may repeat again
    columns = 0
    for character in text:
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns >= MIN_REPEAT_WIDTH:
            return True
    return False
