"""A remotely hosted debate, received event by event from ``debate-tui serve``."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from debate_tui.domain.events import Event
from debate_tui.domain.material import Material
from debate_tui.domain.stream import Cursor, Fault, FaultKind, KeepAlive, TimeSlice, TurnRequest
from debate_tui.sources.credentials import check_url
from debate_tui.sources.endpoint_factory import FallbackEndpoint
from debate_tui.sources.http import HttpClients, HttpRequest, open_response
from debate_tui.sources.sse import SseSource
from debate_tui.sources.urls import url_host
from debate_tui.sources.websocket import WebSocketSource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.sources.endpoint import EndpointConnection, RemoteEndpoint
    from debate_tui.sources.payloads import PayloadEvent as Item

HostNotice = Literal["epoch", "history", "lag", "goodbye"]
"""Notices a host sends besides events.

``epoch``: another history replaced this one; ``history``: its beginning is no longer available; ``lag``: too
much was waiting to be read; ``goodbye``: the host is about to stop.
"""

FIRST_BYTE_TIMEOUT_S = 10.0
"""Seconds until the first byte must arrive; it comes at once unless a proxy buffers event streams."""

FETCH_TIMEOUT_S = 30.0
"""Seconds for the host to list its debates, or to send a text."""

MAX_LISTING_BYTES = 16 * 2**20
"""Maximum size of one page of that list."""

MAX_MATERIAL_BYTES = 16 * 2**20
"""Maximum size of one text of a debate's material."""

MAX_LISTING_PAGES = 10
"""Maximum number of pages searched for a running debate."""

_UNFINISHED = ("running", "paused")

_EVENTS_QUERY = "after=0&batch_ms=0"
"""All events one by one, as in the log, so that measurements are accurate and no number is missing."""

_MAX_RETRY_MS = 10**9

_EMPTY_REQUEST = TurnRequest(topic="", phase="", turn=0, messages=())


class HostMessage(Struct, frozen=True):
    """One message from the host and its event id, the position to resume from; "" keeps the last one.

    `retry_after` is the wait before the next connection, in seconds, if the host sent one; `characters` is
    the size of the event as received.
    """

    event: Event | None = None
    characters: int = 0
    notice: HostNotice | None = None
    event_id: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class HostConnection:
    """A connection to the host: its transport, such as ``HTTP/1.1``, and the messages received on it."""

    transport: str
    messages: AsyncGenerator[HostMessage]


class _SnapshotMessage(Struct, tag="snapshot", tag_field="type"):
    pass


class _ResetMessage(Struct, tag="reset", tag_field="type"):
    reason: Literal["epoch", "history", "lag"]


class _GoodbyeMessage(Struct, tag="goodbye", tag_field="type"):
    retry: int | None = None


class _MessageId(Struct):
    id: str = ""


class _ListedDebate(Struct):
    debate: str
    state: str


class _DebateListing(Struct):
    debates: tuple[_ListedDebate, ...]
    next: str | None = None


_decode_message = msgspec.json.Decoder(Event | _SnapshotMessage | _ResetMessage | _GoodbyeMessage).decode
_decode_listing = msgspec.json.Decoder(_DebateListing).decode
_decode_message_id = msgspec.json.Decoder(_MessageId).decode
_decode_material = msgspec.json.Decoder(Material).decode


