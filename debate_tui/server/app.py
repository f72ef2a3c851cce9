"""The HTTP interface: debates as JSON, event streams, WebSockets and pages, and commands to steer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from debate_tui.domain.errors import DebateError
from debate_tui.server import answers, metrics
from debate_tui.server.debates import Debates
from debate_tui.server.door import Door, Hardened
from debate_tui.server.entrance import Entrance
from debate_tui.server.pages import Pages
from debate_tui.server.streams import Streams

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, ExceptionHandler

    from debate_tui.server.access import Access
    from debate_tui.server.commands import Holder
    from debate_tui.server.hub import Hub


def create(hub: Hub, access: Access, holder: Holder | None = None) -> ASGIApp:
    """The application; `holder` holds the debates that are ordered, where that is to be possible."""
    pages = Pages()
    debates = Debates(hub, access, pages, holder)
    entrance = Entrance(access, pages)

    async def health(request: Request) -> Response:
        return answers.json({"status": "ok"})

    async def figures(request: Request) -> Response:
        return Response(metrics.text(hub), media_type=metrics.MEDIA_TYPE)

    async def me(request: Request) -> Response:
        return answers.json({"role": request.state.role})

    one = "/debates/{debate}"
    routes = [
        Route("/", pages.start),
        Route("/health", health),
        Route("/metrics", figures),
        Route("/me", me),
        Route("/openapi.json", pages.interface),
        Route("/page/{name}", pages.part),
        Route("/enter", entrance.form),
        Route("/enter", entrance.enter, methods=["POST"]),
        Route("/links", entrance.new_link, methods=["POST"]),
        Route("/debates", debates.every),
        Route("/debates", debates.hold, methods=["POST"]),
        Route(one, debates.one),
        Route(f"{one}/commands", debates.command, methods=["POST"]),
    ]
    foreseen = (DebateError, HTTPException)
    pages_and_commands = Starlette(
        routes=routes,
        middleware=[Middleware(Hardened)],
        exception_handlers=dict.fromkeys(foreseen, cast("ExceptionHandler", answers.complain)),
    )
    guarded = Door(Streams(hub, pages_and_commands), access, pages)
    if not access.origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=sorted(access.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "last-event-id"],
    )
