"""Routes of debates: lists, snapshots, material, commands, new debates, and events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Route

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebaterInfo, Event
from debate_tui.server import commands, responses
from debate_tui.server.auth import VOTER_COOKIE, is_from_elsewhere
from debate_tui.server.connections import ViewerResponse
from debate_tui.server.encoding import (
    Encoding,
    EventCursor,
    StreamOptions,
    is_relevant,
    nearest_batches,
    parse_cursor,
)
from debate_tui.server.limits import RateLimiter
from debate_tui.server.viewer import Viewer
from debate_tui.session.commands import Interject

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from debate_tui.record.summary import DebateSummary
    from debate_tui.server.auth import AccessControl
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.encoding import Transport
    from debate_tui.server.hosted_debate import HostedDebate
    from debate_tui.server.hub import Hub
    from debate_tui.server.page import PageFiles


T = TypeVar("T")


class DebateListEntry(Struct, frozen=True):
    """A debate in the list; `state` is ``running`` until the debate has finished."""

    debate: str
    topic: str
    format: str
    debaters: tuple[DebaterInfo, ...]
    started: float
    updated: float
    state: str
    live: bool
    seq: int


MAX_LISTED: Final = 100
"""Maximum debates per page of the list."""


class ListQuery(Struct, frozen=True):
    """The list's query: `words` that debates must contain; `after` is the previous page's `next`."""

    words: str = ""
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = MAX_LISTED


def _list_position(summary: DebateSummary) -> tuple[float, str]:
    """Return a debate's sort key in the list."""
    return -summary.started, summary.debate


def _parse_position(text: str) -> tuple[float, str]:
    """Parse a page's `next`; raise `HTTPException` 400 if it is not valid."""
    started, _, debate = text.partition(":")
    try:
        return -float(started), debate
    except ValueError:
        raise HTTPException(400, "The query is not valid: 'after' must be the 'next' of a page.") from None


class DebateRoutes:
    """Routes of debates; without a `launcher`, hosts cannot start debates."""

    def __init__(
        self, hub: Hub, access: AccessControl, pages: PageFiles, launcher: DebateLauncher | None
    ) -> None:
        self._hub = hub
        self._access = access
        self._pages = pages
        self._launcher = launcher
        self._votes = RateLimiter(commands.VOTE_BURST, commands.VOTE_INTERVAL_S)
        self._requests = RateLimiter(commands.ORDER_BURST, commands.ORDER_INTERVAL_S)
        self._interjections = RateLimiter(commands.INTERJECTION_BURST, commands.INTERJECTION_INTERVAL_S)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/debates", self.list_debates),
            Route("/debates", self.start_debate, methods=["POST"]),
            Route("/debates/{debate}", self.get_debate),
            Route("/debates/{debate}/material/{number}", self.get_material),
            Route("/debates/{debate}/commands", self.post_command, methods=["POST"]),
        ]

    async def list_debates(self, request: Request) -> Response:
        """Return a page of debates, newest first; browsers get the web page."""
        if responses.wants_html(request):
            return self._pages.respond("debates.html")
        query = _parse_query(request, ListQuery)
        found = await self._hub.debates(query.words)
        if query.after:
            after = _parse_position(query.after)
            found = [each for each in found if _list_position(each[0]) > after]
        entries = [
            DebateListEntry(
                summary.debate,
                summary.topic,
                summary.format,
                summary.debaters,
                summary.started,
                summary.updated,
                summary.finished or "running",
                live,
                summary.events,
            )
            for summary, live in found[: query.limit]
        ]
        next_ = f"{entries[-1].started!r}:{entries[-1].debate}" if len(found) > query.limit else None
        return responses.json_response({"debates": entries, "next": next_})

    async def get_debate(self, request: Request) -> Response:
        """Return the current state of a debate; browsers get the web page."""
        if responses.wants_html(request):
            return self._pages.respond("debate.html")
        hosted = await self._find_debate(request)
        return responses.json_response(hosted.encode_state())

    async def get_material(self, request: Request) -> Response:
        """Return a text that everyone in the debate was given."""
        number = request.path_params["number"]
        text = (await self._find_debate(request)).find_material(number)
        if text is None:
            raise HTTPException(404, f"No material has the number {number!r} in this debate.")
        return responses.json_response(text)

    async def post_command(self, request: Request) -> Response:
        """Execute a command of the host, or a viewer's vote."""
        command = await responses.read_json_body(request, commands.decode_command)
        if isinstance(command, commands.VoteRequest):
            return await self._cast_vote(command, request)
        responses.require_host(request)
        hosted = await self._find_debate(request)
        if isinstance(command, Interject):
            responses.require_rate(self._interjections, hosted.debate, "Too many interjections at once.")
            self._interjections.count(hosted.debate)
        commands.execute_command(command, hosted)
        return responses.json_response({"ok": True}, 202)

    async def _cast_vote(self, command: commands.VoteRequest, request: Request) -> Response:
        """Cast one vote per voter, within the address's rate limit; new voters get a cookie."""
        hosted = await self._find_debate(request)
        address = responses.client_address(request)
        responses.require_rate(self._votes, address, "Too many votes from your address.")
        ticket = self._access.ticket_of_request(request.headers, request.cookies)
        name, cookie = (ticket, "") if ticket else self._access.create_voter()
        commands.execute_command(command, hosted, name)
        self._votes.count(address)
        response = responses.json_response({"ok": True}, 202)
        if cookie:
            response.set_cookie(
                VOTER_COOKIE, cookie, httponly=True, samesite="lax", secure=request.url.scheme == "https"
            )
        return response

    async def start_debate(self, request: Request) -> Response:
        """Start a debate."""
        responses.require_host(request)
        if self._launcher is None:
            raise HTTPException(501, "This server does not start debates.")
        requested = await responses.read_json_body(request, commands.decode_debate_request)
        if is_from_elsewhere(request):
            responses.require_rate(self._requests, "", "Too many debates were started.")
            self._requests.count("")
            debate = await self._launcher.start_debate(requested, from_elsewhere=True)
        else:
            debate = await self._launcher.start_debate(requested)
        return responses.json_response({"debate": debate}, 201, {"location": f"/debates/{debate}"})

    async def _find_debate(self, request: Request) -> HostedDebate:
        return await responses.get_debate_or_404(self._hub, request.path_params["debate"])


