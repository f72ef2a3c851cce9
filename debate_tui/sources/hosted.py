"""A debate that somebody else hosts, event by event, as ``debate-tui serve`` tells it."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from debate_tui.domain.events import Event, decode
from debate_tui.domain.stream import Alive, Fault, FaultKind
from debate_tui.sources.address import check_address
from debate_tui.sources.http import Call, Clients, answered
from debate_tui.sources.sse import check_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from httpx_sse import ServerSentEvent

Notice = Literal["epoch", "history", "lag", "goodbye"]
"""What a host says beside events: another history has taken the place of this one; the beginning of it is
gone; too much was waiting to be read; or, it is about to stop."""


class Told(Struct, frozen=True):
    """One thing the host said, and the place to go on from; a place of ``""`` leaves it where it was.

    `retry_after` is the wait before the next connection, in seconds, where the host named one.
    """

    event: Event | None = None
    notice: Notice | None = None
    place: str = ""
    retry_after: float | None = None


class _Reset(Struct):
    reason: Literal["epoch", "history", "lag"]


class _Listed(Struct):
    debate: str
    state: str


class _Listing(Struct):
    debates: tuple[_Listed, ...]


class Hosted:
    """One hosted debate.

    `url` is the debate's address, as the host prints it, or the host's own for the newest of its debates.
    `token`, if the host asks for one, is sent to that host only. Raises `UsageError` for what is no address.
    """

    def __init__(self, url: str, *, clients: Clients, token: str = "") -> None:
        check_address(url, ("http", "https"))
        parts = urlsplit(url)
        self._origin = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        self._path = parts.path.rstrip("/").removesuffix("/events")
        self._clients = clients
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    async def find(self) -> None:
        """Choose the newest debate, one under way first, where the address names none. Raises `Fault`."""
        if self._path:
            return
        call = self._call("/debates", {"accept": "application/json"})
        async with answered(self._clients, call) as answer:
            if answer.response.status_code != 200:
                raise await answer.refusal()
            async with aclosing(answer.body()) as body:
                listed = msgspec.json.decode(b"".join([data async for data in body]), type=_Listing)
        if not listed.debates:
            raise Fault(FaultKind.BAD_REQUEST, "Nobody is debating there, and nothing is on record.")
        chosen = next((each for each in listed.debates if each.state in ("running", "paused")), None)
        self._path = f"/debates/{(chosen or listed.debates[0]).debate}"

    @asynccontextmanager
    async def follow(self, place: str) -> AsyncGenerator[AsyncIterator[Told]]:
        """Everything behind `place`, all of it for an empty one, until the debate or the line ends.

        Entering raises `Fault`, and so does iterating. A debate that is over and was told gives nothing.
        """
        about = {"accept": "text/event-stream", "accept-encoding": "identity", "cache-control": "no-store"}
        query = "after=0"
        if place:
            about["last-event-id"] = place
            query = ""
        async with answered(self._clients, self._call(f"{self._path}/events", about, query)) as answer:
            await check_stream(answer)
            if answer.response.status_code == 204:
                yield _nothing()
                return
            from debate_tui.sources.eventstream import EVENT_LIMIT, events

            async with aclosing(answer.body()) as body, aclosing(events(body, limit=EVENT_LIMIT)) as stream:
                yield _told(stream)

    def _call(self, path: str, about: dict[str, str], query: str = "") -> Call:
        url = f"{self._origin}{path}{'?' if query else ''}{query}"
        return Call("GET", url, self._headers, about)


async def _nothing() -> AsyncIterator[Told]:
    return
    yield


async def _told(stream: AsyncIterator[ServerSentEvent | Alive]) -> AsyncIterator[Told]:
    """Server-sent events as what they say; a snapshot is passed over, as its history was asked for."""
    async for item in stream:
        if isinstance(item, Alive):
            yield Told(retry_after=item.retry_after)
            continue
        try:
            match item.event:
                case "snapshot":
                    continue
                case "goodbye":
                    yield Told(notice="goodbye")
                case "reset":
                    yield Told(notice=msgspec.json.decode(item.data, type=_Reset).reason)
                case _:
                    yield Told(decode(item.data), place=item.id)
        except msgspec.DecodeError:
            raise Fault(FaultKind.SERVER, "The host said something that is no event.") from None
