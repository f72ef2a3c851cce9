"""The ASGI application with all routes, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from debate_tui.domain.errors import DebateError
from debate_tui.server import responses
from debate_tui.server.auth import LoginRoutes
from debate_tui.server.middleware import AuthMiddleware, SecurityHeadersMiddleware
from debate_tui.server.page import PageFiles
from debate_tui.server.routes import DebateRoutes, EventRoutes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, ExceptionHandler

    from debate_tui.server.auth import AccessControl
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.hub import Hub


# Metrics in Prometheus' text format.


METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTERS = (
    ("admitted", "viewers_admitted_total", "Viewers that were let in."),
    ("refused", "viewers_refused_total", "Viewers that were not let in because of a limit."),
    ("dropped", "viewers_dropped_total", "Viewers that took nothing of what was sent to them."),
    ("reset", "viewers_reset_total", "Snapshots that replaced events a viewer missed."),
    ("bytes", "sent_bytes_total", "Bytes of events sent to viewers."),
)


def render_metrics(hub: Hub) -> str:
    """Return all metrics in Prometheus' text format."""
    return "".join(_metric_lines(hub))


def _metric_lines(hub: Hub) -> Iterator[str]:
    counts = hub.viewers.counts
    yield from _format_metric("viewers", "gauge", "Viewers that watch now.", len(hub.viewers))
    hosted_debates = hub.hosted_debates
    yield from _format_metric("debates_open", "gauge", "Debates kept in memory.", len(hosted_debates))
    running = sum(channel.handle is not None and not channel.over for channel in hosted_debates)
    yield from _format_metric("debates_held", "gauge", "Debates under way in this process.", running)
    published = sum(channel.seq for channel in hosted_debates)
    yield from _format_metric("events_open", "gauge", "Events of the debates kept in memory.", published)
    for key, name, meaning in _COUNTERS:
        yield from _format_metric(name, "counter", meaning, counts[key])


def _format_metric(name: str, kind: str, meaning: str, value: int) -> Iterator[str]:
    yield f"# HELP debate_tui_{name} {meaning}\n"
    yield f"# TYPE debate_tui_{name} {kind}\n"
    yield f"debate_tui_{name} {value}\n"


def create_app(hub: Hub, access: AccessControl, launcher: DebateLauncher | None = None) -> ASGIApp:
    """Create the application. Without a `launcher`, hosts cannot start debates over HTTP."""
    pages = PageFiles()
    debates = DebateRoutes(hub, access, pages, launcher)
    login = LoginRoutes(access, pages)

    async def health(request: Request) -> Response:
        return responses.json_response({"status": "ok"})

    async def metrics_text(request: Request) -> Response:
        return Response(render_metrics(hub), media_type=METRICS_MEDIA_TYPE)

    async def me(request: Request) -> Response:
        return responses.json_response({"role": request.state.role})

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
