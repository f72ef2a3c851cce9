"""Joins a connection that may send again what is shown already, character by character.

A server that was asked to go on behind a cursor should send only what is new. Some send a few events too
many, some everything, some number their events anew. So several places where the new text may begin within
the old one are followed at once, and the one whose text agrees to the very end is right; if none is, the text
is new. Cursors say which places are likely. Text alone must say it loudly: see `telling`.

A server that is deaf to cursors may also make up a new answer. Its first event then has the turn's first
cursor, as has that of a server that does go on but counts its events anew: see `_begins_anew`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Origin
from debate_tui.resilience.seam import TELLING_WIDTH, Joint, telling
from debate_tui.resilience.shown import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.stream import Cursor
    from debate_tui.resilience.shown import Shown

SEARCHED = 4096
"""How much of the end of an answer is searched for a place that no cursor tells, in characters."""

PATIENCE = 16
"""How many chunks are held back until one has a cursor, as the last one of an event has."""

_WITHIN_SENTENCE = re.compile(r"[\w,;]\s*$")
_BEGIN = re.compile(r"[\W_]*([^\W\d_]{2})")


class _Track:
    """One place where the new text may begin, followed as far as it agrees with the old one."""

    __slots__ = ("answer", "begin", "joined", "reasoning")

    def __init__(self, begin: Place) -> None:
        self.begin = begin
        self.answer, self.reasoning = begin
        self.joined: tuple[int, str] | None = None
        """How many chunks were wholly old when the old text's end was reached, and what the next one adds."""


