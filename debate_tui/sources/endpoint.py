"""What all remote endpoints have in common, whatever carries their events."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

import msgspec

from debate_tui.domain.stream import Fault, FaultKind, Finished
from debate_tui.sources.payloads import detect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from debate_tui.domain.stream import Connected, Cursor, KeepAlive, Resume, StreamItem, TurnRequest
    from debate_tui.sources.payloads import PayloadEvent


HttpMethod = Literal["GET", "POST"]

_URL_PLACEHOLDER = re.compile(r"\{(topic|phase|turn|lastEventId)\}")
_DRAIN_TIMEOUT = 0.05
_UNSENDABLE_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no header may hold."""


class NotAStream(Fault):
    """The server answered, but not with an event stream: another media type, or 406 or 426."""


@dataclass(frozen=True, slots=True)
class EndpointConnection:
    """One connection that stands.

    `events` is `None` where the server said that there is nothing more; `ended_orderly` tells, once they have
    run out, whether the framing vouches for that end. `ids_in_data` says that event ids, if there are any,
    are in the payload, as the transport has none; `reusable` that the connection may be used again if the
    response was read to its end.
    """

    connected: Connected
    events: AsyncGenerator[PayloadEvent | KeepAlive] | None
    ended_orderly: Callable[[], bool]
    ids_in_data: bool = False
    reusable: bool = False


class RemoteEndpoint(ABC):
    """A debater at an endpoint; a `Source` for whoever can `connect`."""

    @property
    @abstractmethod
    def model(self) -> str:
        """The endpoint's host."""

    @abstractmethod
    def turn_url(self, request: TurnRequest) -> str:
        """The URL that is asked for a turn, from its start on; for comparing, never for showing."""

    @abstractmethod
    def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AbstractAsyncContextManager[EndpointConnection]:
        """Open one connection, behind `cursor` if there is one; leaving closes it. Raises `Fault`."""

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        """See `Source.open`.

        Resuming needs a cursor with an event id; without one the stream starts anew.
        """
        cursor = sendable_cursor(resume.cursor if resume else None)
        async with (
            self.connect(request, cursor) as connection,
            aclosing(decode_connection(connection, cursor)) as stream,
        ):
            yield stream

    async def aclose(self) -> None:
        """Let go of nothing: only the shared clients outlive a turn."""
        return


async def decode_connection(
    connection: EndpointConnection, cursor: Cursor | None
) -> AsyncGenerator[StreamItem]:
    """A connection's stream, from `Connected` to its end."""
    yield connection.connected
    if connection.events is None:
        yield Finished()
        return
    async with (
        aclosing(connection.events) as events,
        aclosing(
            detect.decode_endpoint_stream(
                events, cursor, connection.ended_orderly, ids_in_data=connection.ids_in_data
            )
        ) as decoded,
    ):
        async for item in decoded:
            if connection.reusable and isinstance(item, Finished):
                await _drain(events)
            yield item


async def _drain(events: AsyncGenerator[PayloadEvent | KeepAlive]) -> None:
    """Read on to the end of the response, if it comes at once: then the connection serves the next turn."""
    with suppress(Fault, TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT):
            async for _ in events:
                continue


def sendable_cursor(cursor: Cursor | None) -> Cursor | None:
    """The cursor, if the id in it can be sent; an empty one means that the server took its ids back."""
    if cursor is None or not cursor.position or _UNSENDABLE_CHARACTERS.search(cursor.position):
        return None
    return cursor


def fill_url(url: str, request: TurnRequest, cursor: Cursor | None, *, id_in_query: bool = False) -> str:
    """The URL with ``{topic}``, ``{phase}``, ``{turn}`` and ``{lastEventId}`` filled in, percent-encoded.

    `id_in_query` adds the last event id as a parameter where the URL does not say ``{lastEventId}``.
    """
    last_id = cursor.position if cursor else ""
    values = {
        "topic": request.topic,
        "phase": request.phase,
        "turn": str(request.turn),
        "lastEventId": last_id,
    }
    filled_url = _URL_PLACEHOLDER.sub(lambda place: _percent_encode(values[place[1]]), url)
    if not id_in_query or not last_id or "{lastEventId}" in url:
        return filled_url
    parts = urlsplit(filled_url)
    query = "&".join(part for part in (parts.query, f"lastEventId={_percent_encode(last_id)}") if part)
    return parts._replace(query=query).geturl()


def encode_turn_request(request: TurnRequest) -> bytes:
    """What a POST says of the turn, as JSON."""
    return msgspec.json.encode(
        {
            "topic": request.topic,
            "phase": request.phase,
            "turn": request.turn,
            "prompt": request.prompt,
            "messages": request.messages,
        }
    )


def _percent_encode(text: str) -> str:
    return quote(text, safe="", errors="replace")


# An endpoint that says something at once, if only that it is there.


class FirstByteDeadline(RemoteEndpoint):
    """Takes silence, for `timeout` seconds after asking, for no stream: something between holds it back."""

    def __init__(self, endpoint: RemoteEndpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    @property
    def model(self) -> str:
        return self._endpoint.model

    def turn_url(self, request: TurnRequest) -> str:
        return self._endpoint.turn_url(request)

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._timeout):
                    connection = await stack.enter_async_context(self._endpoint.connect(request, cursor))
                    events = connection.events
                    first = None if events is None else await anext(events, None)
            except TimeoutError:
                raise NotAStream(
                    FaultKind.TIMEOUT, f"{self.model} said nothing for {self._timeout:g} s."
                ) from None
            if events is None or first is None:
                yield connection
                return
            all_events = await stack.enter_async_context(aclosing(_prepend_event(first, events)))
            yield replace(connection, events=all_events)


async def _prepend_event(
    first: PayloadEvent | KeepAlive, rest: AsyncGenerator[PayloadEvent | KeepAlive]
) -> AsyncGenerator[PayloadEvent | KeepAlive]:
    yield first
    async with aclosing(rest):
        async for item in rest:
            yield item


# An endpoint that offers its stream in another way than the one tried first.


class FallbackEndpoint(RemoteEndpoint):
    """Asks `first`, and where the answer is no event stream, `second` at the same address.

    What worked is tried first from then on. If neither is an event stream, the fault is that of `first`.
    """

    def __init__(self, first: RemoteEndpoint, second: RemoteEndpoint) -> None:
        self._first = first
        self._second = second
        self._preferred: RemoteEndpoint = first

    @property
    def model(self) -> str:
        return self._first.model

    def turn_url(self, request: TurnRequest) -> str:
        return self._first.turn_url(request)

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._preferred.connect(request, cursor))
            except NotAStream as refusal:
                try:
                    connection = await stack.enter_async_context(self._second.connect(request, cursor))
                except Fault:
                    raise refusal from None
                self._preferred = self._second
            yield connection
