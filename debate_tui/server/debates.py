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

    from debate_tui.server.access import AccessControl
    from debate_tui.server.channel import HostedDebate
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.hub import Hub
    from debate_tui.server.pages import PageFiles


class DebateListEntry(Struct, frozen=True):
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


class DebateRoutes:
    """The routes; `launcher` is `None` where no debate can be ordered."""

    def __init__(
        self, hub: Hub, access: AccessControl, pages: PageFiles, launcher: DebateLauncher | None
    ) -> None:
        self._hub = hub
        self._access = access
        self._pages = pages
        self._launcher = launcher

    async def list_debates(self, request: Request) -> Response:
        """All debates, newest first; a browser gets the page that lists them."""
        if answers.wants_html(request):
            return self._pages.debates_page()
        found = await self._hub.debates(request.query_params.get("words", ""))
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
            for summary, live in found
        ]
        return answers.json_response({"debates": entries})

    async def get_debate(self, request: Request) -> Response:
        """A debate as it stands; a browser gets the page to watch it on."""
        if answers.wants_html(request):
            return self._pages.debate_page()
        return answers.json_response((await self._find_debate(request)).full_snapshot())

    async def post_command(self, request: Request) -> Response:
        """Do as the host says; a viewer may vote."""
        command = await answers.read_json_body(request, commands.decode_command)
        if not isinstance(command, commands.VoteCommand):
            answers.require_host(request)
        hosted = await self._find_debate(request)
        voter = self._access.voter_of_cookie(request.cookies.get(VOTER_COOKIE, ""))
        name, cookie = (voter, "") if voter else self._access.create_voter()
        commands.execute_command(command, hosted, name)
        response = answers.json_response({"ok": True}, 202)
        if cookie and isinstance(command, commands.VoteCommand):
            response.set_cookie(
                VOTER_COOKIE, cookie, httponly=True, samesite="lax", secure=request.url.scheme == "https"
            )
        return response

    async def start_debate(self, request: Request) -> Response:
        """Hold a debate."""
        answers.require_host(request)
        if self._launcher is None:
            raise HTTPException(501, "This server holds no debates of its own.")
        debate = await self._launcher.start_debate(
            await answers.read_json_body(request, commands.decode_debate_request)
        )
        return answers.json_response({"debate": debate}, 201, {"location": f"/debates/{debate}"})

    async def _find_debate(self, request: Request) -> HostedDebate:
        return await answers.get_debate_or_404(self._hub, request.path_params["debate"])
