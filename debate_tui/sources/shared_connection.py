"""One connection shared by several panes, if an endpoint tags its chunks with their debater.

Debaters at the same address get a `SharedSource` each. The first one that opens a turn connects; those that
open it meanwhile join. Chunks with `debaterId` (or `debater`) go to the matching source only. If they have
neither, all sources but the first open their own connections, then and from then on. A source that resumes
after a fault always uses its own connection: only it knows its position.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Fault, FaultKind, KeepAlive, TimeSlice
from debate_tui.sources.endpoint import decode_connection, fill_url, sendable_cursor
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.detect import EndpointDecoder, unpack_base64
from debate_tui.sources.payloads.json_decoder import fit_json, fit_struct, load_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from debate_tui.domain.stream import ResumePoint, StreamItem, TurnRequest
    from debate_tui.sources.endpoint import EndpointConnection, RemoteEndpoint
    from debate_tui.sources.payloads import PayloadEvent


QUEUE_LIMIT = 1 << 20
"""Characters queued for one source before reading from the connection pauses."""

_KEEPALIVE_WEIGHT = 64
"""Size of a keep-alive in a queue, so that those which cannot be dropped are bounded too."""


class NoDebaterTags(Exception):
    """The chunks carry no debater, and this source did not make the connection."""


class _SourceQueue:
    """The events that wait for one source."""

    def __init__(self) -> None:
        self._events: deque[PayloadEvent | KeepAlive] = deque()
        self.size = 0
        self.changed = asyncio.Event()
        self.needs_own_connection = False
        self.has_overflowed = False
        """Whether events were discarded because the source had not joined."""

    def put(self, event: PayloadEvent | KeepAlive) -> None:
        # Consecutive keep-alives without a cursor are merged.
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
    """A connection shared by several sources, read by its own task, which ends with it.

    Events are sorted as they are read, and queued for their sources.
    """

    def __init__(self, endpoint: SharedEndpoint, request: TurnRequest) -> None:
        self._endpoint = endpoint
        self._queues = {source: _SourceQueue() for source in endpoint.sources}
        self._decoder = EndpointDecoder()
        self._has_space = asyncio.Event()
        self._response_received = asyncio.Event()
        self._connection: EndpointConnection | None = None
        self._fault: Fault | None = Fault(FaultKind.NETWORK, "The shared connection was closed.")
        """Why the connection ends, until all of it was read."""
        self._is_closed = False
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
        """Return whether it is too late for the source to join."""
        return source not in self._queues or self._queues[source].has_overflowed

    async def close(self) -> None:
        """Close the connection, if it is still open."""
        self._task.cancel()
        await asyncio.wait((self._task,))
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def open(self, source: SharedSource) -> EndpointConnection:
        """Wait for the response and return the source's share of the connection; raise its fault."""
        await self._response_received.wait()
        if self._connection is None:
            raise self._copy_fault()
        return replace(self._connection, events=self._source_events(source), reusable=False)

    async def _source_events(self, source: SharedSource) -> AsyncGenerator[PayloadEvent | KeepAlive]:
        """Yield the source's events, from the first event of the connection."""
        queue = self._queues[source]
        while True:
            while (event := queue.pop()) is not None:
                if queue.size <= QUEUE_LIMIT:
                    self._has_space.set()
                yield event
            if queue.needs_own_connection:
                raise NoDebaterTags
            if self._is_closed:
                if self._fault is not None:
                    raise self._copy_fault()
                return
            queue.changed.clear()
            await queue.changed.wait()

    def _copy_fault(self) -> Fault:
        """Return a copy of the connection's fault for one source: `text_seen` differs between them."""
        fault = self._fault
        assert fault is not None
        return Fault(
            fault.kind, fault.message, status=fault.status, retry_after=fault.retry_after, hint=fault.hint
        )

    async def _read(self, request: TurnRequest) -> None:
        turn = TimeSlice(asyncio.get_running_loop().call_soon)
        try:
            async with self._endpoint.endpoint.connect(request, None) as connection:
                self._connection = connection
                self._response_received.set()
                async with aclosing(connection.events) as events:
                    async for event in events:
                        await self._distribute(event)
                        now = time.monotonic()
                        if now >= turn.end and turn.is_spent(now):
                            await asyncio.sleep(0)
                self._fault = None
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
        """Leave the connection to the source that made it if text arrives without a debater."""
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


