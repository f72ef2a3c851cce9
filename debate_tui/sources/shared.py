"""One connection for several panes, where an endpoint's chunks say whose they are.

Debaters that name the same address get a `Seat` each. The first that opens a turn connects; those that open
it meanwhile join. Chunks that carry `debaterId` (or `debater`) then go to the seat they belong to, and to
nobody else. If they carry neither, everybody but the first connects for themselves, then and from then on.
A seat that goes on after a fault always does so on a connection of its own: it alone knows where it was.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Chunk, Fault, FaultKind
from debate_tui.sources.payloads import Data
from debate_tui.sources.payloads.detect import Detecting, unpack
from debate_tui.sources.remote import Connection, items, usable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from debate_tui.domain.stream import Connected, Request, Resume, StreamItem
    from debate_tui.sources.payloads import Event
    from debate_tui.sources.remote import Remote

QUEUE_LIMIT = 1 << 20
"""How much may wait for one seat, in characters, before the connection is no longer read."""


class Shared:
    """All seats at one address."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.seats: list[Seat] = []
        self.tagged: bool | None = None
        """Whether the chunks say whose they are; `None` until the first of them has come."""
        self._of_tag: dict[str, Seat] = {}
        self._lines: dict[str, _Line] = {}

    def seat(self, names: Sequence[str] = ()) -> Seat:
        """A source for one more debater; `names` are those its chunks may carry, such as its id."""
        seat = Seat(self, names)
        self.seats.append(seat)
        return seat

    def join(self, seat: Seat, request: Request) -> _Line:
        """The connection the seat shares for this turn, which may have to be made."""
        address = self.remote.address(request)
        line = self._lines.get(address)
        if line is None or seat in line.joined or line.lost(seat):
            line = self._lines[address] = _Line(self, request)
        line.join(seat)
        return line

    async def leave(self, seat: Seat, line: _Line) -> None:
        """Leave a shared connection; the last one closes it."""
        line.leave(seat)
        if line.present:
            return
        self._lines = {address: other for address, other in self._lines.items() if other is not line}
        await line.close()

    def owner(self, tag: str) -> Seat | None:
        """Whose chunks carry `tag`: by name, else by number, else in the order the tags appear in."""
        if tag not in self._of_tag:
            free = [seat for seat in self.seats if seat not in self._of_tag.values()]
            named = [seat for seat in free if tag.casefold() in seat.names]
            numbered = [seat for seat in free if tag == str(self.seats.index(seat) + 1)]
            found = next(iter((*named, *numbered, *free)), None)
            if found is None:
                return None
            self._of_tag[tag] = found
        return self._of_tag[tag]

    def sort(self, event: Event) -> Iterator[tuple[Seat | None, Event]]:
        """Whose an event is: the parts of it with their seats, or all of it with `None` for everybody's."""
        data = unpack(event.data) or event.data
        if not data.startswith("{"):
            yield None, event
            return
        try:
            tags = _tags(data)
        except (msgspec.DecodeError, RecursionError):
            yield None, event
            return
        if (tag := tags.tag) is not None:
            self.tagged = True
            if (seat := self.owner(tag)) is not None:
                yield seat, event
        elif tags.chunks and any(chunk.tag is not None for chunk in tags.chunks):
            self.tagged = True
            yield from self._batch(event, data)
        else:
            yield None, event

    def _batch(self, event: Event, data: str) -> Iterator[tuple[Seat | None, Event]]:
        parts: dict[Seat, list[msgspec.Raw]] = {}
        for chunk in _batch(data).chunks:
            tag = _tags(chunk).tag
            seat = None if tag is None else self.owner(tag)
            if seat is not None:
                parts.setdefault(seat, []).append(chunk)
        for seat, chunks in parts.items():
            yield seat, Data(msgspec.json.encode(_Batch(chunks)).decode(), event.event, event.id)


class _Tags(Struct):
    debater_id: str | int | None = msgspec.field(default=None, name="debaterId")
    debater: str | int | None = None
    chunks: list[_Tags] | None = None

    @property
    def tag(self) -> str | None:
        tag = self.debater if self.debater_id is None else self.debater_id
        return None if tag is None else str(tag)


class _Batch(Struct):
    chunks: list[msgspec.Raw]
    type: str = "batch"


_tags = msgspec.json.Decoder(_Tags).decode
_batch = msgspec.json.Decoder(_Batch).decode


class Seat:
    """One debater's source at a shared address."""

    def __init__(self, shared: Shared, names: Sequence[str]) -> None:
        self._shared = shared
        self.names = frozenset(name.casefold() for name in names)

    @property
    def model(self) -> str:
        return self._shared.remote.model

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        shared = self._shared
        alone = len(shared.seats) < 2 or shared.tagged is False
        opened = self._own(request, resume) if alone or resume else self._joined(request)
        async with opened as stream:
            yield stream

    async def aclose(self) -> None:
        """See `Source.aclose`."""
        await self._shared.remote.aclose()

    @asynccontextmanager
    async def _own(
        self, request: Request, resume: Resume | None
    ) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
        cursor = usable(resume.cursor if resume else None)
        async with (
            self._shared.remote.connect(request, cursor) as connection,
            aclosing(items(self._filtered(connection), cursor)) as stream,
        ):
            yield stream

    @asynccontextmanager
    async def _joined(self, request: Request) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
        line = self._shared.join(self, request)
        try:
            connected, finished = await line.connected()
            events = None if finished else line.events(self)
            connection = Connection(connected, events, lambda: line.orderly, line.ids_in_data)
            async with aclosing(self._decided(line, connection, request)) as stream:
                yield stream
        finally:
            await self._shared.leave(self, line)

    async def _decided(
        self, line: _Line, connection: Connection, request: Request
    ) -> AsyncGenerator[StreamItem]:
        """The seat's part of the shared connection, or a connection of its own if there are no parts."""
        try:
            async with aclosing(items(connection, None)) as stream:
                async for item in stream:
                    yield item
        except _NotShared:
            await self._shared.leave(self, line)
            async with self._own(request, None) as stream:
                await anext(stream)
                async for item in stream:
                    yield item

    def _filtered(self, connection: Connection) -> Connection:
        shared = self._shared
        if connection.events is None or len(shared.seats) < 2 or shared.tagged is False:
            return connection
        return replace(connection, events=self._mine(connection.events))

    async def _mine(self, events: AsyncGenerator[Event | Alive]) -> AsyncGenerator[Event | Alive]:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Alive):
                    yield event
                    continue
                mine = [part for seat, part in self._shared.sort(event) if seat in (None, self)]
                for part in mine or (Alive(),):
                    yield part


class _NotShared(Exception):
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
        if isinstance(event, Alive):
            # One sign of life is as good as many.
            if self._events:
                return
        else:
            self.size += len(event.data)
        self._events.append(event)
        self.news.set()

    def take(self) -> Event | Alive | None:
        if not self._events:
            return None
        event = self._events.popleft()
        if not isinstance(event, Alive):
            self.size -= len(event.data)
        return event

    def drop(self) -> None:
        self._events.clear()
        self.size = 0


class _Line:
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
                raise _NotShared
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
