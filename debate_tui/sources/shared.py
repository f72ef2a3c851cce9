"""One connection for several panes, where an endpoint's chunks say whose they are.

Debaters that name the same address get a `SharedSource` each. The first that opens a turn connects; those
that open it meanwhile join. Chunks that carry `debaterId` (or `debater`) then go to the seat they belong to,
and to nobody else. If they carry neither, everybody but the first connects for themselves, then and from then
on. A seat that goes on after a fault always does so on a connection of its own: it alone knows where it was.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import KeepAlive
from debate_tui.sources.line import NoDebaterTags, SharedConnection
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.detect import unpack_base64
from debate_tui.sources.remote import EndpointConnection, decode_connection, sendable_cursor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from debate_tui.domain.stream import Resume, StreamItem, TurnRequest
    from debate_tui.sources.payloads import PayloadEvent
    from debate_tui.sources.remote import RemoteEndpoint


class SharedEndpoint:
    """All seats at one address."""

    def __init__(self, endpoint: RemoteEndpoint) -> None:
        self.endpoint = endpoint
        self.sources: list[SharedSource] = []
        self.has_tags: bool | None = None
        """Whether the chunks say whose they are; `None` until the first of them has come."""
        self._source_by_tag: dict[str, SharedSource] = {}
        self._connections: dict[str, SharedConnection] = {}

    def add_source(self, names: Sequence[str] = ()) -> SharedSource:
        """A source for one more debater; `names` are those its chunks may carry, such as its id."""
        source = SharedSource(self, names)
        self.sources.append(source)
        return source

    def join(self, source: SharedSource, request: TurnRequest) -> SharedConnection:
        """The connection the seat shares for this turn, which may have to be made."""
        url = self.endpoint.turn_url(request)
        connection = self._connections.get(url)
        if connection is None or source in connection.members or connection.is_too_late(source):
            connection = self._connections[url] = SharedConnection(self, request)
        connection.join(source)
        return connection

    async def leave(self, source: SharedSource, connection: SharedConnection) -> None:
        """Leave a shared connection; the last one closes it."""
        connection.leave(source)
        if connection.active:
            return
        self._connections = {
            address: other for address, other in self._connections.items() if other is not connection
        }
        await connection.close()

    def find_source(self, tag: str) -> SharedSource | None:
        """Whose chunks carry `tag`: by name, else by number, else in the order the tags appear in."""
        if tag not in self._source_by_tag:
            free = [source for source in self.sources if source not in self._source_by_tag.values()]
            named = [source for source in free if tag.casefold() in source.names]
            numbered = [source for source in free if tag == str(self.sources.index(source) + 1)]
            found = next(iter((*named, *numbered, *free)), None)
            if found is None:
                return None
            self._source_by_tag[tag] = found
        return self._source_by_tag[tag]

    def route(self, event: PayloadEvent) -> Iterator[tuple[SharedSource | None, PayloadEvent]]:
        """Whose an event is: the parts of it with their seats, or all of it with `None` for everybody's."""
        try:
            data = unpack_base64(event.data) or event.data
            tags = _decode_tags(data) if data.startswith("{") else None
        except (msgspec.DecodeError, RecursionError):
            tags = None
        if tags is None:
            yield None, event
        elif (tag := tags.tag) is not None:
            self.has_tags = True
            if (source := self.find_source(tag)) is not None:
                yield source, event
        elif tags.chunks and any(chunk.tag is not None for chunk in tags.chunks):
            self.has_tags = True
            yield from self._route_batch(event, data)
        else:
            yield None, event

    def _route_batch(
        self, event: PayloadEvent, data: str
    ) -> Iterator[tuple[SharedSource | None, PayloadEvent]]:
        parts: dict[SharedSource, list[msgspec.Raw]] = {}
        for chunk in _decode_batch(data).chunks:
            tag = _decode_tags(chunk).tag
            source = None if tag is None else self.find_source(tag)
            if source is not None:
                parts.setdefault(source, []).append(chunk)
        for source, chunks in parts.items():
            yield (
                source,
                SimpleEvent(msgspec.json.encode(_TaggedBatch(chunks)).decode(), event.event, event.id),
            )


class _DebaterTags(Struct):
    debater_id: str | int | None = msgspec.field(default=None, name="debaterId")
    debater: str | int | None = None
    chunks: list[_DebaterTags] | None = None

    @property
    def tag(self) -> str | None:
        tag = self.debater if self.debater_id is None else self.debater_id
        return None if tag is None else str(tag)


class _TaggedBatch(Struct):
    chunks: list[msgspec.Raw]
    type: str = "batch"


_decode_tags = msgspec.json.Decoder(_DebaterTags).decode
_decode_batch = msgspec.json.Decoder(_TaggedBatch).decode


class SharedSource:
    """One debater's source at a shared address."""

    def __init__(self, endpoint: SharedEndpoint, names: Sequence[str]) -> None:
        self._endpoint = endpoint
        self.names = frozenset(name.casefold() for name in names)

    @property
    def model(self) -> str:
        return self._endpoint.endpoint.model

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        shared = self._endpoint
        needs_own_connection = len(shared.sources) < 2 or shared.has_tags is False
        opened = (
            self._open_own(request, resume) if needs_own_connection or resume else self._open_shared(request)
        )
        async with opened as stream:
            yield stream

    async def aclose(self) -> None:
        """See `Source.aclose`."""
        await self._endpoint.endpoint.aclose()

    @asynccontextmanager
    async def _open_own(
        self, request: TurnRequest, resume: Resume | None
    ) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
        cursor = sendable_cursor(resume.cursor if resume else None)
        async with (
            self._endpoint.endpoint.connect(request, cursor) as connection,
            aclosing(decode_connection(self._filter_connection(connection), cursor)) as stream,
        ):
            yield stream

    @asynccontextmanager
    async def _open_shared(self, request: TurnRequest) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
        shared_connection = self._endpoint.join(self, request)
        try:
            connected, finished = await shared_connection.wait_connected()
            events = None if finished else shared_connection.events(self)
            connection = EndpointConnection(
                connected, events, lambda: shared_connection.ended_orderly, shared_connection.ids_in_data
            )
            async with aclosing(self._shared_items(shared_connection, connection, request)) as stream:
                yield stream
        finally:
            await self._endpoint.leave(self, shared_connection)

    async def _shared_items(
        self, shared_connection: SharedConnection, connection: EndpointConnection, request: TurnRequest
    ) -> AsyncGenerator[StreamItem]:
        """The seat's part of the shared connection, or a connection of its own if there are no parts."""
        try:
            async with aclosing(decode_connection(connection, None)) as stream:
                async for item in stream:
                    yield item
        except NoDebaterTags:
            await self._endpoint.leave(self, shared_connection)
            async with self._open_own(request, None) as stream:
                await anext(stream)
                async for item in stream:
                    yield item

    def _filter_connection(self, connection: EndpointConnection) -> EndpointConnection:
        shared = self._endpoint
        if connection.events is None or len(shared.sources) < 2 or shared.has_tags is False:
            return connection
        return replace(connection, events=self._filter_events(connection.events))

    async def _filter_events(
        self, events: AsyncGenerator[PayloadEvent | KeepAlive]
    ) -> AsyncGenerator[PayloadEvent | KeepAlive]:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, KeepAlive):
                    yield event
                    continue
                own_parts = [part for source, part in self._endpoint.route(event) if source in (None, self)]
                for part in own_parts or (KeepAlive(),):
                    yield part
