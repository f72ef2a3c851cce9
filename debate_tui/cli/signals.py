"""Signals that end a program: caught while a debate is under way, so that its record is completed first."""

from __future__ import annotations

import asyncio
import select
import signal
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Caught:
    """The first signal that was caught; `number` is `None` until then."""

    def __init__(self) -> None:
        self.number: int | None = None


@contextmanager
def caught(end: Callable[[], object], *, keyboard: int | None = None) -> Iterator[Caught]:
    """Call `end`, once, when a signal asks the program to end.

    A second interrupt or termination has its usual effect; further hang-ups have none, because the shell and
    the system each send one. A hang-up that is ignored from the start, as with ``nohup``, stays so. If the
    terminal behind the descriptor `keyboard` goes away without a signal, that counts as a hang-up.
    """
    loop = asyncio.get_running_loop()
    found = Caught()
    handled = [
        number
        for number in ENDING
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]

    def catch(number: int) -> None:
        if found.number is not None:
            return
        found.number = number
        release()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        end()

    def release() -> None:
        while handled:
            loop.remove_signal_handler(handled.pop())

    for number in handled:
        loop.add_signal_handler(number, catch, number)
    if keyboard is not None:
        _watch(keyboard, lambda: loop.call_soon_threadsafe(catch, signal.SIGHUP))
    try:
        yield found
    finally:
        release()


def _watch(terminal: int, gone: Callable[[], object]) -> None:
    """Call `gone`, from another thread, when a terminal has gone away."""
    poll = select.poll()
    poll.register(terminal, 0)

    def wait() -> None:
        poll.poll()
        try:
            gone()
        except RuntimeError:
            return  # So has the loop.

    Thread(target=wait, name="hang-up", daemon=True).start()
