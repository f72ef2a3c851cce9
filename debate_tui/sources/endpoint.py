"""Common base of all remote endpoints, whatever their transport."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

import msgspec

from debate_tui.domain.stream import Fault
from debate_tui.sources.payloads import decode_stream
from debate_tui.sources.payloads.detect import EndpointDecoder
from debate_tui.sources.urls import url_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from debate_tui.domain.stream import Connected, Cursor, KeepAlive, ResumePoint, StreamItem, TurnRequest
    from debate_tui.sources.payloads import PayloadEvent


HttpMethod = Literal["GET", "POST"]

_URL_PLACEHOLDER = re.compile(r"\{(topic|phase|turn|lastEventId)\}")
_DRAIN_TIMEOUT = 0.05
_UNSENDABLE_CHARACTERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that a header cannot contain."""


class NotAStream(Fault):
    """The response is not an event stream: another media type, or status 406 or 426."""


@dataclass(frozen=True, slots=True)
class EndpointConnection:
    """One open connection.

    Once `events` are exhausted, `ended_orderly` returns whether the framing confirms the end. `ids_in_data`
    is true if event ids are in the payload because the transport has none; `reusable` is true if the
    connection can be used again after the response was read to its end.
    """

    connected: Connected
    events: AsyncGenerator[PayloadEvent | KeepAlive]
    ended_orderly: Callable[[], bool]
    ids_in_data: bool = False
    reusable: bool = False


class RemoteEndpoint(ABC):
    """A debater at a remote endpoint: a `Source` for any subclass that implements `connect`."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def model(self) -> str:
        """The endpoint's host."""
        return url_host(self.url)

    @abstractmethod
    def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AbstractAsyncContextManager[EndpointConnection]:
        """Open one connection, resuming after `cursor` if given; closed on exit. Raise `Fault` on failure."""

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        """See `Source.open`.

        Resuming needs a cursor with an event id; without one the stream starts again.
        """
        cursor = sendable_cursor(resume.cursor if resume else None)
        async with (
            self.connect(request, cursor) as connection,
            decode_connection(connection, cursor) as items,
        ):
            yield items


@asynccontextmanager
async def decode_connection(
    connection: EndpointConnection, cursor: Cursor | None
) -> AsyncGenerator[AsyncGenerator[StreamItem]]:
    """Yield a connection's items, from `Connected` to its end; on exit, make the connection reusable."""
    decoder = EndpointDecoder(cursor, ids_in_data=connection.ids_in_data)
    async with aclosing(connection.events) as events:
        decoded = decode_stream(events, decoder, connection.ended_orderly, connection.connected)
        async with aclosing(decoded) as items:
            yield items
        if connection.reusable and decoder.is_finished:
            await _drain(events)


async def _drain(events: AsyncGenerator[PayloadEvent | KeepAlive]) -> None:
    """Read to the end of the response if it comes at once, so that the next turn can reuse the connection."""
    with suppress(Fault, TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT):
            async for _ in events:
                continue


def sendable_cursor(cursor: Cursor | None) -> Cursor | None:
    """Return the cursor if its id can be sent in a header; an empty id means the server reset its ids."""
    if cursor is None or not cursor.position or _UNSENDABLE_CHARACTERS.search(cursor.position):
        return None
    return cursor


def fill_url(url: str, request: TurnRequest, cursor: Cursor | None, *, id_in_query: bool = False) -> str:
    """Return the URL with ``{topic}``, ``{phase}``, ``{turn}`` and ``{lastEventId}`` percent-encoded.

    `id_in_query` adds the last event id as a query parameter if the URL has no ``{lastEventId}``.
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
    """Encode the turn as the JSON body of a POST."""
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
