"""The events of a debate, or of one debater: as an event stream, over a WebSocket, or as pages of JSON.

An ASGI application of its own: what lasts as long as a viewer watches is kept to a few small objects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import Event
from debate_tui.server import answers
from debate_tui.server.place import Place, parse
from debate_tui.server.streaming import EventStream, WebSocketStream
from debate_tui.server.viewer import Viewer
from debate_tui.server.wire import Encoding, Manner

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Receive, Scope, Send

    from debate_tui.server.channel import Channel
    from debate_tui.server.hub import Hub

MAX_BATCH_MS: Final = 5000
MAX_BATCH: Final = 1000
MAX_PAGE: Final = 1000

_PATH: Final = re.compile(r"/debates/(?P<debate>[^/]+)(?:/debaters/(?P<debater>[^/]+))?/events")


class EventPage(Struct, frozen=True):
    """Events behind the one asked for; `more` says whether there are more already, `id` where to go on."""

    events: tuple[Event, ...]
    seq: int
    id: str
    more: bool
    finished: bool


class Asked(Struct, frozen=True, rename={"last_event_id": "lastEventId"}):
    """The query of a stream; what else it says is of no interest."""

    batch_ms: int = 50
    batch: int = 0
    encoding: Encoding = "json"
    last_event_id: str = ""
    after: int | None = None
    limit: int = MAX_PAGE

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("batch_ms", self.batch_ms, 0, MAX_BATCH_MS),
            ("batch", self.batch, 0, MAX_BATCH),
            ("after", self.after or 0, 0, 2**53),
            ("limit", self.limit, 1, MAX_PAGE),
        ):
            if not least <= value <= most:
                raise ValueError(f"{name} is from {least} to {most}")


class Streams:
    """Answers requests for events, and hands all others on."""

    def __init__(self, hub: Hub, others: ASGIApp) -> None:
        self._hub = hub
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _PATH.fullmatch(scope["path"]) if scope["type"] in ("http", "websocket") else None
        if path is None or scope.get("method", "GET") not in ("GET", "HEAD"):
            await self._others(scope, receive, send)
            return
        try:
            if scope["type"] == "http":
                answer = await self._events(Request(scope), path["debate"], path["debater"])
            else:
                answer = await self._socket(WebSocket(scope, receive, send), path["debate"], path["debater"])
            await answer(scope, receive, send)
        except (DebateError, HTTPException) as error:
            refusal = answers.answer_to(error)
            if scope["type"] == "http":
                await refusal(scope, receive, send)
            else:
                await WebSocket(scope, receive, send).send_denial_response(refusal)

    async def _events(self, request: Request, debate: str, debater: str | None) -> ASGIApp:
        asked = _asked(request)
        channel, id_ = await self._found(debate, debater)
        place = request.headers.get("last-event-id") or asked.last_event_id
        if answers.wants_json(request):
            return await _page(channel, asked, place)
        if (known := parse(place)) is not None and channel.finished_by(known):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        manner = Manner("sse", id_, asked.batch_ms, asked.batch, asked.encoding)
        viewer = Viewer(channel, manner, place=place, after=asked.after)
        return EventStream(self._hub.audience, answers.address(request), viewer)

    async def _socket(self, socket: WebSocket, debate: str, debater: str | None) -> ASGIApp:
        asked = _asked(socket)
        channel, id_ = await self._found(debate, debater)
        place = socket.headers.get("last-event-id") or asked.last_event_id
        manner = Manner("websocket", id_, asked.batch_ms, asked.batch, asked.encoding)
        viewer = Viewer(channel, manner, place=place, after=asked.after)
        return WebSocketStream(self._hub.audience, answers.address(socket), viewer)

    async def _found(self, debate: str, debater: str | None) -> tuple[Channel, str | None]:
        channel = await answers.found(self._hub, debate)
        return channel, None if debater is None else _debater(channel, debater)


def _asked(connection: HTTPConnection) -> Asked:
    try:
        return msgspec.convert(dict(connection.query_params), Asked, strict=False)
    except msgspec.ValidationError as error:
        raise HTTPException(400, f"The query cannot be read: {error}.") from None


async def _page(channel: Channel, asked: Asked, place: str) -> Response:
    known = parse(place)
    after = known.base if known else asked.after or 0
    upto = min(channel.seq, after + asked.limit)
    events = tuple(await channel.read(after, upto)) if after < upto else ()
    seq = events[-1].seq if events else min(after, channel.seq)
    id_ = str(Place(channel.epoch, seq))
    finished = channel.transcript.finished is not None
    return answers.json(EventPage(events, seq, id_, seq < channel.seq, finished))


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
