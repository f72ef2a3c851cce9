"""One hosted debate: its published events, their fold, and the ways it is being watched."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from debate_tui.domain.events import Vote
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.votes import Poll
from debate_tui.record.log import RecordedLog, WatchedLog
from debate_tui.record.summary import Summary
from debate_tui.server.place import LONGEST_RUN, Place, epoch_of
from debate_tui.server.rendition import Rendition
from debate_tui.server.snapshot import MAX_TEXT, Snapshot, snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import Literal

    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.server.wire import Manner

RECENT: Final = 2 * LONGEST_RUN
"""Published events kept in memory: most who come back missed less."""

PAGE: Final = 1000
"""Events read from the log at once for somebody who missed more."""

_DISK_S: Final = 0.2


class Controls(Protocol):
    """What a host may ask of a debate under way; a `Session`."""

    def pause(self, debater: str | None = None) -> None: ...
    def resume(self, debater: str | None = None) -> None: ...
    def stop(self, debater: str) -> None: ...
    def retry(self, debater: str) -> None: ...
    def interject(self, text: str, to: str | None = None) -> None: ...
    def vote(self, when: Literal["before", "after"], debater: str | None, voter: str = "user") -> None: ...
    def end(self) -> None: ...


async def persisted(log: ReadableLog) -> AsyncIterator[Sequence[Event]]:
    """All events of a log in batches, each once it survives the process.

    An event that was shown and then lost could come back as another of the same number. Where a record has
    ended for good, events come as they are; where there never was one, too.
    """
    recorded = log if isinstance(log, RecordedLog) else None
    async for batch in log.follow():
        if recorded is not None:
            await recorded.flush()
            while recorded.durable < batch[-1].seq and not recorded.lost:
                await asyncio.sleep(_DISK_S)
                await recorded.flush()
        yield batch


class Channel:
    """A debate as viewers may see it.

    `seq` is the newest event that was published, which `transcript` and `poll` have taken into account.
    `controls` is `None` unless the debate is held in this process; `over` says that nothing more comes.
    Events up to `known` are in the log already.
    """

    def __init__(
        self,
        debate: str,
        log: ReadableLog,
        *,
        controls: Controls | None = None,
        known: int = 0,
    ) -> None:
        self.debate = debate
        self.controls = controls
        self.transcript = Transcript()
        self.poll = Poll()
        self.seq = 0
        self.over = False
        self._log = log
        self._watched = log if isinstance(log, WatchedLog) else None
        self._first = ""
        self._known = known
        self._recent: list[Event] = []
        self._renditions: dict[Manner, Rendition] = {}
        self._begun = asyncio.Event()
        self._snapshot: tuple[tuple[int, str | None], Snapshot] | None = None

    async def run(self) -> None:
        """Publish the log's events as they become durable, to the end of the debate."""
        try:
            async for batch in persisted(self._log):
                self._publish(batch)
        finally:
            self.over = True
            self._begun.set()
            for rendition in tuple(self._renditions.values()):
                rendition.end()

    async def begun(self) -> bool:
        """Wait until all that was known of at first is published; says whether there is anything."""
        await self._begun.wait()
        return self.seq > 0

    def rendition(self, manner: Manner) -> Rendition:
        """What viewers of this manner share; made for the first, dropped with the last (`release`)."""
        rendition = self._renditions.get(manner)
        if rendition is None:
            rendition = self._renditions[manner] = Rendition(self, manner)
        return rendition

    def release(self, rendition: Rendition) -> None:
        """Drop a rendition that nobody watches."""
        if rendition.viewers == 0 and self._renditions.get(rendition.manner) is rendition:
            del self._renditions[rendition.manner]
            rendition.close()

    @property
    def epoch(self) -> str:
        """The name of the debate's history: the log's own, else after its first event."""
        return (self._watched.epoch if self._watched else "") or self._first

    @property
    def summary(self) -> Summary:
        """The debate in a few words, as the record has it."""
        transcript = self.transcript
        return Summary(
            self.debate,
            transcript.topic,
            transcript.format,
            tuple(transcript.debaters.values()),
            transcript.started_at,
            transcript.updated_at,
            transcript.finished,
            self.seq,
        )

    @property
    def heard(self) -> bool:
        """Whether anything was said to the end, so that opinions may have been moved."""
        return any(turn.finished for turn in self.transcript.turns.values())

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._renditions)

    def knows(self, place: Place) -> bool:
        """Whether a viewer at this place can be told exactly what it missed."""
        return place.epoch == self.epoch and (place.run[1] if place.run else place.seq) <= self.seq

    def finished_by(self, place: Place) -> bool:
        """Whether somebody at this place has all there ever will be."""
        ended = self.over and self.transcript.finished is not None
        return ended and self.knows(place) and place.seq == self.seq

    def recent(self, after: int, upto: int) -> Sequence[Event] | None:
        """The published events behind `after` up to `upto`, or `None` if they are no longer in memory."""
        start = after - (self.seq - len(self._recent))
        return self._recent[start : start + upto - after] if start >= 0 else None

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """At most a page of the published events behind `after` up to `upto`.

        Raises `DebateError` for what the log does not have any more.
        """
        if (found := self.recent(after, upto)) is not None:
            return found[:PAGE]
        return await self._log.read(after, min(PAGE, upto - after))

    async def between(self, after: int, upto: int) -> list[Event]:
        """All published events behind `after` up to `upto`; for short stretches."""
        events: list[Event] = []
        while after < upto:
            events += await self.read(after, upto)
            after = events[-1].seq
        return events

    def snapshot(self, debater: str | None = None) -> Snapshot:
        """The debate as it stands; see `Snapshot`.

        That of a single debater reaches to the beginning of its newest turn, so that what follows is the
        whole turn.
        """
        key = (self.seq, debater)
        if self._snapshot is None or self._snapshot[0] != key:
            self._snapshot = (key, self._folded(debater))
        return self._snapshot[1]

    def whole(self) -> Snapshot:
        """The debate as it stands, with every word."""
        return self._folded(None, sys.maxsize)

    def _folded(self, debater: str | None, limit: int = MAX_TEXT) -> Snapshot:
        newest = self.transcript.turn_of(debater) if debater is not None else None
        seq = newest.started_seq - 1 if newest else self.seq
        folded = snapshot(
            self.transcript,
            str(Place(self.epoch, seq)),
            poll=self.poll,
            live=self.controls is not None and not self.over,
            debater=debater,
            limit=limit,
        )
        if newest is None:
            return folded
        return msgspec.structs.replace(folded, seq=seq, turns=folded.turns[:-1])

    def _publish(self, batch: Sequence[Event]) -> None:
        for event in batch:
            self.transcript.apply(event)
            if isinstance(event, Vote):
                self.poll.add(event)
        self._first = self._first or epoch_of(batch[0])
        self.seq = batch[-1].seq
        self._recent.extend(batch)
        if len(self._recent) > 2 * RECENT:
            del self._recent[:-RECENT]
        if self.seq >= self._known:
            self._begun.set()
        for rendition in tuple(self._renditions.values()):
            rendition.due()
