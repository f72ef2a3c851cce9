"""The routes of debates but for their events: lists, snapshots, commands, and new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from starlette.exceptions import HTTPException

from debate_tui.domain.events import DebaterInfo
from debate_tui.server import answers, commands
from debate_tui.server.access import VOTER_COOKIE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from debate_tui.server.access import Access
    from debate_tui.server.channel import Channel
    from debate_tui.server.commands import Holder
    from debate_tui.server.hub import Hub
    from debate_tui.server.pages import Pages


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

    async def command(self, request: Request) -> Response:
        """Do as the host says; a viewer may vote."""
        asked = await answers.body(request, commands.command)
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
        debate = await self._holder.hold(await answers.body(request, commands.order))
        return answers.json({"debate": debate}, 201, {"location": f"/debates/{debate}"})

    async def _channel(self, request: Request) -> Channel:
        return await answers.found(self._hub, request.path_params["debate"])
