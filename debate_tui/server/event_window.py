"""The published events of a debate: the newest in memory, older ones read from the log, and snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from debate_tui.domain.events import (
    DebaterInfo,
    DebateStarted,
    Interjection,
    MaterialInfo,
    PhaseStarted,
    Quote,
    Report,
    StreamStatus,
    Verdict,
    Vote,
)
from debate_tui.domain.judging.votes import VoteTally
from debate_tui.domain.material import without_hidden
from debate_tui.domain.stream import Citation, FinishReason, Usage
from debate_tui.domain.transcript import Transcript
from debate_tui.server.encoding import MAX_SPAN_EVENTS, EventCursor, epoch_from_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Turn
    from debate_tui.record.log import ReadableLog

RECENT_EVENTS: Final = 2 * MAX_SPAN_EVENTS
"""Published events kept in memory; most viewers that resume missed fewer."""

READ_LIMIT: Final = 1000
"""Maximum events read from the log at once for viewers that missed more."""

MAX_SNAPSHOT_CHARS: Final = 400_000
"""Maximum characters of text in a viewer's snapshot; clients limit the size of an event."""


class EventWindow:
    """Published events of a debate: 1 to `seq` of the history `epoch`, without hidden material.

    `transcript` and `poll` include them. `over` means that no more events will come. `epoch` is the log's own
    name of the history, or else derived from the first event.
    """

    def __init__(self, log: ReadableLog, *, live: bool = False) -> None:
        self.transcript = Transcript()
        self.poll = VoteTally()
        self.seq = 0
        self.epoch = ""
        self.over = False
        self._log = log
        self._live = live
        self._recent: list[Event] = []

    def publish(self, batch: Sequence[Event]) -> None:
        """Publish the next events of the log."""
        batch = _public_events(batch)
        for event in batch:
            self.transcript.apply(event)
            if isinstance(event, Vote):
                self.poll.add(event)
        if not self.epoch:
            self.epoch = self._log.epoch or epoch_from_event(batch[0])
        self.seq = batch[-1].seq
        self._recent.extend(batch)
        if len(self._recent) > 2 * RECENT_EVENTS:
            del self._recent[:-RECENT_EVENTS]

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
        return _public_events(await self._log.read(after, min(READ_LIMIT, upto - after)))

    async def read_all(self, after: int, upto: int) -> list[Event]:
        """Return all published events after `after` up to `upto`; for short ranges."""
        events: list[Event] = []
        while after < upto:
            events += await self.read(after, upto)
            after = events[-1].seq
        return events

    def snapshot(self, debater: str | None = None, limit: int = MAX_SNAPSHOT_CHARS) -> Snapshot:
        """Return the current state of the debate, or of one debater's part; see `build_snapshot`."""
        return build_snapshot(
            self.transcript,
            self.epoch,
            poll=self.poll,
            live=self._live and not self.over,
            debater=debater,
            limit=limit,
        )


def _public_events(events: Sequence[Event]) -> list[Event]:
    """Return events as viewers may see them."""
    return [without_hidden(event) if isinstance(event, DebateStarted) else event for event in events]


# Snapshots, sent to viewers that join late instead of the history.


SnapshotState = Literal["running", "paused", "complete", "stopped", "failed"]


class SnapshotTurn(Struct, frozen=True, omit_defaults=True):
    """A turn in a snapshot, with its text as received; `reason` is missing while the turn runs.

    `omitted` means that the text is left out to keep the snapshot small; `GET` on the debate returns it.
    """

    turn: int
    debater: str
    phase: str
    round: int
    model: str
    attempt: int
    started: float
    text: str
    reasoning: str = ""
    superseded: int = 0
    reason: FinishReason | None = None
    usage: Usage | None = None
    cost: float | None = None
    ttft_ms: int | None = None
    duration_ms: int | None = None
    citations: tuple[Citation, ...] = ()
    quotes: tuple[Quote, ...] = ()
    omitted: bool = False


class Snapshot(Struct, frozen=True, tag="snapshot", tag_field="type"):
    """The state of a debate after the event `seq`; `id` is the cursor to continue from.

    `live` says whether this server runs the debate and accepts votes. `active` has the ids of the debaters
    still in the debate, `statuses` the last status of each debater. `votes` counts the votes before and after
    the debate by debater id or side, or under an empty key for undecided. `material` lists the texts that
    everyone in the debate was given; ``GET /debates/ID/material/N`` returns the Nth, from 1. `letters` are
    those the debaters had, by id, before a blind debate revealed them; empty otherwise.
    """

    id: str
    seq: int
    debate: str
    topic: str
    format: str
    state: SnapshotState
    live: bool
    started: float
    updated: float
    debaters: tuple[DebaterInfo, ...]
    active: tuple[str, ...]
    phase: PhaseStarted | None
    statuses: dict[str, StreamStatus]
    turns: tuple[SnapshotTurn, ...]
    interjections: tuple[Interjection, ...]
    votes: dict[str, dict[str, int]]
    verdicts: tuple[Verdict, ...]
    report: Report | None
    material: tuple[MaterialInfo, ...]
    letters: dict[str, str] = {}


def build_snapshot(
    transcript: Transcript,
    epoch: str,
    *,
    poll: VoteTally,
    live: bool,
    debater: str | None = None,
    limit: int = MAX_SNAPSHOT_CHARS,
) -> Snapshot:
    """Build a snapshot of `transcript`; with `debater`, only with that debater's turns and status.

    For a single debater, it ends before the debater's newest turn, so that the stream has the whole turn.
    Above `limit` characters, the text of the oldest turns is left out.
    """
    turns = [turn for turn in transcript.turns.values() if debater in (None, turn.debater)]
    seq = turns.pop().started_seq - 1 if debater is not None and turns else transcript.seq
    snapshot_turns: list[SnapshotTurn] = []
    for turn in reversed(turns):
        limit -= turn.length + turn.reasoning_length
        snapshot_turns.append(_snapshot_turn(turn, omitted=limit < 0))
    return Snapshot(
        id=str(EventCursor(epoch, seq)),
        seq=seq,
        debate=transcript.debate_id,
        topic=transcript.topic,
        format=transcript.format,
        state=transcript.finish_reason or ("paused" if transcript.pause else "running"),
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
        report=transcript.report,
        material=transcript.material,
        letters={} if transcript.is_blind else transcript.letters,
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
        citations=turn.citations,
        quotes=() if omitted else turn.quotes,
        omitted=omitted,
    )
