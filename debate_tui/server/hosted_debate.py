"""One hosted debate: its published events, their fold, and the ways it is being watched."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from debate_tui.domain.events import Vote
from debate_tui.domain.judging.scoring import VoteTally
from debate_tui.domain.transcript import Transcript
from debate_tui.record.log import DurableLog, WatchedLog
from debate_tui.record.summary import DebateSummary
from debate_tui.server.broadcast import EncodedStream
from debate_tui.server.encoding import (
    MAX_SPAN_EVENTS,
    EventCursor,
    Snapshot,
    SnapshotState,
    SnapshotTurn,
    epoch_from_event,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Turn
    from debate_tui.record.log import ReadableLog
    from debate_tui.server.encoding import StreamOptions


# A debate folded up to some place: what latecomers are given instead of its history.


MAX_SNAPSHOT_CHARS = 400_000
"""Characters of text a snapshot holds at most; readers bound the size of an event."""


def debate_state(transcript: Transcript) -> SnapshotState:
    """The state of a debate in a word."""
    return transcript.finish_reason or ("paused" if transcript.pause else "running")


def build_snapshot(
    transcript: Transcript,
    cursor: str,
    *,
    poll: VoteTally,
    live: bool,
    debater: str | None = None,
    limit: int = MAX_SNAPSHOT_CHARS,
) -> Snapshot:
    """The fold as an object; with `debater`, only that one's turns and status.

    Text beyond `limit` characters is left out, of the oldest turns first.
    """
    turns = [turn for turn in transcript.turns.values() if debater in (None, turn.debater)]
    snapshot_turns: list[SnapshotTurn] = []
    for turn in reversed(turns):
        limit -= turn.length + turn.reasoning_length
        snapshot_turns.append(_snapshot_turn(turn, omitted=limit < 0))
    return Snapshot(
        id=cursor,
        seq=transcript.seq,
        debate=transcript.debate_id,
        topic=transcript.topic,
        format=transcript.format,
        state=debate_state(transcript),
        live=live,
        started=transcript.started_at,
        updated=transcript.updated_at,
        debaters=tuple(transcript.debaters.values()),
        active=transcript.active_debaters,
        phase=transcript.phase,
        statuses={id_: status for id_, status in transcript.statuses.items() if debater in (None, id_)},
        turns=tuple(reversed(snapshot_turns)),
        interjections=tuple(
            each for each in transcript.interjections if debater is None or each.to in (None, debater)
        ),
        votes={"before": _count_votes(poll.before), "after": _count_votes(poll.after)},
        verdicts=tuple(transcript.verdicts),
    )


def _count_votes(votes: Mapping[str | None, int]) -> dict[str, int]:
    return {debater or "": count for debater, count in votes.items()}


def _snapshot_turn(turn: Turn, *, omitted: bool) -> SnapshotTurn:
    return SnapshotTurn(
        turn=turn.number,
        debater=turn.debater,
        phase=turn.phase,
        round=turn.round,
        model=turn.model,
        attempt=turn.attempt,
        started=turn.started_at,
        text="" if omitted else turn.text,
        reasoning="" if omitted else turn.reasoning,
        superseded=turn.superseded_count,
        reason=turn.reason,
        usage=turn.usage,
        cost=turn.cost,
        ttft_ms=turn.ttft_ms,
        duration_ms=turn.duration_ms,
        omitted=omitted,
    )


RECENT_EVENTS: Final = 2 * MAX_SPAN_EVENTS
"""Published events kept in memory: most who come back missed less."""

READ_LIMIT: Final = 1000
"""Events read from the log at once for somebody who missed more."""

MAX_STREAMS: Final = 16
"""Different options that are encoded at a time; beyond, those who differ in their batches only share."""

_FLUSH_RETRY_S: Final = 0.2


class Controls(Protocol):
    """What a host may ask of a debate under way; a `Session`."""

    def pause(self, debater: str | None = None) -> None: ...
    def resume(self, debater: str | None = None) -> None: ...
    def stop(self, debater: str) -> None: ...
    def retry(self, debater: str) -> None: ...
    def interject(self, text: str, to: str | None = None) -> None: ...
    def vote(self, when: Literal["before", "after"], debater: str | None, voter: str = "user") -> None: ...
    def end(self) -> None: ...


async def follow_durable(log: ReadableLog) -> AsyncIterator[Sequence[Event]]:
    """All events of a log in batches, each once it survives the process.

    An event that was shown and then lost could come back as another of the same number. Where a record has
    ended for good, events come as they are; where there never was one, too.
    """
    durable_log = log if isinstance(log, DurableLog) else None
    async for batch in log.follow():
        if durable_log is not None:
            await durable_log.flush()
            while durable_log.durable_seq < batch[-1].seq and not durable_log.recording_stopped:
                await asyncio.sleep(_FLUSH_RETRY_S)
                await durable_log.flush()
        yield batch


class HostedDebate:
    """A debate as viewers may see it.

    `seq` is the newest event that was published, which `transcript` and `poll` have taken into account.
    `controls` is `None` unless the debate is held in this process; `over` says that nothing more comes.
    Events up to `known_seq` are in the log already.
    """

    def __init__(
        self,
        debate: str,
        log: ReadableLog,
        *,
        controls: Controls | None = None,
        known_seq: int = 0,
    ) -> None:
        self.debate = debate
        self.controls = controls
        self.transcript = Transcript()
        self.poll = VoteTally()
        self.seq = 0
        self.over = False
        self._log = log
        self._watched_log = log if isinstance(log, WatchedLog) else None
        self._first_event_epoch = ""
        self._known_seq = known_seq
        self._recent: list[Event] = []
        self._streams: dict[StreamOptions, EncodedStream] = {}
        self._loaded = asyncio.Event()
        self._cached_snapshot: tuple[tuple[int, str | None], Snapshot] | None = None

    async def run(self) -> None:
        """Publish the log's events as they become durable, to the end of the debate."""
        try:
            async for batch in follow_durable(self._log):
                self._publish(batch)
        finally:
            self.over = True
            self._loaded.set()
            for stream in tuple(self._streams.values()):
                stream.end()

    async def wait_until_loaded(self) -> bool:
        """Wait until all that was known of at first is published; says whether there is anything."""
        await self._loaded.wait()
        return self.seq > 0

    def get_stream(self, options: StreamOptions) -> EncodedStream:
        """What viewers with these options share; made for the first, dropped by `release_stream`.

        Where many different options are in use, the stream may be one with the nearest batches instead.
        """
        stream = self._streams.get(options)
        if stream is None and len(self._streams) >= MAX_STREAMS:
            alike = [each for each in self._streams.values() if each.options.kind == options.kind]
            stream = min(alike, key=lambda each: each.options.distance(options), default=None)
        if stream is None:
            stream = self._streams[options] = EncodedStream(self, options)
        return stream

    def release_stream(self, stream: EncodedStream) -> None:
        """Drop a rendition that nobody watches."""
        if stream.viewer_count == 0 and self._streams.get(stream.options) is stream:
            del self._streams[stream.options]
            stream.close()

    @property
    def epoch(self) -> str:
        """The name of the debate's history: the log's own, else after its first event."""
        return (self._watched_log.epoch if self._watched_log else "") or self._first_event_epoch

    @property
    def summary(self) -> DebateSummary:
        """The debate in a few words, as the record has it."""
        transcript = self.transcript
        return DebateSummary(
            self.debate,
            transcript.topic,
            transcript.format,
            tuple(transcript.debaters.values()),
            transcript.started_at,
            transcript.updated_at,
            transcript.finish_reason,
            self.seq,
        )

    @property
    def has_finished_turn(self) -> bool:
        """Whether anything was said to the end, so that opinions may have been moved."""
        return any(turn.finished for turn in self.transcript.turns.values())

    @property
    def has_viewers(self) -> bool:
        """Whether anybody watches."""
        return bool(self._streams)

    def can_resume_from(self, cursor: EventCursor) -> bool:
        """Whether a viewer at this place can be told exactly what it missed."""
        return cursor.epoch == self.epoch and (cursor.span[1] if cursor.span else cursor.seq) <= self.seq

    def is_complete_at(self, cursor: EventCursor) -> bool:
        """Whether somebody at this place has all there ever will be."""
        ended = self.over and self.transcript.finish_reason is not None
        return ended and self.can_resume_from(cursor) and cursor.seq == self.seq

    def recent_events(self, after: int, upto: int) -> Sequence[Event] | None:
        """The published events behind `after` up to `upto`, or `None` if they are no longer in memory."""
        start = after - (self.seq - len(self._recent))
        return self._recent[start : start + upto - after] if start >= 0 else None

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """At most a page of the published events behind `after` up to `upto`.

        Raises `DebateError` for what the log does not have any more.
        """
        if (found := self.recent_events(after, upto)) is not None:
            return found[:READ_LIMIT]
        return await self._log.read(after, min(READ_LIMIT, upto - after))

    async def read_all(self, after: int, upto: int) -> list[Event]:
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
        if self._cached_snapshot is None or self._cached_snapshot[0] != key:
            self._cached_snapshot = (key, self._build_snapshot(debater))
        return self._cached_snapshot[1]

    def full_snapshot(self) -> Snapshot:
        """The debate as it stands, with every word."""
        return self._build_snapshot(None, sys.maxsize)

    def _build_snapshot(self, debater: str | None, limit: int = MAX_SNAPSHOT_CHARS) -> Snapshot:
        newest = self.transcript.latest_turn(debater) if debater is not None else None
        seq = newest.started_seq - 1 if newest else self.seq
        result = build_snapshot(
            self.transcript,
            str(EventCursor(self.epoch, seq)),
            poll=self.poll,
            live=self.controls is not None and not self.over,
            debater=debater,
            limit=limit,
        )
        if newest is None:
            return result
        return msgspec.structs.replace(result, seq=seq, turns=result.turns[:-1])

    def _publish(self, batch: Sequence[Event]) -> None:
        for event in batch:
            self.transcript.apply(event)
            if isinstance(event, Vote):
                self.poll.add(event)
        self._first_event_epoch = self._first_event_epoch or epoch_from_event(batch[0])
        self.seq = batch[-1].seq
        self._recent.extend(batch)
        if len(self._recent) > 2 * RECENT_EVENTS:
            del self._recent[:-RECENT_EVENTS]
        if self.seq >= self._known_seq:
            self._loaded.set()
        for stream in tuple(self._streams.values()):
            stream.schedule_flush()
