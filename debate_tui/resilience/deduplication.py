"""Splicing of a new connection to text already shown, without repeating any of it.

A server that was asked to continue after a cursor usually sends only new text, and no text is compared, as a
model may repeat itself on purpose. A server that sends more is recognised by its cursors: the first one was
seen before, or its number does not follow. Only then, and on a connection that begins at the turn's start,
texts are compared. Several positions where the new text may begin within the old one are tracked in parallel,
and the one whose text matches to the very end is right; if none does, the text is new.

A server that ignores cursors may also generate a new answer. Its first event then has the turn's first
cursor, as does that of a server that continues but restarts its numbering: see `_is_new_answer`.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, StreamOrigin
from debate_tui.resilience.delivered_text import SpliceResult, TextPosition, is_unintended_repeat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.stream import Cursor
    from debate_tui.resilience.delivered_text import DeliveredText


MAX_PENDING_CHUNKS = 16
"""Chunks held back until one has a cursor, as the last one of an event does."""

_WITHIN_SENTENCE = re.compile(r"[\w,;]\s*$")
_FIRST_LETTERS = re.compile(r"[\W_]*([^\W\d_]{2})")


class _Candidate:
    """A position where the new text may begin, tracked as long as it matches the old text."""

    __slots__ = ("answer", "begin", "joined", "reasoning")

    def __init__(self, begin: TextPosition) -> None:
        self.begin = begin
        self.answer, self.reasoning = begin
        self.joined: tuple[int, str] | None = None
        """Number of fully repeated chunks at the end of the old text, and what the next one adds."""


class ReplayDeduper:
    """Splicer for a connection that begins at the start of the turn, or after a cursor.

    `probing` is true if the text may be complete and the server was only asked whether it is.
    """

    def __init__(self, delivered: DeliveredText, origin: StreamOrigin, *, probing: bool = False) -> None:
        self.resolved = False
        self._probing = probing
        self._delivered = delivered
        self._answer, self._reasoning = delivered.answer, delivered.reasoning
        self._from_start = origin is StreamOrigin.START
        self._searching = not self._from_start
        """Whether the positions where the new text may begin are not known yet."""
        self._first_cursor: Cursor | None = None
        self._candidates: dict[TextPosition, _Candidate] = {}
        self._likeliest: TextPosition | None = None
        """Where the new text begins if its cursor covers as much text as it did before."""
        self.pending: list[Chunk] = []
        if self._from_start:
            self._add_candidate(TextPosition())
        elif delivered.cursor is not None:
            for event in delivered.spans_of(delivered.cursor):
                self._add_candidate(event.end)  # the server repeats text after the cursor

    @property
    def pending_start(self) -> TextPosition:
        return self._best_begin() if self._candidates else self._delivered.end

    def note_cursor(self, cursor: Cursor) -> None:
        if self.pending or self._from_start or not cursor.position:
            return
        self._first_cursor = self._first_cursor or cursor
        for event in self._delivered.spans_of(cursor):
            self._add_candidate(event.end)

    def feed(self, chunk: Chunk) -> SpliceResult | None:
        self.pending.append(chunk)
        if not self._searching:
            self._advance_candidates(len(self.pending) - 1)
        elif chunk.cursor is None and len(self.pending) < MAX_PENDING_CHUNKS:
            return None
        else:
            self._find_candidates()
        if all(track.joined for track in self._candidates.values()):
            return self._resolve()
        return None

    def finish(self) -> SpliceResult:
        """See `TextSplicer.finish`; a replay would have reached the end of the old text."""
        if not self.pending:
            self.resolved = True
            return SpliceResult()
        if self._searching:
            self._find_candidates()
        self._candidates = {begin: track for begin, track in self._candidates.items() if track.joined}
        return self._resolve()

    def _add_candidate(self, begin: TextPosition) -> None:
        if begin != self._delivered.end:
            self._candidates.setdefault(begin, _Candidate(begin))

    def _find_candidates(self) -> None:
        """Find where a connection that starts with the pending chunks may begin; track these positions."""
        self._searching = False
        cursor = self.pending[-1].cursor
        if cursor and cursor.position:
            self._first_cursor = self._first_cursor or cursor
            if self._delivered.is_out_of_order(cursor) and (
                self._probing or is_unintended_repeat(self._reasoning + self._answer)
            ):
                self._add_candidate(TextPosition())
        for event in self._delivered.spans_of(cursor) if cursor else ():
            self._likeliest = _start_before(event.end, self.pending)
            self._add_candidate(event.earliest)
            self._add_candidate(event.start)
            self._add_candidate(self._likeliest)
        for number in range(len(self.pending)):
            self._advance_candidates(number)

    def _advance_candidates(self, number: int) -> None:
        """Advance all candidates by the chunk with this number, from 0."""
        chunk = self.pending[number]
        self._candidates = {
            begin: track
            for begin, track in self._candidates.items()
            if track.joined or self._advance(track, number, chunk)
        }

    def _advance(self, track: _Candidate, number: int, chunk: Chunk) -> bool:
        """Advance a candidate by one chunk; return whether it still matches."""
        text = chunk.text
        old, at = (self._reasoning, track.reasoning) if chunk.reasoning else (self._answer, track.answer)
        known = old[at : at + len(text)]
        if not text.startswith(known):
            return False
        if chunk.reasoning:
            track.reasoning += len(known)
        else:
            track.answer += len(known)
        at_end = (track.answer, track.reasoning) == self._delivered.end
        if at_end:
            rest = text[len(known) :]
            track.joined = (number if rest else number + 1, rest)
        # New text of one kind before old text of the other is complete: not a replay.
        return at_end or len(known) == len(text)

    def _resolve(self) -> SpliceResult:
        self.resolved = True
        if not self._candidates:
            return SpliceResult(tuple(self.pending), superseded=self._from_start or self._is_new_answer())
        track = self._candidates[self._best_begin()]
        assert track.joined is not None
        old, rest = track.joined
        new = self.pending[old:]
        if rest:
            new[0] = Chunk(rest, new[0].reasoning, new[0].cursor)
        return SpliceResult(
            tuple(new),
            repeated=sum(self._delivered.end) - sum(track.begin),
            seen_cursors=tuple(_cursor_positions(track.begin, self.pending[:old])),
        )

    def _best_begin(self) -> TextPosition:
        likeliest = self._likeliest
        return likeliest if likeliest in self._candidates else min(self._candidates)

    def _is_new_answer(self) -> bool:
        """Return whether text that matches no position replaces the old one, even after a cursor.

        It has the turn's first cursor. If the server continued, it may just have restarted its numbering;
        then its text fits the end of the old one. It does not fit if it begins like the old one, or starts a
        new sentence within an unfinished one.
        """
        first, chunk = self._first_cursor, self.pending[0]
        if first is None or not self._delivered.is_first_cursor(first):
            return False
        old = self._reasoning if chunk.reasoning else self._answer
        new = "".join(each.text for each in self.pending if each.reasoning == chunk.reasoning)
        return (
            self._probing
            or old.startswith(chunk.text)
            or (_WITHIN_SENTENCE.search(old) is not None and _starts_capitalised(new))
        )


def _starts_capitalised(text: str) -> bool:
    begin = _FIRST_LETTERS.match(text)
    return begin is not None and begin[1][0].isupper() and begin[1][1].islower()


def _start_before(end: TextPosition, chunks: list[Chunk]) -> TextPosition:
    """Return where chunks began that ended at `end`."""
    reasoning = sum(len(chunk.text) for chunk in chunks if chunk.reasoning)
    answer = sum(len(chunk.text) for chunk in chunks if not chunk.reasoning)
    return TextPosition(max(0, end.answer - answer), max(0, end.reasoning - reasoning))


def _cursor_positions(at: TextPosition, chunks: list[Chunk]) -> Iterator[tuple[Cursor, TextPosition]]:
    """Yield the cursors of repeated chunks and their positions in the text."""
    for chunk in chunks:
        size = len(chunk.text)
        at = (
            at._replace(reasoning=at.reasoning + size)
            if chunk.reasoning
            else at._replace(answer=at.answer + size)
        )
        if chunk.cursor is not None:
            yield chunk.cursor, at


# Continuations: splicing the text of a model that was asked to continue its interrupted answer.
#
# Models often begin by repeating a little: the word that was cut, the last sentence, sometimes all of it,
# with different white space or quotation marks. Such an overlap is trimmed if it reaches the very end of the
# old text and is unlikely to be intended. A short repetition ("very, very", "haha") may be, and stays.


CONTINUATION_SEARCH_LENGTH = 4096
"""Characters searched backwards for an overlap; beyond that, only the very start is checked."""

MIN_NEW_ANSWER_OVERLAP = 40
"""Characters of the old answer a restarted one must match, or half of it if it is shorter."""

_ENDS_IN_WORD = re.compile(r"[^\W_]$")
_SPACE = re.compile(r"\s+")
_LEAD_IN = re.compile(r"\s*(?:…|\.\.\.)?\s*")
_PARTIAL_LEAD_INS = ("", ".", "..")
_CUT_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}$")
_TYPOGRAPHY = str.maketrans("‘’“”–—", "''\"\"--")


class ContinuationTrimmer:
    """Splicer for a connection that continues an answer; its reasoning is new and passes at once."""

    def __init__(self, delivered: DeliveredText) -> None:
        self.resolved = False
        self.pending_start = delivered.end
        answer = delivered.answer
        self._old = _normalise(answer).rstrip()
        self._old_trailing_space = answer[len(answer.rstrip()) :]
        self.pending: list[Chunk] = []
        self._started = False
        self._compared_length = 0
        """Number of characters of the normalised new text already compared."""
        self._after_space = False
        self._candidates: list[int] = []
        """Positions in the old text from which it matches the new text so far."""

    def note_cursor(self, cursor: Cursor) -> None:
        """See `TextSplicer.note_cursor`; a continuation has no cursors."""

    def feed(self, chunk: Chunk) -> SpliceResult | None:
        if chunk.reasoning:
            if not self.pending:
                return SpliceResult((chunk,))
            self.pending.append(chunk)
            return None
        self.pending.append(chunk)
        self._compare(chunk.text)
        return None if self._is_undecided() else self._resolve()

    def finish(self) -> SpliceResult:
        self._candidates = [at for at in self._candidates if at + self._compared_length >= len(self._old)]
        return self._resolve()

    def _compare(self, text: str) -> None:
        if not self._started:
            new = "".join(chunk.text for chunk in self.pending)
            text = new[_lead_in_length(new) :]
            if text in _PARTIAL_LEAD_INS:
                return
            self._started = True
            self._candidates = self._find_candidates(new, text)
        text = _normalise(text)
        if self._after_space:
            text = text.removeprefix(" ")
        if not text:
            return
        self._after_space = text[-1] == " "
        old, length = self._old, self._compared_length
        self._candidates = [
            at
            for at in self._candidates
            if old.startswith(text, at + length)
            or text.startswith(old[at + length : at + length + len(text)])
        ]
        self._compared_length += len(text)

    def _find_candidates(self, new: str, text: str) -> list[int]:
        old, first = self._old, text[0].translate(_TYPOGRAPHY)
        reach = max(0, len(old) - CONTINUATION_SEARCH_LENGTH)
        begins = [at for at in range(reach, len(old)) if old[at] == first and _is_word_start(old, at)]
        if reach and old[0].translate(_TYPOGRAPHY) == first:
            begins.insert(0, 0)
        # A table's rule, of one or two characters, may well be continued by another.
        varied = len(set(old)) > 2
        begins = [at for at in begins if is_unintended_repeat(old[at:]) or (at == 0 and varied)]
        cut = _CUT_WORD.search(old)
        if cut and len(set(cut[0])) > 2 and not self._old_trailing_space and not new[0].isspace():
            begins.append(cut.start())
        return begins

    def _is_undecided(self) -> bool:
        if not self._started:
            return True
        missing = [len(self._old) - at - self._compared_length for at in self._candidates]
        if any(characters > 0 for characters in missing):
            return True
        # White space after the overlap may belong to the old text; what follows decides.
        return bool(missing and self._old_trailing_space) and missing[0] + self._after_space >= 0

    def _resolve(self) -> SpliceResult:
        self.resolved = True
        if not self._candidates:
            return SpliceResult(tuple(self.pending), superseded=self._is_new_answer())
        new = "".join(chunk.text for chunk in self.pending if not chunk.reasoning)
        rest = self._strip_repeated_space(new[_raw_length(new, len(self._old) - self._candidates[0]) :])
        chunks = [chunk for chunk in self.pending if chunk.reasoning]
        if rest:
            chunks.append(Chunk(rest, cursor=self.pending[-1].cursor))
        return SpliceResult(tuple(chunks), repeated=len(new) - len(rest))

    def _is_new_answer(self) -> bool:
        """Return whether the model has started over, even if its words differ later.

        Old text that stops after a word is not continued by its own beginning; text that ends a sentence or a
        line may be, on purpose.
        """
        new = "".join(chunk.text for chunk in self.pending if not chunk.reasoning)
        new = _normalise(new[_lead_in_length(new) :])
        agrees = (a == b for a, b in zip(self._old, new, strict=False))
        common = sum(1 for _ in itertools.takewhile(bool, agrees))
        if common < min(MIN_NEW_ANSWER_OVERLAP, len(self._old) // 2) or self._old_trailing_space.strip(" "):
            return False
        return _ENDS_IN_WORD.search(self._old) is not None and is_unintended_repeat(new[:common])

    def _strip_repeated_space(self, rest: str) -> str:
        """Return `rest` without the white space that already ends the old text."""
        space = self._old_trailing_space
        own = rest[: len(rest) - len(rest.lstrip())]
        if own.startswith(space):
            return rest[len(space) :]
        spare = space and ("\n" not in own or space.startswith(own))
        return rest[len(own) :] if spare else rest


def _normalise(text: str) -> str:
    return _SPACE.sub(" ", text.translate(_TYPOGRAPHY))


def _lead_in_length(new: str) -> int:
    """Return the length of what models put before a continuation."""
    lead = _LEAD_IN.match(new)
    return lead.end() if lead else 0


def _is_word_start(text: str, at: int) -> bool:
    """Return whether a word begins at `at`, or a character of a script without word spaces."""
    if text[at].isspace():
        return False
    return at == 0 or not text[at - 1].isalnum() or not text[at - 1].isascii()


def _raw_length(new: str, overlap: int) -> int:
    """Return how many characters of `new` make up an overlap of `overlap` normalised ones."""
    at = _lead_in_length(new)
    for _ in range(overlap):
        space = _SPACE.match(new, at)
        at = space.end() if space else at + 1
    return at
