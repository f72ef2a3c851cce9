"""A connection that several seats share: what is read is sorted, and waits for those it belongs to."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Fault, FaultKind, KeepAlive
from debate_tui.sources.payloads.detect import AutoDetectDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.domain.stream import Connected, TurnRequest
    from debate_tui.sources.payloads import PayloadEvent
    from debate_tui.sources.shared import SharedEndpoint, SharedSource

QUEUE_LIMIT = 1 << 20
"""How much may wait for one seat, in characters, before the connection is no longer read."""


_KEEPALIVE_WEIGHT = 64
"""What a sign of life counts, so that even those that cannot be left out are bounded."""


class NoDebaterTags(Exception):
    """The chunks do not say whose they are, and this seat was not the first."""


class _SourceQueue:
    """What waits for one seat."""

    def __init__(self) -> None:
        self._events: deque[PayloadEvent | KeepAlive] = deque()
        self.size = 0
        self.changed = asyncio.Event()
        self.needs_own_connection = False
        self.has_overflowed = False
        """Whether something was thrown away because nobody had come for it."""

    def put(self, event: PayloadEvent | KeepAlive) -> None:
        # One sign of life is as good as many, as long as that is all it is.
        if self._events and event == KeepAlive():
            return
        self.size += _event_size(event)
        self._events.append(event)
        self.changed.set()

    def pop(self) -> PayloadEvent | KeepAlive | None:
        if not self._events:
            return None
        event = self._events.popleft()
        self.size -= _event_size(event)
        return event

    def clear(self) -> None:
        self._events.clear()
        self.size = 0


def _event_size(event: PayloadEvent | KeepAlive) -> int:
    return _KEEPALIVE_WEIGHT if isinstance(event, KeepAlive) else len(event.data)


class SharedConnection:
    """A connection that several seats share; it is read by a task of its own, which ends with it."""

    def __init__(self, endpoint: SharedEndpoint, request: TurnRequest) -> None:
        self._endpoint = endpoint
        self._queues = {source: _SourceQueue() for source in endpoint.sources}
        self._decoder = AutoDetectDecoder()
        self._has_space = asyncio.Event()
        self._response_received = asyncio.Event()
        self._connected_item: Connected | None = None
        self._is_finished = False
        self._fault: Fault | None = None
        self._is_closed = False
        self.ids_in_data = False
        self.ended_orderly = False
        self.members: list[SharedSource] = []
        self.active: set[SharedSource] = set()
        self._task = asyncio.create_task(self._read(request))

    def join(self, source: SharedSource) -> None:
        self.members.append(source)
        self.active.add(source)

    def leave(self, source: SharedSource) -> None:
        self.active.discard(source)
        self._queues[source].clear()
        self._has_space.set()

    def is_too_late(self, source: SharedSource) -> bool:
        """Whether it is too late for the seat to join."""
        return source not in self._queues or self._queues[source].has_overflowed

    async def close(self) -> None:
        """Close the connection, if it is still open."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def wait_connected(self) -> tuple[Connected, bool]:
        """Wait for the server's answer, and whether it was that there is nothing more; raises its fault."""
        await self._response_received.wait()
        if self._connected_item is None:
            raise self._copy_fault()
        return self._connected_item, self._is_finished

    async def events(self, source: SharedSource) -> AsyncGenerator[PayloadEvent | KeepAlive]:
        """What is the seat's, from the first event of the connection on."""
        queue = self._queues[source]
        while True:
            while (event := queue.pop()) is not None:
                if queue.size <= QUEUE_LIMIT:
                    self._has_space.set()
                yield event
            if queue.needs_own_connection:
                raise NoDebaterTags
            if self._is_closed:
                if self._fault is not None or not self._is_finished:
                    raise self._copy_fault()
                return
            queue.changed.clear()
            await queue.changed.wait()

    def _copy_fault(self) -> Fault:
        """The fault of the connection, for one seat: what text was seen differs between them."""
        fault = self._fault
        if fault is None:
            return Fault(FaultKind.NETWORK, "The shared connection was closed.")
        return Fault(
            fault.kind, fault.message, status=fault.status, retry_after=fault.retry_after, hint=fault.hint
        )

    async def _read(self, request: TurnRequest) -> None:
        try:
            async with self._endpoint.endpoint.connect(request, None) as connection:
                self._connected_item = connection.connected
                self._is_finished = connection.events is None
                self.ids_in_data = connection.ids_in_data
                self._response_received.set()
                if connection.events is not None:
                    async with aclosing(connection.events) as events:
                        async for event in events:
                            await self._distribute(event)
                    self.ended_orderly = connection.ended_orderly()
                    self._is_finished = True
        except Fault as fault:
            self._fault = fault
        finally:
            self._is_closed = True
            self._response_received.set()
            for queue in self._queues.values():
                queue.changed.set()

    async def _distribute(self, event: PayloadEvent | KeepAlive) -> None:
        parts = [(None, event)] if isinstance(event, KeepAlive) else list(self._endpoint.route(event))
        if self._endpoint.has_tags is None and not isinstance(event, KeepAlive):
            self._detect_untagged(event)
        receivers: set[SharedSource] = set()
        for owner, part in parts:
            sources = (owner,) if owner is not None else tuple(self._queues)
            for source in sources:
                await self._enqueue(source, part)
            receivers.update(sources)
        for source in self._queues.keys() - receivers:
            await self._enqueue(source, KeepAlive())

    def _detect_untagged(self, event: PayloadEvent) -> None:
        """Text that is nobody's in particular belongs to the seat that connected."""
        try:
            has_text = any(isinstance(item, Chunk) for item in self._decoder.decode(event))
        except (Fault, RecursionError):
            return
        if has_text:
            self._endpoint.has_tags = False
            for source, queue in self._queues.items():
                if source is not self.members[0]:
                    queue.needs_own_connection = True
                    queue.changed.set()

    async def _enqueue(self, source: SharedSource, event: PayloadEvent | KeepAlive) -> None:
        queue = self._queues[source]
        if queue.has_overflowed or queue.needs_own_connection:
            return
        while queue.size > QUEUE_LIMIT and source in self.active:
            self._has_space.clear()
            await self._has_space.wait()
        if source in self.members and source not in self.active:
            return
        if queue.size > QUEUE_LIMIT:
            queue.has_overflowed = True
            queue.clear()
            return
        queue.put(event)
