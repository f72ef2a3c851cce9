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


class ViewerLimits(Struct, frozen=True):
    """How many may watch at once: in total, and from one address."""

    viewers: int = 10_000
    viewers_per_address: int = 100


class TooManyViewersError(DebateError):
    """No more viewers are let in for now."""


class ViewerConnection:
    """A connection that watches; `sending_since`, on the loop's clock, is when its last piece was sent."""

    __slots__ = ("drop", "sending_since", "viewer")

    def __init__(self, viewer: Viewer, drop: Callable[[], object]) -> None:
        self.viewer = viewer
        self.drop = drop
        self.sending_since: float | None = None


class ViewerRegistry:
    """All viewers of this process.

    `counts` has what happened so far: ``admitted``, ``refused``, ``dropped`` for slowness, ``reset`` (of
    those who have left), ``bytes`` sent.
    """

    def __init__(self, limits: ViewerLimits) -> None:
        self.counts: Counter[str] = Counter()
        self._limits = limits
        self._connections: set[ViewerConnection] = set()
        self._counts_by_address: Counter[str] = Counter()
        self._shutting_down = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._connections)

    @contextmanager
    def admit(self, address: str, viewer: Viewer, drop: Callable[[], object]) -> Iterator[ViewerConnection]:
        """Let a viewer in for the length of a block; raises `TooManyViewersError`.

        `drop` is called if it takes nothing for `SEND_TIMEOUT_S`.
        """
        if len(self._connections) >= self._limits.viewers:
            self.counts["refused"] += 1
            raise TooManyViewersError("No more viewers are let in at the moment.", "Try again later.")
        if self._counts_by_address[address] >= self._limits.viewers_per_address:
            self.counts["refused"] += 1
            raise TooManyViewersError(
                "Too many viewers watch from your address.", "Close some, or try again later."
            )
        connection = ViewerConnection(viewer, drop)
        self._connections.add(connection)
        self._empty.clear()
        self._counts_by_address[address] += 1
        self.counts["admitted"] += 1
        if self._shutting_down:
            viewer.shut_down()
        try:
            yield connection
        finally:
            self.counts["reset"] += viewer.reset_count
            self._connections.discard(connection)
            if not self._connections:
                self._empty.set()
            self._counts_by_address[address] -= 1
            if not self._counts_by_address[address]:
                del self._counts_by_address[address]

    def shut_down(self) -> None:
        """Tell everybody that the server stops, and whoever still comes.

        Those are let in for that: an answer with an error status would keep some clients from coming back.
        """
        self._shutting_down = True
        for connection in tuple(self._connections):
            connection.viewer.shut_down()

    async def wait_until_empty(self) -> None:
        """Wait until nobody is left."""
        await self._empty.wait()

    async def drop_stalled(self) -> None:
        """Drop those who take nothing; runs until it is cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SEND_TIMEOUT_S / 5)
            overdue = clock() - SEND_TIMEOUT_S
            for connection in tuple(self._connections):
                if connection.sending_since is not None and connection.sending_since < overdue:
                    self.counts["dropped"] += 1
                    connection.sending_since = None
                    connection.drop()