class Replay:
    """The seam of a connection that begins at the start of the turn, or behind a cursor.

    `asked` says that the text may well be complete, and the server was only asked whether it is.
    """

    def __init__(self, shown: Shown, origin: Origin, *, asked: bool = False) -> None:
        self.settled = False
        self._asked = asked
        self._shown = shown
        self._answer, self._reasoning = shown.answer, shown.reasoning
        self._from_start = origin is Origin.START
        self._looking = not self._from_start
        """Whether it is yet to be found out where the new text may begin."""
        self._first_cursor: Cursor | None = None
        self._tracks: dict[Place, _Track] = {}
        self._held: list[Chunk] = []
        if self._from_start or asked:
            self._follow_from(Place())
        if not self._from_start and shown.cursor is not None:
            for event in shown.events(shown.cursor):
                self._follow_from(event.end)

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def meet(self, cursor: Cursor) -> None:
        """See `Seam.meet`."""
        if self._held or self._from_start or not cursor.position:
            return
        self._first_cursor = self._first_cursor or cursor
        for event in self._shown.events(cursor):
            self._follow_from(event.end)

    def feed(self, chunk: Chunk) -> Joint | None:
        """See `Seam.feed`."""
        self._held.append(chunk)
        if not self._looking:
            self._follow(len(self._held) - 1)
        elif chunk.cursor is None and len(self._held) < PATIENCE:
            return None
        else:
            self._look()
        if all(track.joined for track in self._tracks.values()):
            return self._join()
        return None

    def finish(self) -> Joint:
        """See `Seam.finish`: a replay would have gone on to the end of the old text."""
        if not self._held:
            self.settled = True
            return Joint()
        if self._looking:
            self._look()
        self._tracks = {begin: track for begin, track in self._tracks.items() if track.joined}
        return self._join()

    def _follow_from(self, begin: Place) -> None:
        if begin != self._shown.end:
            self._tracks.setdefault(begin, _Track(begin))

    def _look(self) -> None:
        """Find where a connection may begin that began with the chunks held back, and follow them."""
        self._looking = False
        cursor = self._held[-1].cursor
        if cursor and cursor.position:
            self._first_cursor = self._first_cursor or cursor
        events = self._shown.events(cursor) if cursor else ()
        for event in events:
            self._follow_from(event.earliest)
            self._follow_from(event.start)
            self._follow_from(_before(event.end, self._held))
        if not events:
            for begin in self._repetitions(self._held[0]):
                self._follow_from(begin)
        for number in range(len(self._held)):
            self._follow(number)

    def _follow(self, number: int) -> None:
        """Follow all tracks through the chunk with this number, from 0."""
        chunk = self._held[number]
        self._tracks = {
            begin: track
            for begin, track in self._tracks.items()
            if track.joined or self._agrees(track, number, chunk)
        }

    def _repetitions(self, chunk: Chunk) -> Iterator[Place]:
        """Places that only the text speaks for, and loudly enough."""
        answer, end = self._answer, self._shown.end
        if telling(self._reasoning + answer):
            yield Place()
        if chunk.reasoning:
            return
        first = chunk.text[:TELLING_WIDTH]
        at = answer.find(first, max(0, len(answer) - SEARCHED))
        while at >= 0 and telling(answer[at:]):
            yield Place(at, end.reasoning)
            at = answer.find(first, at + 1)

    def _agrees(self, track: _Track, number: int, chunk: Chunk) -> bool:
        """Follow a track through one more chunk."""
        text = chunk.text
        old, at = (self._reasoning, track.reasoning) if chunk.reasoning else (self._answer, track.answer)
        known = old[at : at + len(text)]
        if not text.startswith(known):
            return False
        if chunk.reasoning:
            track.reasoning += len(known)
        else:
            track.answer += len(known)
        at_end = (track.answer, track.reasoning) == self._shown.end
        if at_end:
            rest = text[len(known) :]
            track.joined = (number if rest else number + 1, rest)
        # New text of one kind while old text of the other is still due: this is no replay.
        return at_end or len(known) == len(text)

    def _join(self) -> Joint:
        self.settled = True
        if not self._tracks:
            return Joint(tuple(self._held), superseded=self._from_start or self._begins_anew())
        track = self._tracks[min(self._tracks)]
        assert track.joined is not None
        old, rest = track.joined
        new = self._held[old:]
        if rest:
            new[0] = Chunk(rest, new[0].reasoning, new[0].cursor)
        return Joint(
            tuple(new),
            repeated=sum(self._shown.end) - sum(track.begin),
            passed=tuple(_places(track.begin, self._held[:old])),
        )

    def _begins_anew(self) -> bool:
        """Whether a text that agrees with none of the places replaces the old one, though behind a cursor.

        It carries the turn's first cursor. If the server was to go on, it may just count anew; then its text
        fits where the old one broke off. It does not if it begins like the old one, or within a sentence
        begins another.
        """
        first, chunk = self._first_cursor, self._held[0]
        if first is None or not self._shown.begins_with(first):
            return False
        old = self._reasoning if chunk.reasoning else self._answer
        new = "".join(each.text for each in self._held if each.reasoning == chunk.reasoning)
        return (
            self._asked
            or old.startswith(chunk.text)
            or (_WITHIN_SENTENCE.search(old) is not None and _capitalised(new))
        )


def _capitalised(text: str) -> bool:
    begin = _BEGIN.match(text)
    return begin is not None and begin[1][0].isupper() and begin[1][1].islower()


def _before(end: Place, chunks: list[Chunk]) -> Place:
    """Where chunks began that ended at `end`."""
    reasoning = sum(len(chunk.text) for chunk in chunks if chunk.reasoning)
    answer = sum(len(chunk.text) for chunk in chunks if not chunk.reasoning)
    return Place(max(0, end.answer - answer), max(0, end.reasoning - reasoning))


def _places(at: Place, chunks: list[Chunk]) -> Iterator[tuple[Cursor, Place]]:
    """The cursors of chunks that were shown already, and where in the text they stand."""
    for chunk in chunks:
        size = len(chunk.text)
        at = (
            at._replace(reasoning=at.reasoning + size)
            if chunk.reasoning
            else at._replace(answer=at.answer + size)
        )
        if chunk.cursor is not None:
            yield chunk.cursor, at
