"""Whether there is a terminal fit for the full screen, and how its keyboard is had when input is a pipe."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


# Signals that end a program: caught while a debate is under way, so that its record is completed first.


TERMINATION_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class CaughtSignal:
    """The first signal that was caught; `number` is `None` until then."""

    def __init__(self) -> None:
        self.number: int | None = None


@contextmanager
def catch_signals(
    on_signal: Callable[[], object], *, terminal_fd: int | None = None
) -> Iterator[CaughtSignal]:
    """Call `on_signal`, once, when a signal asks the program to end.

    A second interrupt or termination has its usual effect; further hang-ups have none, because the shell and
    the system each send one. A hang-up that is ignored from the start, as with ``nohup``, stays so. If the
    terminal behind the descriptor `terminal_fd` goes away without a signal, that counts as a hang-up.
    """
    loop = asyncio.get_running_loop()
    caught_signal = CaughtSignal()
    handled = [
        number
        for number in TERMINATION_SIGNALS
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]

    def catch(number: int) -> None:
        if caught_signal.number is not None:
            return
        caught_signal.number = number
        release()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        on_signal()

    def release() -> None:
        while handled:
            loop.remove_signal_handler(handled.pop())

    for number in handled:
        loop.add_signal_handler(number, catch, number)
    if terminal_fd is not None:
        _watch_terminal(terminal_fd, lambda: loop.call_soon_threadsafe(catch, signal.SIGHUP))
    try:
        yield caught_signal
    finally:
        release()


def _watch_terminal(terminal_fd: int, on_hangup: Callable[[], object]) -> None:
    """Call `on_hangup`, from another thread, when a terminal has gone away."""
    poll = select.poll()
    poll.register(terminal_fd, 0)

    def wait() -> None:
        poll.poll()
        try:
            on_hangup()
        except RuntimeError:
            return  # So has the loop.

    Thread(target=wait, name="hang-up", daemon=True).start()
