"""A connection that several seats share: what is read is sorted, and waits for those it belongs to."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Alive, Chunk, Fault, FaultKind
from debate_tui.sources.payloads.detect import Detecting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.domain.stream import Connected, Request
    from debate_tui.sources.payloads import Event
    from debate_tui.sources.shared import Seat, Shared

QUEUE_LIMIT = 1 << 20
"""How much may wait for one seat, in characters, before the connection is no longer read."""


_SIGN_WEIGHT = 64
"""What a sign of life counts, so that even those that cannot be left out are bounded."""


class NotShared(Exception):
    """The chunks do not say whose they are, and this seat was not the first."""


class _Queue:
    """What waits for one seat."""

    def __init__(self) -> None:
        self._events: deque[Event | Alive] = deque()
        self.size = 0
        self.news = asyncio.Event()
        self.not_shared = False
        self.lost = False
        """Whether something was thrown away because nobody had come for it."""

    def put(self, event: Event | Alive) -> None:
        # One sign of life is as good as many, as long as that is all it is.
        if self._events and event == Alive():
            return
        self.size += _weight(event)
        self._events.append(event)
        self.news.set()

    def take(self) -> Event | Alive | None:
        if not self._events:
            return None
        event = self._events.popleft()
        self.size -= _weight(event)
        return event

    def drop(self) -> None:
        self._events.clear()
        self.size = 0


def _weight(event: Event | Alive) -> int:
    return _SIGN_WEIGHT if isinstance(event, Alive) else len(event.data)


class Line:
    """A connection that several seats share; it is read by a task of its own, which ends with it."""

    def __init__(self, shared: Shared, request: Request) -> None:
        self._shared = shared
        self._queues = {seat: _Queue() for seat in shared.seats}
        self._probe = Detecting()
        self._room = asyncio.Event()
        self._answered = asyncio.Event()
        self._connected: Connected | None = None
        self._finished = False
        self._fault: Fault | None = None
        self._ended = False
        self.ids_in_data = False
        self.orderly = False
        self.joined: list[Seat] = []
        self.present: set[Seat] = set()
        self._task = asyncio.create_task(self._read(request))

    def join(self, seat: Seat) -> None:
        self.joined.append(seat)
        self.present.add(seat)

    def leave(self, seat: Seat) -> None:
        self.present.discard(seat)
        self._queues[seat].drop()
        self._room.set()

    def lost(self, seat: Seat) -> bool:
        """Whether it is too late for the seat to join."""
        return seat not in self._queues or self._queues[seat].lost

    async def close(self) -> None:
        """Close the connection, if it is still open."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled() and (bug := self._task.exception()):
            raise bug

    async def connected(self) -> tuple[Connected, bool]:
        """Wait for the server's answer, and whether it was that there is nothing more; raises its fault."""
        await self._answered.wait()
        if self._connected is None:
            raise self._broken()
        return self._connected, self._finished

    async def events(self, seat: Seat) -> AsyncGenerator[Event | Alive]:
        """What is the seat's, from the first event of the connection on."""
        queue = self._queues[seat]
        while True:
            while (event := queue.take()) is not None:
                if queue.size <= QUEUE_LIMIT:
                    self._room.set()
                yield event
            if queue.not_shared:
                raise NotShared
            if self._ended:
                if self._fault is not None or not self._finished:
                    raise self._broken()
                return
            queue.news.clear()
            await queue.news.wait()

    def _broken(self) -> Fault:
        """The fault of the connection, for one seat: what text was seen differs between them."""
        fault = self._fault
        if fault is None:
            return Fault(FaultKind.NETWORK, "The shared connection was closed.")
        return Fault(
            fault.kind, fault.message, status=fault.status, retry_after=fault.retry_after, hint=fault.hint
        )

    async def _read(self, request: Request) -> None:
        try:
            async with self._shared.remote.connect(request, None) as connection:
                self._connected = connection.connected
                self._finished = connection.events is None
                self.ids_in_data = connection.ids_in_data
                self._answered.set()
                if connection.events is not None:
                    async with aclosing(connection.events) as events:
                        async for event in events:
                            await self._take(event)
                    self.orderly = connection.orderly()
                    self._finished = True
        except Fault as fault:
            self._fault = fault
        finally:
            self._ended = True
            self._answered.set()
            for queue in self._queues.values():
                queue.news.set()

    async def _take(self, event: Event | Alive) -> None:
        parts = [(None, event)] if isinstance(event, Alive) else list(self._shared.sort(event))
        if self._shared.tagged is None and not isinstance(event, Alive):
            self._decide(event)
        reached: set[Seat] = set()
        for owner, part in parts:
            seats = (owner,) if owner is not None else tuple(self._queues)
            for seat in seats:
                await self._put(seat, part)
            reached.update(seats)
        for seat in self._queues.keys() - reached:
            await self._put(seat, Alive())

    def _decide(self, event: Event) -> None:
        """Text that is nobody's in particular belongs to the seat that connected."""
        try:
            text = any(isinstance(item, Chunk) for item in self._probe.decode(event))
        except (Fault, RecursionError):
            return
        if text:
            self._shared.tagged = False
            for seat, queue in self._queues.items():
                if seat is not self.joined[0]:
                    queue.not_shared = True
                    queue.news.set()

    async def _put(self, seat: Seat, event: Event | Alive) -> None:
        queue = self._queues[seat]
        if queue.lost or queue.not_shared:
            return
        while queue.size > QUEUE_LIMIT and seat in self.present:
            self._room.clear()
            await self._room.wait()
        if seat in self.joined and seat not in self.present:
            return
        if queue.size > QUEUE_LIMIT:
            queue.lost = True
            queue.drop()
            return
        queue.put(event)
