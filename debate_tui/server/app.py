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
from debate_tui.server.debates import DebateRoutes
from debate_tui.server.door import AuthMiddleware, SecurityHeadersMiddleware
from debate_tui.server.entrance import LoginRoutes
from debate_tui.server.pages import PageFiles
from debate_tui.server.streams import EventRoutes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, ExceptionHandler

    from debate_tui.server.access import AccessControl
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.hub import Hub


def create_app(hub: Hub, access: AccessControl, launcher: DebateLauncher | None = None) -> ASGIApp:
    """The application; `launcher` holds the debates that are ordered, where that is to be possible."""
    pages = PageFiles()
    debates = DebateRoutes(hub, access, pages, launcher)
    login = LoginRoutes(access, pages)

    async def health(request: Request) -> Response:
        return answers.json_response({"status": "ok"})

    async def metrics_text(request: Request) -> Response:
        return Response(metrics.render_metrics(hub), media_type=metrics.METRICS_MEDIA_TYPE)

    async def me(request: Request) -> Response:
        return answers.json_response({"role": request.state.role})

    debate_path = "/debates/{debate}"
    routes = [
        Route("/", pages.redirect_to_debates),
        Route("/health", health),
        Route("/metrics", metrics_text),
        Route("/me", me),
        Route("/openapi.json", pages.openapi),
        Route("/page/{name}", pages.page_file),
        Route("/enter", login.login_form),
        Route("/enter", login.log_in, methods=["POST"]),
        Route("/links", login.create_link, methods=["POST"]),
        Route("/debates", debates.list_debates),
        Route("/debates", debates.start_debate, methods=["POST"]),
        Route(debate_path, debates.get_debate),
        Route(f"{debate_path}/commands", debates.post_command, methods=["POST"]),
    ]
    handled_errors = (DebateError, HTTPException)
    pages_and_commands = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeadersMiddleware)],
        exception_handlers=dict.fromkeys(handled_errors, cast("ExceptionHandler", answers.handle_error)),
    )
    app = AuthMiddleware(EventRoutes(hub, pages_and_commands), access, pages)
    if not access.origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=sorted(access.origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "last-event-id"],
    )
