"""What is said on standard error beside the output: in single lines, whoever's words are in it."""

from __future__ import annotations

import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.stream import Fault
    from debate_tui.domain.transcript import Transcript


MAX_LINE_CHARACTERS: Final = 600
"""Characters a line has at most."""

STDERR_TIMEOUT_MS: Final = 500
"""How long a blocked standard error is waited for before its text is dropped."""


def format_info(text: str) -> str:
    """A line that says so."""
    return f"debate-tui: {_one_line(text)}\n"


def format_error(error: DebateError) -> str:
    """A line that says what is wrong, and, where that is known, one that says what to do."""
    return format_info(error.message) + format_hint(error.hint)


def format_hint(hint: str) -> str:
    """A line below another one; nothing for no hint."""
    return f"  {_one_line(hint)}\n" if hint else ""


def print_info(text: str) -> None:
    """Say so."""
    write_stderr(format_info(text))


def print_error(error: DebateError) -> None:
    """Say what is wrong, and what to do."""
    write_stderr(format_error(error))


def write_stderr(text: str) -> None:
    """Write to standard error if it is open and not blocked; never fails."""
    with suppress(OSError, ValueError, AttributeError):
        poll = select.poll()
        poll.register(sys.stderr.fileno(), select.POLLOUT)
        if not poll.poll(STDERR_TIMEOUT_MS):
            return
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _one_line(text: str) -> str:
    from debate_tui.domain.sanitise import one_line

    return one_line(text, MAX_LINE_CHARACTERS)


# What a debate's end means to the shell.


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
