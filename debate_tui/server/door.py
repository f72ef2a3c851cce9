"""What every request has to pass: the right name, the right page, and a token where one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from debate_tui.server.answers import error_response

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from debate_tui.server.access import AccessControl, Role
    from debate_tui.server.pages import PageFiles

PUBLIC_PATHS: Final = ("/health", "/enter", "/page/", "/openapi.json")
"""What needs no token."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

_SECURITY_HEADERS: Final = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("content-security-policy", CONTENT_SECURITY_POLICY),
)


class AuthMiddleware:
    """ASGI middleware; `state.role` says behind it what the client may do."""

    def __init__(self, app: ASGIApp, access: AccessControl, pages: PageFiles) -> None:
        self._app = app
        self._access = access
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return  # Whoever made the application starts and ends what it needs.
        refusal, role = self._authorize(HTTPConnection(scope))
        if refusal is None:
            scope.setdefault("state", {})["role"] = role
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await SecurityHeadersMiddleware(refusal)(scope, receive, send)

    def _authorize(self, connection: HTTPConnection) -> tuple[Response | None, Role | None]:
        """The answer of a request that goes no further, or what the client may do."""
        access, headers = self._access, connection.headers
        host = headers.get("host", "")
        if not access.is_allowed_host(host):
            return error_response(
                403, f"This server is not called {host!r}.", "Use the address it printed."
            ), None
        is_read = connection.scope.get("method") in ("GET", "HEAD", "OPTIONS")
        if not is_read and not access.is_allowed_origin(headers.get("origin"), host):
            return error_response(
                403, "A page of another origin may not do that.", "See --allow-origin."
            ), None
        role = access.role_of_request(headers, connection.cookies)
        # The path that is routed by; that of `connection.url` is partly what the client calls the server.
        if role is None and not connection.scope["path"].startswith(PUBLIC_PATHS):
            return self._login_required(connection), None
        return None, role

    def _login_required(self, connection: HTTPConnection) -> Response:
        if "text/html" in connection.headers.get("accept", ""):
            return self._pages.login_page(401)
        return error_response(
            401, "A token is needed.", "Send Authorization: Bearer TOKEN.", {"www-authenticate": "Bearer"}
        )


class SecurityHeadersMiddleware:
    """ASGI middleware: answers say what a browser must not do with them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
