"""What a debate's end means to the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debate_tui.domain.stream import Fault
    from debate_tui.domain.transcript import Transcript

EXIT_OK = 0
EXIT_NO_TURN_COMPLETED = 1
EXIT_DEBATER_FAILED = 3
EXIT_KEY_OR_CONFIGURATION = 4


def exit_code(transcript: Transcript, fatal_fault: Fault | None, signal_number: int | None) -> int:
    """The exit code of a debate that is over; `signal_number` is the signal that ended it, if one did."""
    if signal_number is not None:
        return 128 + signal_number
    if fatal_fault is not None:
        return EXIT_KEY_OR_CONFIGURATION
    reasons = [turn.reason for turn in transcript.turns.values()]
    has_failures = "failed" in reasons or len(transcript.active_debaters) < len(transcript.debaters)
    if not has_failures:
        return EXIT_OK
    return EXIT_DEBATER_FAILED if "complete" in reasons or "length" in reasons else EXIT_NO_TURN_COMPLETED


def failure_lines(transcript: Transcript) -> list[str]:
    """A line for every debater that is no longer in the debate: who, and what was wrong."""
    lines = []
    for debater in transcript.debaters.values():
        turn = transcript.latest_turn(debater.id)
        if debater.id not in transcript.active_debaters and turn is not None and turn.faults:
            lines.append(f"{debater.name} ({debater.source}): {turn.faults[-1].message}")
    return lines
