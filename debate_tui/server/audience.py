"""Everybody who watches: who is let in, who is too slow, and how they are told goodbye."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from debate_tui.server.viewer import Viewer

SEND_TIMEOUT_S: Final = 5.0
"""How long a viewer may take nothing of what is sent to it."""

RETRY_AFTER_S: Final = 10
"""When somebody who was not let in may try again."""


class Limits(Struct, frozen=True):
    """How many may watch at once: in total, and from one address."""

    viewers: int = 10_000
    viewers_per_address: int = 100


class Full(DebateError):
    """No more viewers are let in for now."""


class Seat:
    """A connection that watches; `sending_since`, on the loop's clock, is when its last piece was sent."""

    __slots__ = ("drop", "sending_since", "viewer")

    def __init__(self, viewer: Viewer, drop: Callable[[], object]) -> None:
        self.viewer = viewer
        self.drop = drop
        self.sending_since: float | None = None


class Audience:
    """All viewers of this process.

    `counts` has what happened so far: ``admitted``, ``refused``, ``dropped`` for slowness, ``reset`` (of
    those who have left), ``bytes`` sent.
    """

    def __init__(self, limits: Limits) -> None:
        self.counts: Counter[str] = Counter()
        self._limits = limits
        self._seats: set[Seat] = set()
        self._addresses: Counter[str] = Counter()
        self._leaving = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._seats)

    @contextmanager
    def seat(self, address: str, viewer: Viewer, drop: Callable[[], object]) -> Iterator[Seat]:
        """Let a viewer in for the length of a block; raises `Full`.

        `drop` is called if it takes nothing for `SEND_TIMEOUT_S`.
        """
        if len(self._seats) >= self._limits.viewers:
            self.counts["refused"] += 1
            raise Full("No more viewers are let in at the moment.", "Try again later.")
        if self._addresses[address] >= self._limits.viewers_per_address:
            self.counts["refused"] += 1
            raise Full("Too many viewers watch from your address.", "Close some, or try again later.")
        seat = Seat(viewer, drop)
        self._seats.add(seat)
        self._empty.clear()
        self._addresses[address] += 1
        self.counts["admitted"] += 1
        if self._leaving:
            viewer.dismiss()
        try:
            yield seat
        finally:
            self.counts["reset"] += viewer.resets
            self._seats.discard(seat)
            if not self._seats:
                self._empty.set()
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def goodbye(self) -> None:
        """Tell everybody that the server stops, and whoever still comes.

        Those are let in for that: an answer with an error status would keep some clients from coming back.
        """
        self._leaving = True
        for seat in tuple(self._seats):
            seat.viewer.dismiss()

    async def gone(self) -> None:
        """Wait until nobody is left."""
        await self._empty.wait()

    async def sweep(self) -> None:
        """Drop those who take nothing; runs until it is cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SEND_TIMEOUT_S / 5)
            overdue = clock() - SEND_TIMEOUT_S
            for seat in tuple(self._seats):
                if seat.sending_since is not None and seat.sending_since < overdue:
                    self.counts["dropped"] += 1
                    seat.sending_since = None
                    seat.drop()
