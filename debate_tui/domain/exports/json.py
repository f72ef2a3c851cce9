"""A debate as one JSON object: its turns, its outcome and all of its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.events import DebaterInfo, Event, Verdict, Vote
from debate_tui.domain.stream import FaultReport, FinishReason, Usage
from debate_tui.domain.transcript import Seam, Transcript
from debate_tui.domain.usage import Spending, compute_costs

if TYPE_CHECKING:
    from debate_tui.domain.transcript import Turn
    from debate_tui.domain.usage import CostBreakdown

# Characters that `sanitise` removes elsewhere and JSON does not escape. Some readers end lines at line
# separators.
_ESCAPES = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}


class ExportedTurn(Struct, frozen=True):
    """A turn with its final text, as received."""

    turn: int
    debater: str
    phase: str
    round: int
    model: str
    reason: FinishReason | None
    text: str
    reasoning: str
    seams: tuple[Seam, ...]
    superseded: int
    faults: tuple[FaultReport, ...]
    usage: Usage | None
    cost: float | None
    ttft_ms: int | None
    duration_ms: int | None


class ExportedCosts(Struct, frozen=True):
    """What the debate cost, by debater id."""

    debaters: dict[str, Spending]
    judges: Spending
    total: Spending
    prices: str
    """The price table used; empty if there was none."""


class ExportedDebate(Struct, frozen=True):
    """The exported object; `debaters` are as at the end, `finished` is null if the record is incomplete.

    In `spent`, tokens are as counted by the providers and money is in US dollars; null means unknown.
    """

    debate: str
    topic: str
    format: str
    started: float
    finished: str | None
    debaters: tuple[DebaterInfo, ...]
    turns: tuple[ExportedTurn, ...]
    verdicts: tuple[Verdict, ...]
    votes: tuple[Vote, ...]
    spent: ExportedCosts
    events: Sequence[Event]


def render_json(events: Sequence[Event]) -> str:
    """Render the debate with all events; text is as received, but escaped to be safe on a terminal."""
    transcript = Transcript(events)
    document = ExportedDebate(
        debate=transcript.debate_id,
        topic=transcript.topic,
        format=transcript.format,
        started=transcript.started_at,
        finished=transcript.finish_reason,
        debaters=tuple(transcript.debaters.values()),
        turns=tuple(map(_to_exported_turn, transcript.turns.values())),
        verdicts=tuple(transcript.verdicts),
        votes=tuple(transcript.votes),
        spent=_to_exported_costs(compute_costs(transcript), transcript.prices),
        events=events,
    )
    return msgspec.json.format(msgspec.json.encode(document)).decode().translate(_ESCAPES) + "\n"


def _to_exported_costs(found: CostBreakdown, prices: str) -> ExportedCosts:
    return ExportedCosts(found.debaters, found.judges, found.total, prices)


def _to_exported_turn(turn: Turn) -> ExportedTurn:
    return ExportedTurn(
        turn=turn.number,
        debater=turn.debater,
        phase=turn.phase,
        round=turn.round,
        model=turn.model,
        reason=turn.reason,
        text=turn.text,
        reasoning=turn.reasoning,
        seams=turn.seams,
        superseded=turn.superseded_count,
        faults=tuple(turn.faults),
        usage=turn.usage,
        cost=turn.cost,
        ttft_ms=turn.ttft_ms,
        duration_ms=turn.duration_ms,
    )