class RemoteDebate:
    """One hosted debate.

    `url` is the debate's address, as the host prints it, or the host's own address for its newest debate.
    `token`, if the host requires one, is sent to that host only. Raise `UsageError` if `url` is not valid.
    """

    def __init__(self, url: str, *, clients: HttpClients, token: str = "") -> None:
        check_url(url, ("http", "https"))
        parts = urlsplit(url)
        self._origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self._host = url_host(url)
        self._path = parts.path.rstrip("/").removesuffix("/events")
        self._clients = clients
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._endpoint: RemoteEndpoint | None = None

    async def choose_debate(self) -> None:
        """Choose the newest debate, preferring running ones, if the address names none. Raise `Fault`."""
        if self._path:
            return
        debates: list[_ListedDebate] = []
        page = _DebateListing((), "")
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                for _ in range(MAX_LISTING_PAGES):
                    page = _decode_listing(await self._fetch_listing(page.next or ""))
                    debates += page.debates
                    if page.next is None or any(each.state in _UNFINISHED for each in page.debates):
                        break
        except TimeoutError:
            raise Fault(FaultKind.TIMEOUT, f"{self._host} did not list its debates.") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Fault(
                FaultKind.BAD_REQUEST,
                f"{self._host} did not list its debates.",
                hint="Use the address that 'debate-tui serve' prints.",
            ) from None
        if not debates:
            raise Fault(FaultKind.BAD_REQUEST, f"{self._host} has no debates.")
        newest = next((each for each in debates if each.state in _UNFINISHED), debates[0])
        self._path = f"/debates/{quote(newest.debate, safe='')}"

    async def _fetch_listing(self, after: str) -> bytes:
        too_large = Fault(
            FaultKind.BAD_REQUEST,
            f"{self._host} lists too many debates.",
            hint="Use the address of one of them.",
        )
        query = f"?after={quote(after, safe='')}" if after else ""
        return await self._fetch(f"/debates{query}", MAX_LISTING_BYTES, too_large)

    async def fetch_material(self, number: int) -> Material:
        """Fetch a text that everyone in the debate was given. Raise `Fault`."""
        problem = f"{self._host} did not send the material [{number}]."
        too_large = Fault(FaultKind.BAD_REQUEST, f"{self._host} sent too much for the material [{number}].")
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                data = await self._fetch(f"{self._path}/material/{number}", MAX_MATERIAL_BYTES, too_large)
            return msgspec.structs.replace(_decode_material(data), number=number)
        except TimeoutError:
            raise Fault(FaultKind.TIMEOUT, problem) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Fault(FaultKind.BAD_REQUEST, problem) from None

    async def _fetch(self, path: str, max_bytes: int, too_large: Fault) -> bytes:
        http_request = HttpRequest(
            "GET", f"{self._origin}{path}", self._headers, {"accept": "application/json"}
        )
        data = bytearray()
        async with open_response(self._clients, http_request) as http_response:
            if http_response.httpx_response.status_code != 200:
                raise await http_response.read_error()
            async with aclosing(http_response.body()) as body:
                async for part in body:
                    data += part
                    if len(data) > max_bytes:
                        raise too_large
        return bytes(data)

    @asynccontextmanager
    async def connect(self, last_event_id: str) -> AsyncGenerator[HostConnection]:
        """Stream all messages after `last_event_id` (all if empty) until the debate or connection ends.

        They arrive as an event stream or, if none gets through, over a WebSocket. Raise `Fault` on entering
        and while iterating. A debate that has ended and was sent completely yields nothing.
        """
        if self._endpoint is None:
            self._endpoint = self._make_endpoint()
        cursor = Cursor(last_event_id, "log") if last_event_id else None
        async with (
            self._endpoint.connect(_EMPTY_REQUEST, cursor) as connection,
            aclosing(_read_messages(connection)) as messages,
        ):
            yield HostConnection(connection.connected.transport, messages)

    def _make_endpoint(self) -> RemoteEndpoint:
        url = f"{self._origin}{self._path}/events?{_EVENTS_QUERY}"
        return FallbackEndpoint(
            SseSource(
                url, clients=self._clients, headers=self._headers, first_byte_timeout=FIRST_BYTE_TIMEOUT_S
            ),
            WebSocketSource("ws" + url[4:], clients=self._clients, headers=self._headers),
        )


async def _read_messages(connection: EndpointConnection) -> AsyncGenerator[HostMessage]:
    """Yield a connection's messages; snapshots are skipped, as the full history was requested."""
    turn = TimeSlice(asyncio.get_running_loop().call_soon)
    async with aclosing(connection.events) as items:
        async for item in items:
            if isinstance(item, KeepAlive):
                yield HostMessage(retry_after=item.retry_after)
            elif item.event == "done":
                return
            elif (told := _parse_message(item, id_in_data=connection.ids_in_data)) is not None:
                yield told
            now = time.monotonic()
            if now >= turn.end and turn.is_spent(now):
                await asyncio.sleep(0)


def _parse_message(item: Item, *, id_in_data: bool) -> HostMessage | None:
    try:
        match said := _decode_message(item.data):
            case _SnapshotMessage():
                return None
            case _ResetMessage():
                return HostMessage(notice=said.reason)
            case _GoodbyeMessage():
                retry_after = None if said.retry is None else min(said.retry, _MAX_RETRY_MS) / 1000
                return HostMessage(notice="goodbye", retry_after=retry_after)
            case _:
                event_id = _decode_message_id(item.data).id if id_in_data else item.id
                return HostMessage(said, len(item.data), event_id=event_id)
    except (msgspec.DecodeError, RecursionError):
        raise Fault(FaultKind.SERVER, "The host sent an invalid event.") from None
