"""One connection for several panes, where an endpoint's chunks say whose they are.

Debaters that name the same address get a `Seat` each. The first that opens a turn connects; those that open
it meanwhile join. Chunks that carry `debaterId` (or `debater`) then go to the seat they belong to, and to
nobody else. If they carry neither, everybody but the first connects for themselves, then and from then on.
A seat that goes on after a fault always does so on a connection of its own: it alone knows where it was.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive
from debate_tui.sources.line import Line, NotShared
from debate_tui.sources.payloads import Data
from debate_tui.sources.payloads.detect import unpack
from debate_tui.sources.remote import Connection, items, usable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from debate_tui.domain.stream import Request, Resume, StreamItem
    from debate_tui.sources.payloads import Event
    from debate_tui.sources.remote import Remote


class Shared:
    """All seats at one address."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.seats: list[Seat] = []
        self.tagged: bool | None = None
        """Whether the chunks say whose they are; `None` until the first of them has come."""
        self._of_tag: dict[str, Seat] = {}
        self._lines: dict[str, Line] = {}

    def seat(self, names: Sequence[str] = ()) -> Seat:
        """A source for one more debater; `names` are those its chunks may carry, such as its id."""
        seat = Seat(self, names)
        self.seats.append(seat)
        return seat

    def join(self, seat: Seat, request: Request) -> Line:
        """The connection the seat shares for this turn, which may have to be made."""
        address = self.remote.address(request)
        line = self._lines.get(address)
        if line is None or seat in line.joined or line.lost(seat):
            line = self._lines[address] = Line(self, request)
        line.join(seat)
        return line

    async def leave(self, seat: Seat, line: Line) -> None:
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
        try:
            data = unpack(event.data) or event.data
            tags = _tags(data) if data.startswith("{") else None
        except (msgspec.DecodeError, RecursionError):
            tags = None
        if tags is None:
            yield None, event
        elif (tag := tags.tag) is not None:
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
        self, line: Line, connection: Connection, request: Request
    ) -> AsyncGenerator[StreamItem]:
        """The seat's part of the shared connection, or a connection of its own if there are no parts."""
        try:
            async with aclosing(items(connection, None)) as stream:
                async for item in stream:
                    yield item
        except NotShared:
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
