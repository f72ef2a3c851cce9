"""A debate that somebody else hosts, event by event, as ``debate-tui serve`` tells it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from debate_tui.domain.events import Event
from debate_tui.domain.stream import Alive, Cursor, Fault, FaultKind, Request
from debate_tui.sources.address import check_address, host
from debate_tui.sources.fallback import Fallback
from debate_tui.sources.http import Call, Clients, answered
from debate_tui.sources.prompt import Prompt
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.sources.payloads import Event as Item
    from debate_tui.sources.remote import Connection, Remote

Notice = Literal["epoch", "history", "lag", "goodbye"]
"""What a host says beside events: another history has taken the place of this one; the beginning of it is
gone; too much was waiting to be read; or, it is about to stop."""

PATIENCE_S = 10.0
"""How long a host may take to say something: it does so at once, unless a proxy holds event streams back."""

LISTING_S = 30.0
"""How long a host may take to list its debates."""

MAX_LISTING = 16 * 2**20
"""Bytes of such a list."""

HTTP2 = "HTTP/2"
"""The transport that carries any number of streams over one connection."""

_QUERY = "after=0&batch_ms=0"
"""All events one by one, as the log has them: what is measured is what was, and no number is missing."""

_LONGEST_MS = 10**9

_NO_TURN = Request(topic="", phase="", turn=0, messages=())


class Told(Struct, frozen=True):
    """One thing the host said, and the place to go on from; a place of ``""`` leaves it where it was.

    `retry_after` is the wait before the next connection, in seconds, where the host named one; `characters`
    is what the event has in all, as it came.
    """

    event: Event | None = None
    characters: int = 0
    notice: Notice | None = None
    place: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A connection to the host: what it goes over, such as ``HTTP/1.1``, and what is said on it."""

    transport: str
    told: AsyncGenerator[Told]


class _Snapshot(Struct, tag="snapshot", tag_field="type"):
    pass


class _Reset(Struct, tag="reset", tag_field="type"):
    reason: Literal["epoch", "history", "lag"]


class _Goodbye(Struct, tag="goodbye", tag_field="type"):
    retry: int | None = None


class _Placed(Struct):
    id: str = ""


class _Listed(Struct):
    debate: str
    state: str


class _Listing(Struct):
    debates: tuple[_Listed, ...]


_said = msgspec.json.Decoder(Event | _Snapshot | _Reset | _Goodbye).decode
_listed = msgspec.json.Decoder(_Listing).decode
_placed = msgspec.json.Decoder(_Placed).decode


class Hosted:
    """One hosted debate.

    `url` is the debate's address, as the host prints it, or the host's own for the newest of its debates.
    `token`, if the host asks for one, is sent to that host only. Raises `UsageError` for what is no address.
    `clients` are this debate's alone.
    """

    def __init__(self, url: str, *, clients: Clients, token: str = "") -> None:
        check_address(url, ("http", "https"))
        parts = urlsplit(url)
        self._origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self._host = host(url)
        self._path = parts.path.rstrip("/").removesuffix("/events")
        self._clients = clients
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._secure = parts.scheme.lower() == "https"
        self._remotes: dict[str | None, Remote] = {}

    async def find(self) -> None:
        """Choose the newest debate, one under way first, where the address names none. Raises `Fault`."""
        if self._path:
            return
        try:
            async with asyncio.timeout(LISTING_S):
                debates = _listed(await self._listing()).debates
        except TimeoutError:
            raise Fault(FaultKind.TIMEOUT, f"{self._host} does not say what is debated there.") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Fault(
                FaultKind.BAD_REQUEST,
                f"{self._host} does not say what is debated there.",
                hint="Give the address that debate-tui serve prints.",
            ) from None
        if not debates:
            raise Fault(FaultKind.BAD_REQUEST, "Nobody is debating there, and nothing is on record.")
        chosen = next((each for each in debates if each.state in ("running", "paused")), debates[0])
        self._path = f"/debates/{quote(chosen.debate, safe='')}"

    async def _listing(self) -> bytes:
        call = Call("GET", f"{self._origin}/debates", self._headers, {"accept": "application/json"})
        data = bytearray()
        async with answered(self._clients, call) as answer:
            if answer.response.status_code != 200:
                raise await answer.refusal()
            async with aclosing(answer.body()) as body:
                async for part in body:
                    data += part
                    if len(data) > MAX_LISTING:
                        raise Fault(
                            FaultKind.BAD_REQUEST,
                            f"{self._host} lists too many debates.",
                            hint="Give the address of one of them.",
                        )
        return bytes(data)

    @asynccontextmanager
    async def connect(self, place: str, debater: str | None = None) -> AsyncGenerator[Line]:
        """Everything behind `place`, all of it for an empty one, until the debate or the line ends.

        All of the debate comes as an event stream, or where none gets through, over a WebSocket. With a
        debater's id it is what concerns that debater, which is an event stream or nothing; what concerns them
        all is part of it. Entering raises `Fault`, and so does iterating. A debate that is over and was told
        gives nothing.
        """
        cursor = Cursor(place, "log") if place else None
        async with (
            self._remote(debater).connect(_NO_TURN, cursor) as connection,
            aclosing(_told(connection)) as told,
        ):
            yield Line(connection.connected.transport, told)

    async def hang_up(self) -> None:
        """Let go of connections that outlive their streams: HTTP/2 leaves an abandoned stream running."""
        await self._clients.aclose()

    def _remote(self, debater: str | None) -> Remote:
        if debater not in self._remotes:
            self._remotes[debater] = self._made(debater)
        return self._remotes[debater]

    def _made(self, debater: str | None) -> Remote:
        path = self._path if debater is None else f"{self._path}/debaters/{quote(debater, safe='')}"
        url = f"{self._origin}{path}/events?{_QUERY}"
        stream = SseSource(url, clients=self._clients, headers=self._headers, http2=lambda: self._secure)
        prompt = Prompt(stream, PATIENCE_S)
        if debater is not None:
            return prompt
        return Fallback(prompt, WebSocketSource("ws" + url[4:], clients=self._clients, headers=self._headers))


async def _told(connection: Connection) -> AsyncGenerator[Told]:
    """What is said on a connection; a snapshot is passed over, as its history was asked for."""
    if connection.events is None:
        return
    async with aclosing(connection.events) as items:
        async for item in items:
            if isinstance(item, Alive):
                yield Told(retry_after=item.retry_after)
            elif (told := _understood(item, id_in_data=connection.ids_in_data)) is not None:
                yield told


def _understood(item: Item, *, id_in_data: bool) -> Told | None:
    try:
        match said := _said(item.data):
            case _Snapshot():
                return None
            case _Reset():
                return Told(notice=said.reason)
            case _Goodbye():
                wait = None if said.retry is None else min(said.retry, _LONGEST_MS) / 1000
                return Told(notice="goodbye", retry_after=wait)
            case _:
                place = _placed(item.data).id if id_in_data else item.id
                return Told(said, len(item.data), place=place)
    except (msgspec.DecodeError, RecursionError):
        raise Fault(FaultKind.SERVER, "The host said something that is no event.") from None
