"""A debate folded up to some place: what latecomers are given instead of its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from debate_tui.domain.events import DebaterInfo, Interjection, PhaseStarted, StreamStatus, Verdict
from debate_tui.domain.stream import FinishReason, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.domain.judging.scoring import VoteTally
    from debate_tui.domain.transcript import Transcript, Turn

MAX_SNAPSHOT_CHARS = 400_000
"""Characters of text a snapshot holds at most; readers bound the size of an event."""

SnapshotState = Literal["running", "paused", "complete", "stopped", "failed"]


class SnapshotTurn(Struct, frozen=True, omit_defaults=True):
    """A turn: what was said of it, as received; `reason` is missing while it is under way.

    `omitted` says that its text is left out to keep the snapshot small; the debate's own address has it.
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
    omitted: bool = False


class Snapshot(Struct, frozen=True, tag="snapshot", tag_field="type"):
    """All of a debate up to the event `seq`; `id` is the place to go on from.

    `live` says whether the server that was asked holds it, and takes votes. `active` are the ids of those
    still in the debate, `statuses` each debater's last one. `votes` counts the votes of each kind by the
    debater they are for, empty for the undecided.
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
