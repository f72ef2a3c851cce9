"""Whether there is a terminal fit for the full screen, and how its keyboard is had when input is a pipe."""

from __future__ import annotations

import os
import sys


def supports_full_screen() -> bool:
    """Whether output and errors go to a terminal that can move its cursor, and somebody sits at it."""
    if os.environ.get("TERM", "") in ("", "dumb"):
        return False
    return _is_terminal(1) and _is_terminal(2) and (_is_terminal(0) or _has_controlling_terminal())


def reopen_keyboard() -> None:
    """Put the controlling terminal where a pipe was standard input, once the pipe has been read."""
    if _is_terminal(0):
        return
    terminal = os.open("/dev/tty", os.O_RDWR)
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = os.fdopen(0, closefd=False)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _has_controlling_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True
