"""The routes of debates: lists, snapshots, events in every form, and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.responses import Response

from debate_tui.domain.events import DebaterInfo, Event
from debate_tui.server import answers, commands
from debate_tui.server.access import VOTER_COOKIE
from debate_tui.server.place import Place, parse
from debate_tui.server.streaming import EventStream, WebSocketStream
from debate_tui.server.viewer import Viewer
from debate_tui.server.wire import Encoding, Manner

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

    from debate_tui.server.access import Access
    from debate_tui.server.channel import Channel
    from debate_tui.server.commands import Holder
    from debate_tui.server.hub import Hub
    from debate_tui.server.pages import Pages
    from debate_tui.server.wire import Transport

MAX_BATCH_MS = 5000
MAX_BATCH = 1000
MAX_PAGE = 1000


class Listed(Struct, frozen=True):
    """A debate in the list; `state` is ``running`` unless its end is known."""

    debate: str
    topic: str
    format: str
    debaters: tuple[DebaterInfo, ...]
    started: float
    updated: float
    state: str
    live: bool
    seq: int


class EventPage(Struct, frozen=True):
    """Events behind the one asked for; `more` says whether there are more already, `id` where to go on."""

    events: tuple[Event, ...]
    seq: int
    id: str
    more: bool
    finished: bool


class _Asked(Struct, frozen=True, rename={"last_event_id": "lastEventId"}):
    """The query of an event stream; what else it says is of no interest."""

    batch_ms: int = 50
    batch: int = 0
    encoding: Encoding = "json"
    last_event_id: str = ""
    after: int | None = None
    limit: int = MAX_PAGE

    def __post_init__(self) -> None:
        for name, value, most in (
            ("batch_ms", self.batch_ms, MAX_BATCH_MS),
            ("batch", self.batch, MAX_BATCH),
            ("after", self.after or 0, 2**53),
            ("limit", self.limit - 1, MAX_PAGE - 1),
        ):
            if not 0 <= value <= most:
                raise ValueError(f"{name} is out of range")


class Debates:
    """The routes; `holder` is `None` where no debate can be ordered."""

    def __init__(self, hub: Hub, access: Access, pages: Pages, holder: Holder | None) -> None:
        self._hub = hub
        self._access = access
        self._pages = pages
        self._holder = holder

    async def every(self, request: Request) -> Response:
        """All debates, newest first; a browser gets the page that lists them."""
        if answers.wants_page(request):
            return self._pages.debates()
        found = await self._hub.debates(request.query_params.get("words", ""))
        listed = [
            Listed(
                each.debate,
                each.topic,
                each.format,
                each.debaters,
                each.started,
                each.updated,
                each.finished or "running",
                live,
                each.events,
            )
            for each, live in found
        ]
        return answers.json({"debates": listed})

    async def one(self, request: Request) -> Response:
        """A debate as it stands; a browser gets the page to watch it on."""
        if answers.wants_page(request):
            return self._pages.debate()
        return answers.json((await self._channel(request)).whole())

    async def events(self, request: Request) -> ASGIApp | Response:
        """The events of a debate, or of one debater: as a stream, or, if JSON is wanted, as one page."""
        channel, manner, asked = await self._stream(request, "sse")
        place = request.headers.get("last-event-id") or asked.last_event_id
        if answers.wants_json(request):
            return await _page(channel, asked, place)
        if (known := parse(place)) is not None and channel.finished_by(known):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        viewer = Viewer(channel, manner, place=place, after=asked.after)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return EventStream(self._hub.audience, _address(request), viewer)

    async def socket(self, socket: WebSocket) -> None:
        """The same as messages."""
        channel, manner, asked = await self._stream(socket, "websocket")
        place = socket.headers.get("last-event-id") or asked.last_event_id
        viewer = Viewer(channel, manner, place=place, after=asked.after)
        stream = WebSocketStream(self._hub.audience, _address(socket), viewer)
        await stream(socket.scope, socket.receive, socket.send)

    async def command(self, request: Request) -> Response:
        """Do as the host says; a viewer may vote."""
        asked = commands.command(await answers.body(request))
        if not isinstance(asked, commands.CastVote):
            answers.need_host(request)
        channel = await self._channel(request)
        voter = self._access.voter(request.cookies.get(VOTER_COOKIE, ""))
        name, cookie = (voter, "") if voter else self._access.new_voter()
        commands.carry_out(asked, channel, name)
        answer = answers.json({"ok": True}, 202)
        if cookie and isinstance(asked, commands.CastVote):
            answer.set_cookie(
                VOTER_COOKIE, cookie, httponly=True, samesite="lax", secure=request.url.scheme == "https"
            )
        return answer

    async def hold(self, request: Request) -> Response:
        """Hold a debate."""
        answers.need_host(request)
        if self._holder is None:
            raise HTTPException(501, "This server holds no debates of its own.")
        debate = await self._holder.hold(commands.order(await answers.body(request)))
        return answers.json({"debate": debate}, 201, {"location": f"/debates/{debate}"})

    async def _stream(
        self, connection: HTTPConnection, transport: Transport
    ) -> tuple[Channel, Manner, _Asked]:
        try:
            asked = msgspec.convert(dict(connection.query_params), _Asked, strict=False)
        except msgspec.ValidationError as error:
            raise HTTPException(400, f"The query cannot be read: {error}.") from None
        channel = await self._channel(connection)
        debater = connection.path_params.get("debater")
        if debater is not None:
            debater = _debater(channel, debater)
        return channel, Manner(transport, debater, asked.batch_ms, asked.batch, asked.encoding), asked

    async def _channel(self, connection: HTTPConnection) -> Channel:
        debate = connection.path_params["debate"]
        channel = await self._hub.find(debate)
        if channel is None:
            raise HTTPException(404, f"There is no debate {debate!r}.")
        return channel


async def _page(channel: Channel, asked: _Asked, place: str) -> Response:
    known = parse(place)
    after = asked.after if asked.after is not None else known.base if known else 0
    upto = min(channel.seq, after + asked.limit)
    events = tuple(await channel.read(after, upto)) if after < upto else ()
    seq = events[-1].seq if events else min(after, channel.seq)
    return answers.json(
        EventPage(
            events,
            seq,
            str(Place(channel.epoch, seq)),
            seq < channel.seq,
            channel.transcript.finished is not None,
        )
    )


def _debater(channel: Channel, named: str) -> str:
    """A debater's id by its id or its name."""
    debaters = channel.transcript.debaters
    if named in debaters:
        return named
    wanted = named.casefold()
    for debater in debaters.values():
        if debater.name.casefold() == wanted:
            return debater.id
    raise HTTPException(404, f"There is no debater {named!r} in this debate.")


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""
