"""Messages on standard error, always in single lines whatever text they quote, and exit codes."""

from __future__ import annotations

import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from debate_tui.cli.terminal import CaughtSignal
    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.stream import Fault
    from debate_tui.domain.transcript import Transcript


MAX_LINE_CHARACTERS: Final = 600
"""Maximum length of a line."""

STDERR_TIMEOUT_MS: Final = 500
"""Milliseconds to wait for a blocked standard error before dropping the text."""


def format_info(text: str) -> str:
    """Return `text` as a line that begins with the program's name."""
    return f"debate-tui: {_one_line(text)}\n"


def format_hint(hint: str) -> str:
    """Return the hint as an indented line, or nothing for an empty hint."""
    return f"  {_one_line(hint)}\n" if hint else ""


def print_info(text: str) -> None:
    """Print a message to standard error."""
    write_stderr(format_info(text))


def print_error(error: DebateError) -> None:
    """Print an error and its hint to standard error."""
    write_stderr(format_info(error.message) + format_hint(error.hint))


def write_stderr(text: str) -> None:
    """Write to standard error if it is open and not blocked; raise nothing."""
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


# Exit codes.


EXIT_OK = 0
EXIT_NO_TURN_COMPLETED = 1
EXIT_DEBATER_FAILED = 3
EXIT_KEY_OR_CONFIGURATION = 4


def exit_code(transcript: Transcript, fatal_fault: Fault | None, signal: CaughtSignal) -> int:
    """Return the exit code of a debate that finished, or was ended by `signal`."""
    if signal.number is not None:
        return signal.exit_code
    if fatal_fault is not None:
        return EXIT_KEY_OR_CONFIGURATION
    reasons = [turn.reason for turn in transcript.turns.values()]
    has_failures = "failed" in reasons or len(transcript.active_debaters) < len(transcript.debaters)
    if not has_failures:
        return EXIT_OK
    return EXIT_DEBATER_FAILED if "complete" in reasons or "length" in reasons else EXIT_NO_TURN_COMPLETED


def failure_lines(transcript: Transcript) -> list[str]:
    """Return a line for each debater that left the debate: its name, source and last fault."""
    lines = []
    for debater in transcript.debaters.values():
        turn = transcript.latest_turn(debater.id)
        if debater.id not in transcript.active_debaters and turn is not None and turn.faults:
            lines.append(f"{debater.name} ({debater.source}): {turn.faults[-1].message}")
    return lines
