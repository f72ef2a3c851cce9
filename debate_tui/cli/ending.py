"""What a debate's end means to the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debate_tui.domain.stream import Fault
    from debate_tui.domain.transcript import Transcript

ENDED = 0
NOTHING_SAID = 1
SOMEBODY_FAILED = 3
KEY_OR_CONFIGURATION = 4


def exit_code(transcript: Transcript, blocked_by: Fault | None, signal_number: int | None) -> int:
    """The exit code of a debate that is over; `signal_number` is the signal that ended it, if one did."""
    if signal_number is not None:
        return 128 + signal_number
    if blocked_by is not None:
        return KEY_OR_CONFIGURATION
    reasons = [turn.reason for turn in transcript.turns.values()]
    trouble = "failed" in reasons or len(transcript.active) < len(transcript.debaters)
    if not trouble:
        return ENDED
    return SOMEBODY_FAILED if "complete" in reasons or "length" in reasons else NOTHING_SAID


def complaints(transcript: Transcript) -> list[str]:
    """A line for every debater that is no longer in the debate: who, and what was wrong."""
    lines = []
    for debater in transcript.debaters.values():
        turn = transcript.turn_of(debater.id)
        if debater.id not in transcript.active and turn is not None and turn.faults:
            lines.append(f"{debater.name} ({debater.source}): {turn.faults[-1].message}")
    return lines