# Events of a debate or of one debater. An ASGI application of its own, to keep little memory per viewer.


MAX_PAGE_EVENTS: Final = 1000

_EVENTS_PATH: Final = re.compile(r"/debates/(?P<debate>[^/]+)(?:/debaters/(?P<debater>[^/]+))?/events")


class EventPage(Struct, frozen=True):
    """A page of events; `more` says whether there are more now, `id` is the cursor to continue from."""

    events: tuple[Event, ...]
    seq: int
    id: str
    more: bool
    finished: bool


class StreamQuery(Struct, frozen=True, rename={"last_event_id": "lastEventId"}):
    """The query of a stream; unknown parameters are ignored."""

    batch_ms: Annotated[int, Meta(ge=0, le=5000)] = 50
    batch: Annotated[int, Meta(ge=0, le=1000)] = 0
    encoding: Encoding = "json"
    last_event_id: str = ""
    after: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_EVENTS)] = MAX_PAGE_EVENTS


class EventRoutes:
    """ASGI application for events; passes all other requests to `fallback`."""

    def __init__(self, hub: Hub, fallback: ASGIApp) -> None:
        self._hub = hub
        self._fallback = fallback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _EVENTS_PATH.fullmatch(scope["path"]) if scope["type"] in ("http", "websocket") else None
        if path is None or scope.get("method", "GET") not in ("GET", "HEAD"):
            await self._fallback(scope, receive, send)
            return
        try:
            response = await self._respond(HTTPConnection(scope), path["debate"], path["debater"])
            await response(scope, receive, send)
        except (DebateError, HTTPException) as error:
            await responses.refuse(responses.response_to_error(error), scope, receive, send)

    async def _respond(self, connection: HTTPConnection, debate: str, debater: str | None) -> ASGIApp:
        query = _parse_query(connection, StreamQuery)
        hosted = await responses.get_debate_or_404(self._hub, debate)
        debater_id = None if debater is None else _find_debater(hosted, debater)
        resume_id = connection.headers.get("last-event-id") or query.last_event_id
        transport: Transport = "websocket"
        if connection.scope["type"] == "http":
            transport = "sse"
            if responses.wants_json(connection):
                return await _event_page(hosted, query, resume_id, debater_id)
            if (cursor := parse_cursor(resume_id)) is not None and hosted.is_complete_at(cursor):
                return Response(status_code=204, headers={"cache-control": "no-store"})
            if connection.scope["method"] == "HEAD":
                return Response(media_type="text/event-stream")
        batches = nearest_batches(query.batch_ms, query.batch)
        options = StreamOptions(transport, debater_id, *batches, query.encoding)
        viewer = Viewer(hosted, options, resume_id=resume_id, after=query.after)
        return ViewerResponse(self._hub.viewers, responses.client_address(connection), viewer)


def _parse_query(connection: HTTPConnection, type_: type[T]) -> T:
    try:
        return msgspec.convert(dict(connection.query_params), type_, strict=False)
    except msgspec.ValidationError as error:
        raise HTTPException(400, f"The query is not valid: {error}.") from None


async def _event_page(
    hosted: HostedDebate, query: StreamQuery, resume_id: str, debater: str | None
) -> Response:
    cursor = parse_cursor(resume_id)
    after = cursor.contiguous_seq if cursor else query.after or 0
    upto = min(hosted.seq, after + query.limit)
    events = tuple(await hosted.read(after, upto)) if after < upto else ()
    seq = events[-1].seq if events else min(after, hosted.seq)
    id_ = str(EventCursor(hosted.epoch, seq))
    finished = hosted.transcript.finish_reason is not None
    relevant = tuple(event for event in events if is_relevant(event, debater))
    return responses.json_response(EventPage(relevant, seq, id_, seq < hosted.seq, finished))


def _find_debater(hosted: HostedDebate, id_or_name: str) -> str:
    """Return a debater's id from its id or name; raise `HTTPException` 404 if it is unknown."""
    debaters = hosted.transcript.debaters
    if id_or_name in debaters:
        return id_or_name
    folded_name = id_or_name.casefold()
    for debater in debaters.values():
        if debater.name.casefold() == folded_name:
            return debater.id
    raise HTTPException(404, f"No debater named {id_or_name!r} in this debate.")
