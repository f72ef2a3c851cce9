"""What is said on standard error beside the output: in single lines, whoever's words are in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from debate_tui.domain.errors import DebateError

LONGEST: Final = 600
"""Characters a line has at most."""


def said(text: str) -> str:
    """A line that says so."""
    return f"debate-tui: {_one_line(text)}\n"


def complaint(trouble: DebateError) -> str:
    """A line that says what is wrong, and, where that is known, one that says what to do."""
    return said(trouble.message) + advice(trouble.hint)


def advice(hint: str) -> str:
    """A line below another one; nothing for no hint."""
    return f"  {_one_line(hint)}\n" if hint else ""


def say(text: str) -> None:
    """Say so."""
    _write(said(text))


def complain(trouble: DebateError) -> None:
    """Say what is wrong, and what to do."""
    _write(complaint(trouble))


def _write(lines: str) -> None:
    sys.stderr.write(lines)
    sys.stderr.flush()


def _one_line(text: str) -> str:
    from debate_tui.domain.sanitise import one_line

    return one_line(text, LONGEST)
