"""The ASGI application with all routes, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from debate_tui.domain.errors import DebateError
from debate_tui.server import responses
from debate_tui.server.auth import AuthMiddleware, LoginRoutes
from debate_tui.server.page import PageFiles, SecurityHeadersMiddleware
from debate_tui.server.routes import DebateRoutes, EventRoutes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, ExceptionHandler

    from debate_tui.server.auth import AccessControl
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.hub import Hub

METRICS_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def render_metrics(hub: Hub) -> str:
    """Return all metrics in Prometheus' text format."""
    counts, hosted_debates = hub.viewers.counts, hub.hosted_debates
    running = sum(hosted.handle is not None and not hosted.over for hosted in hosted_debates)
    published = sum(hosted.seq for hosted in hosted_debates)
    metrics = (
        ("viewers", "gauge", "Viewers connected now.", len(hub.viewers)),
        ("debates_open", "gauge", "Debates kept in memory.", len(hosted_debates)),
        ("debates_held", "gauge", "Debates running in this process.", running),
        ("events_open", "gauge", "Events of the debates kept in memory.", published),
        ("viewers_admitted_total", "counter", "Viewers that were admitted.", counts["admitted"]),
        ("viewers_refused_total", "counter", "Viewers refused because of a limit.", counts["refused"]),
        ("viewers_dropped_total", "counter", "Viewers dropped because they stalled.", counts["dropped"]),
        ("viewers_reset_total", "counter", "Snapshots sent in place of missed events.", counts["reset"]),
        ("sent_bytes_total", "counter", "Bytes of events sent to viewers.", counts["bytes"]),
    )
    return "".join(
        f"# HELP debate_tui_{name} {meaning}\n# TYPE debate_tui_{name} {kind}\ndebate_tui_{name} {value}\n"
        for name, kind, meaning, value in metrics
    )


def create_app(hub: Hub, access: AccessControl, launcher: DebateLauncher | None = None) -> ASGIApp:
    """Create the application. Without a `launcher`, hosts cannot start debates over HTTP."""
    pages = PageFiles()
    routes = [
        *_general_routes(hub, pages),
        *LoginRoutes(access, pages).routes(),
        *DebateRoutes(hub, access, pages, launcher).routes(),
    ]
    handled_errors = (DebateError, HTTPException)
    pages_and_commands = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeadersMiddleware)],
        exception_handlers=dict.fromkeys(handled_errors, cast("ExceptionHandler", responses.handle_error)),
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


def _general_routes(hub: Hub, pages: PageFiles) -> list[Route]:
    async def home(request: Request) -> Response:
        return RedirectResponse("/debates", 307)

    async def health(request: Request) -> Response:
        return responses.json_response({"status": "ok"})

    async def metrics(request: Request) -> Response:
        return Response(render_metrics(hub), media_type=METRICS_MEDIA_TYPE)

    async def me(request: Request) -> Response:
        return responses.json_response({"role": request.state.role})

    async def openapi(request: Request) -> Response:
        return pages.respond("openapi.json")

    return [
        Route("/", home),
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/me", me),
        Route("/openapi.json", openapi),
        Route("/page/{name}", pages.page_file),
    ]
