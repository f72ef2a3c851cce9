"""The text of a turn so far, and the place in it that belongs to each cursor."""

from __future__ import annotations

import io
import itertools
import unicodedata
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import Struct, structs

from debate_tui.domain.stream import Chunk, Cursor, Usage, merge_usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.domain.stream import Resume


MAX_CURSORS = 2048
"""How many of the last cursors are remembered; a server that replays more replays everything."""


class TextPosition(NamedTuple):
    """A place in a turn: how much of the answer and of the reasoning lies before it, in characters."""

    answer: int = 0
    reasoning: int = 0


_CursorMark = tuple[Cursor, int, int, int, int]
"""A cursor, and where its chunk began and ended: answer, reasoning, answer, reasoning."""


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
        """Whether the answer is more than white space."""
        return bool(self.answer_length) and not self.answer.isspace()

    @property
    def end(self) -> TextPosition:
        return TextPosition(self.answer_length, self.reasoning_length)

    @property
    def after_cursor(self) -> tuple[int, int]:
        """How much of answer and reasoning came after the cursor's place, in characters."""
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
        """Remember a cursor that came without new text; it stands for `position`, or the end of what there
        is."""
        self.cursor = cursor
        place = position or self.end
        if cursor.position:
            self._cursor_marks.append((cursor, *place, *place))
            self._first_mark = self._first_mark or self._cursor_marks[-1]

    def forget_cursors(self) -> None:
        """Forget every place to go on from: the answer is to be requested from its start."""
        self.cursor = None
        self._cursor_marks.clear()
        self._first_mark = None

    def spans_of(self, cursor: Cursor) -> tuple[CursorSpan, ...]:
        """What `cursor` stood for, the first and the last time it came."""
        found = [event for event in self._iter_spans() if event.cursor.is_same_place(cursor)]
        return tuple(found if len(found) < 2 else (found[0], found[-1]))

    def is_out_of_order(self, cursor: Cursor) -> bool:
        """Whether the cursors so far are evenly numbered (a first one: by 1), and `cursor` breaks the row."""
        numbers = [mark[0].position for mark in self._cursor_marks if mark[0].stream == cursor.stream]
        numbers = [*dict.fromkeys(numbers), cursor.position]
        if len(numbers) < 2 or not all(number.isdecimal() for number in numbers):
            return False
        steps = {int(later) - int(earlier) for earlier, later in itertools.pairwise(numbers[:-1])}
        if numbers[:-1] in (["0"], ["1"]):
            steps = {1}
        return len(steps) == 1 and int(numbers[-1]) - int(numbers[-2]) not in steps

    def is_first_cursor(self, cursor: Cursor) -> bool:
        """Whether `cursor` was the first one of the turn, and cursors have named one place each."""
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
                yield _span(self._first_mark, before)  # a server that replays everything begins with it
            before = TextPosition(*marks[0][1:3])
        for mark in marks:
            span = _span(mark, before)
            yield span
            before = span.end


def _span(mark: _CursorMark, before: TextPosition) -> CursorSpan:
    cursor, answer, reasoning, answer_end, reasoning_end = mark
    start, end = TextPosition(answer, reasoning), TextPosition(answer_end, reasoning_end)
    return CursorSpan(cursor, min(before, start), start, end)


# Where the text of a new connection joins the text already shown.
#
# A `TextSplicer` is fed the chunks of the new connection and holds them back until it is sure how they
# join. What it holds back is, as far as anyone can tell, on screen already; so nothing is delayed that is
# new.


MIN_REPEAT_WIDTH = 16
MIN_REPEAT_VARIETY = 8
"""A repetition shorter than this many columns, or of fewer different characters, may be meant."""


class SpliceResult(Struct, frozen=True):
    """How the texts join: what is new of the second one, and how much of it was there already.

    `superseded` says that they do not: the chunks then are the text from its start. `seen_cursors` are the
    cursors met within the text already shown, with their places in it.
    """

    chunks: tuple[Chunk, ...] = ()
    superseded: bool = False
    repeated: int = 0
    seen_cursors: tuple[tuple[Cursor, TextPosition], ...] = ()


class TextSplicer(Protocol):
    """Joins the text of one new connection to the text already shown."""

    @property
    def resolved(self) -> bool:
        """Whether the joint is found: all further chunks are new."""
        ...

    @property
    def pending(self) -> Sequence[Chunk]:
        """What is held back."""
        ...

    @property
    def pending_start(self) -> TextPosition:
        """Where in the old text that begins, as far as is known."""
        ...

    def note_cursor(self, cursor: Cursor) -> None:
        """Take note of a cursor that came without text."""
        ...

    def feed(self, chunk: Chunk) -> SpliceResult | None:
        """Take the next chunk; `None` as long as it is held back."""
        ...

    def finish(self) -> SpliceResult:
        """The stream has come to its natural end: the joint, as far as it can be told."""
        ...


def is_unintended_repeat(text: str) -> bool:
    """Whether `text`, coming twice in a row, can only be a repetition that was not meant."""
    if len(set(text)) < MIN_REPEAT_VARIETY or text.find(text[: len(text) // 2], 1) > 0:
        return False  # what is monotonous, or repeats itself, may well do so once more
    columns = 0
    for character in text:
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns >= MIN_REPEAT_WIDTH:
            return True
    return False


# What a turn has cost over all its connections.


MAX_PLAUSIBLE_TOKENS = 2**53
"""No count is believed to be more; with greater ones no rate and no price can be reckoned."""


class UsageTotals:
    """Adds up usage: a broken connection was paid for too."""

    def __init__(self) -> None:
        self._previous: Usage | None = None
        self._current: Usage | None = None

    @property
    def has_earlier(self) -> bool:
        """Whether an earlier connection reported usage, which what the present one costs leaves out."""
        return self._previous is not None

    def start_connection(self, *, resumes_answer: bool) -> None:
        """A new connection; if it carries on the `resumes_answer`, what it reports replaces, else it adds."""
        if not resumes_answer:
            self._previous, self._current = _add_usage(self._previous, self._current), None

    def add_update(self, usage: Usage) -> Usage:
        """Take what the present connection has cost so far, and return the turn's total."""
        self._current = merge_usage(self._current, _plausible(usage))
        return _add_usage(self._previous, self._current) or usage

    def total(self, usage: Usage | None) -> Usage | None:
        """The turn's total, if `usage` is what the present connection reported at its end."""
        return _add_usage(self._previous, merge_usage(self._current, usage and _plausible(usage)))


def _plausible(usage: Usage) -> Usage:
    """What may have been spent; a count that cannot be is one that nobody told."""
    return Usage(
        *(n if n is not None and 0 <= n <= MAX_PLAUSIBLE_TOKENS else None for n in _token_counts(usage))
    )


def _add_usage(one: Usage | None, other: Usage | None) -> Usage | None:
    return other if one is None else one if other is None else one + other


def _token_counts(usage: Usage) -> tuple[int | None, ...]:
    return structs.astuple(usage)
