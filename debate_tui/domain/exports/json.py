"""A debate as one JSON object: its turns, its outcome and all of its events.

Debaters are as at the end of the debate; `finished` is null if the record is incomplete. `material` has all
texts, also those that only one debater was given (``for``). In `spent`, tokens are as counted by the
providers and money is in US dollars; null means unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.transcript import Transcript
from debate_tui.domain.usage import compute_costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material
    from debate_tui.domain.transcript import Turn

ESCAPES: Final = {
    code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
"""How the characters that `sanitise` removes elsewhere, and JSON does not escape, are written.

Some readers end lines at line separators.
"""


def render_json(events: Sequence[Event], material: Sequence[Material] = ()) -> str:
    """Render the debate with all events; text is as received, but escaped to be safe on a terminal."""
    transcript = Transcript(events)
    costs = compute_costs(transcript)
    document = {
        "debate": transcript.debate_id,
        "topic": transcript.topic,
        "format": transcript.format,
        "started": transcript.started_at,
        "finished": transcript.finish_reason,
        "debaters": tuple(transcript.debaters.values()),
        "material": tuple(map(_material_fields, material)),
        "turns": tuple(map(_turn_fields, transcript.turns.values())),
        "verdicts": transcript.verdicts,
        "report": transcript.report,
        "votes": transcript.votes,
        "spent": {
            "debaters": costs.debaters,
            "judges": costs.judges,
            "total": costs.total,
            "prices": transcript.prices,
        },
        "events": events,
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode().translate(ESCAPES) + "\n"


def _material_fields(piece: Material) -> dict[str, object]:
    info = piece.info
    return {
        "number": piece.number,
        "name": piece.name,
        "for": piece.debater or None,
        "sha256": info.sha256,
        "characters": info.characters,
        "text": piece.text,
    }


def _turn_fields(turn: Turn) -> dict[str, object]:
    return {
        "turn": turn.number,
        "debater": turn.debater,
        "phase": turn.phase,
        "round": turn.round,
        "model": turn.model,
        "reason": turn.reason,
        "text": turn.text,
        "reasoning": turn.reasoning,
        "quotes": turn.quotes,
        "citations": turn.citations,
        "seams": turn.seams,
        "superseded": turn.superseded_count,
        "faults": turn.faults,
        "usage": turn.usage,
        "cost": turn.cost,
        "ttft_ms": turn.ttft_ms,
        "duration_ms": turn.duration_ms,
    }