class SharedEndpoint:
    """All sources at one address."""

    def __init__(self, endpoint: RemoteEndpoint) -> None:
        self.endpoint = endpoint
        self.sources: list[SharedSource] = []
        self.has_tags: bool | None = None
        """Whether the chunks carry their debater; `None` until the first text has arrived."""
        self._source_by_tag: dict[str, SharedSource] = {}
        self._connections: dict[str, SharedConnection] = {}

    @property
    def is_shared(self) -> bool:
        """Whether several sources use the address, and its chunks may carry their debater."""
        return len(self.sources) > 1 and self.has_tags is not False

    def add_source(self, names: Sequence[str] = ()) -> SharedSource:
        """Add a source for another debater; `names` are those its chunks may carry, such as its id."""
        source = SharedSource(self, names)
        self.sources.append(source)
        return source

    def join(self, source: SharedSource, request: TurnRequest) -> SharedConnection:
        """Return the shared connection for the source's turn, opening it if needed."""
        url = fill_url(self.endpoint.url, request, None)
        connection = self._connections.get(url)
        if connection is None or source in connection.members or connection.is_too_late(source):
            connection = self._connections[url] = SharedConnection(self, request)
        connection.join(source)
        return connection

    async def leave(self, source: SharedSource, connection: SharedConnection) -> None:
        """Leave a shared connection; the last source closes it."""
        connection.leave(source)
        if connection.active:
            return
        self._connections = {
            address: other for address, other in self._connections.items() if other is not connection
        }
        await connection.close()

    def find_source(self, tag: str) -> SharedSource | None:
        """Return the source for `tag`: by name, or by number, or in order of first appearance."""
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
        """Yield the parts of an event with their sources; `None` means all sources."""
        data = event.data
        try:
            data = unpack_base64(data) or data
            tags = _decode_tags(data) if data.startswith("{") else None
        except msgspec.DecodeError:
            tags = fit_json(data, _DebaterTags)
        except RecursionError:
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
        for tag, chunk in _tagged_chunks(data):
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


def _tagged_chunks(data: str) -> list[tuple[str | None, msgspec.Raw]]:
    """Return the chunks of a batch with their tags."""
    try:
        return [(_decode_tags(chunk).tag, chunk) for chunk in _decode_batch(data).chunks]
    except msgspec.DecodeError:
        value = load_json(data)
        chunks = [c for c in value["chunks"] if isinstance(c, dict)] if isinstance(value, dict) else []
        written = [(chunk, msgspec.Raw(json.dumps(chunk).encode())) for chunk in chunks]
        return [(fit_struct(chunk, _DebaterTags).tag, raw) for chunk, raw in written]


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

    def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        if resume or not self._endpoint.is_shared:
            return self._open_own(request, resume)
        return self._open_shared(request)

    @asynccontextmanager
    async def _open_own(
        self, request: TurnRequest, resume: ResumePoint | None
    ) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
        cursor = sendable_cursor(resume.cursor if resume else None)
        async with self._endpoint.endpoint.connect(request, cursor) as connection:
            if self._endpoint.is_shared:
                connection = replace(connection, events=self._own_events(connection.events))
            async with decode_connection(connection, cursor) as items:
                yield items

    @asynccontextmanager
    async def _open_shared(self, request: TurnRequest) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
        connection = self._endpoint.join(self, request)
        try:
            share = await connection.open(self)
            async with aclosing(self._shared_items(connection, share, request)) as items:
                yield items
        finally:
            await self._endpoint.leave(self, connection)

    async def _shared_items(
        self, connection: SharedConnection, share: EndpointConnection, request: TurnRequest
    ) -> AsyncGenerator[StreamItem]:
        """Yield the source's share of the connection; switch to its own connection if chunks have no tags."""
        try:
            async with decode_connection(share, None) as items:
                async for item in items:
                    yield item
        except NoDebaterTags:
            await self._endpoint.leave(self, connection)
            async with self._open_own(request, None) as items:
                await anext(items)
                async for item in items:
                    yield item

    async def _own_events(
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
