"""What is said on standard error beside the output: in single lines, whoever's words are in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from debate_tui.domain.errors import DebateError

MAX_LINE_CHARACTERS: Final = 600
"""Characters a line has at most."""


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
    _write_stderr(format_info(text))


def print_error(error: DebateError) -> None:
    """Say what is wrong, and what to do."""
    _write_stderr(format_error(error))


def _write_stderr(lines: str) -> None:
    sys.stderr.write(lines)
    sys.stderr.flush()


def _one_line(text: str) -> str:
    from debate_tui.domain.sanitise import one_line

    return one_line(text, MAX_LINE_CHARACTERS)
