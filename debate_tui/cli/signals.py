"""Signals that end a program: caught while a debate is under way, so that its record is completed first."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Caught:
    """The first signal that was caught; `number` is `None` until then."""

    def __init__(self) -> None:
        self.number: int | None = None


@contextmanager
def caught(end: Callable[[], None]) -> Iterator[Caught]:
    """Call `end`, once, when a signal asks the program to end; a second signal has its usual effect."""
    loop = asyncio.get_running_loop()
    found = Caught()

    def catch(number: int) -> None:
        found.number = number
        release()
        end()

    def release() -> None:
        for number in ENDING:
            loop.remove_signal_handler(number)

    for number in ENDING:
        loop.add_signal_handler(number, catch, number)
    try:
        yield found
    finally:
        release()
