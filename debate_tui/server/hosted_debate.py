"""A hosted debate: its published events, its current state, and its encoded streams."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.events import Vote
from debate_tui.domain.judging.scoring import VoteTally
from debate_tui.domain.transcript import Transcript
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
    from debate_tui.session.commands import CommandHandler


# Snapshots, sent to viewers that join late instead of the history.


MAX_SNAPSHOT_CHARS = 400_000
"""Maximum characters of text in a snapshot; clients limit the size of an event."""


def debate_state(transcript: Transcript) -> SnapshotState:
    """Return the state of a debate."""
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
    """Build a snapshot of `transcript`; with `debater`, only with that debater's turns and status.

    Above `limit` characters, the text of the oldest turns is left out.
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
"""Published events kept in memory; most viewers that resume missed fewer."""

READ_LIMIT: Final = 1000
"""Maximum events read from the log at once for viewers that missed more."""

MAX_STREAMS: Final = 16
"""Streams per debate above which viewers share one that differs only in its batch sizes."""

_FLUSH_RETRY_S: Final = 0.2


async def follow_durable(log: ReadableLog) -> AsyncIterator[Sequence[Event]]:
    """Yield all events of a log in batches, each as soon as it is durable.

    If an event were published and then lost in a crash, another event could later have the same number.
    Events are not delayed if the log is not durable, or if recording has stopped for good.
    """
    async for batch in log.follow():
        await log.flush()
        while log.durable_seq < batch[-1].seq and not log.recording_stopped:
            await asyncio.sleep(_FLUSH_RETRY_S)
            await log.flush()
        yield batch


class HostedDebate:
    """A debate and the events published to its viewers.

    `seq` is the newest published event; `transcript` and `poll` include it. `handle` takes commands; it is
    `None` unless the debate runs in this process. `over` means that no more events will come. `known_seq` is
    the newest event already in the log.
    """

    def __init__(
        self,
        debate: str,
        log: ReadableLog,
        *,
        handle: CommandHandler | None = None,
        known_seq: int = 0,
    ) -> None:
        self.debate = debate
        self.handle = handle
        self.transcript = Transcript()
        self.poll = VoteTally()
        self.seq = 0
        self.over = False
        self._log = log
        self._first_event_epoch = ""
        self._known_seq = known_seq
        self._recent: list[Event] = []
        self._streams: dict[StreamOptions, EncodedStream] = {}
        self._loaded = asyncio.Event()
        self._cached_snapshot: tuple[tuple[int, str | None], Snapshot] | None = None

    async def run(self) -> None:
        """Publish the log's events as they become durable, until the debate ends."""
        try:
            async for batch in follow_durable(self._log):
                self._publish(batch)
        finally:
            self.over = True
            self._loaded.set()
            for stream in tuple(self._streams.values()):
                stream.end()

    async def wait_until_loaded(self) -> bool:
        """Wait until all events up to `known_seq` are published; return whether there are any."""
        await self._loaded.wait()
        return self.seq > 0

    def get_stream(self, options: StreamOptions) -> EncodedStream:
        """Return the stream for these options, creating it if necessary; see `release_stream`.

        If `MAX_STREAMS` are in use, return one that differs only in its batch sizes, if there is one.
        """
        stream = self._streams.get(options)
        if stream is None and len(self._streams) >= MAX_STREAMS:
            alike = [each for each in self._streams.values() if each.options.kind == options.kind]
            stream = min(alike, key=lambda each: each.options.distance(options), default=None)
        if stream is None:
            stream = self._streams[options] = EncodedStream(self, options)
        return stream

    def release_stream(self, stream: EncodedStream) -> None:
        """Close a stream that has no viewers left."""
        if stream.viewer_count == 0 and self._streams.get(stream.options) is stream:
            del self._streams[stream.options]
            stream.close()

    @property
    def epoch(self) -> str:
        """Name of the debate's history: the log's own, or else derived from the first event."""
        return self._log.epoch or self._first_event_epoch

    @property
    def summary(self) -> DebateSummary:
        """The debate's summary, as in the record."""
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
        """Whether any turn is finished, so that opinions may have changed."""
        return any(turn.finished for turn in self.transcript.turns.values())

    @property
    def has_viewers(self) -> bool:
        """Whether the debate has viewers."""
        return bool(self._streams)

    def can_resume_from(self, cursor: EventCursor) -> bool:
        """Return whether a viewer can resume at `cursor` without a snapshot."""
        return cursor.epoch == self.epoch and (cursor.span[1] if cursor.span else cursor.seq) <= self.seq

    def is_complete_at(self, cursor: EventCursor) -> bool:
        """Return whether a viewer at `cursor` has received the whole, finished debate."""
        ended = self.over and self.transcript.finish_reason is not None
        return ended and self.can_resume_from(cursor) and cursor.seq == self.seq

    def recent_events(self, after: int, upto: int) -> Sequence[Event] | None:
        """Return the published events after `after` up to `upto`; `None` if not all are in memory."""
        start = after - (self.seq - len(self._recent))
        return self._recent[start : start + upto - after] if start >= 0 else None

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """Return up to `READ_LIMIT` published events after `after` up to `upto`.

        Raise `DebateError` if the log no longer has them.
        """
        if (found := self.recent_events(after, upto)) is not None:
            return found[:READ_LIMIT]
        return await self._log.read(after, min(READ_LIMIT, upto - after))

    async def read_all(self, after: int, upto: int) -> list[Event]:
        """Return all published events after `after` up to `upto`; for short ranges."""
        events: list[Event] = []
        while after < upto:
            events += await self.read(after, upto)
            after = events[-1].seq
        return events

    def snapshot(self, debater: str | None = None) -> Snapshot:
        """Return the current state of the debate; see `Snapshot`.

        For a single debater, it ends before the debater's newest turn, so that the stream has the whole turn.
        """
        key = (self.seq, debater)
        if self._cached_snapshot is None or self._cached_snapshot[0] != key:
            self._cached_snapshot = (key, self._build_snapshot(debater))
        return self._cached_snapshot[1]

    def full_snapshot(self) -> Snapshot:
        """Return the current state of the debate with the text of all turns."""
        return self._build_snapshot(None, sys.maxsize)

    def _build_snapshot(self, debater: str | None, limit: int = MAX_SNAPSHOT_CHARS) -> Snapshot:
        newest = self.transcript.latest_turn(debater) if debater is not None else None
        seq = newest.started_seq - 1 if newest else self.seq
        result = build_snapshot(
            self.transcript,
            str(EventCursor(self.epoch, seq)),
            poll=self.poll,
            live=self.handle is not None and not self.over,
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
