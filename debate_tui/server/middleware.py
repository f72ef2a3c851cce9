"""ASGI middleware: authorization and security headers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from debate_tui.server import responses
from debate_tui.server.auth import bearer_token, came_through_proxy
from debate_tui.server.responses import error_response

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from debate_tui.server.auth import AccessControl, Role
    from debate_tui.server.page import PageFiles

PUBLIC_PATHS: Final = ("/health", "/enter", "/page/", "/openapi.json")
"""Path prefixes that need no token."""


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
    """ASGI middleware that refuses unauthorized requests and sets `state.role` for the others."""

    def __init__(self, app: ASGIApp, access: AccessControl, pages: PageFiles) -> None:
        self._app = app
        self._access = access
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return  # Not used: the caller starts and stops what the application needs.
        refusal, role = self._authorize(HTTPConnection(scope))
        if refusal is None:
            scope.setdefault("state", {})["role"] = role
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await SecurityHeadersMiddleware(refusal)(scope, receive, send)

    def _authorize(self, connection: HTTPConnection) -> tuple[Response | None, Role | None]:
        """Return a refusal, or `None` and the client's role (`None` on public paths without one)."""
        access, headers, scope = self._access, connection.headers, connection.scope
        is_read = scope.get("method") in ("GET", "HEAD", "OPTIONS")
        if not is_read and not access.is_allowed_origin(headers.get("origin"), headers.get("host", "")):
            return error_response(
                403, "A page of another origin may not do that.", "See --allow-origin."
            ), None
        address = responses.client_address(connection)
        has_token = bearer_token(headers) is not None
        if has_token and (wait := access.guesses.wait_s(address)):
            retry_after = {"retry-after": str(math.ceil(wait))}
            return error_response(429, "Too many wrong tokens.", "Wait before the next.", retry_after), None
        proxied = came_through_proxy(headers, scope["http_version"])
        role = access.role_of_request(headers, connection.cookies, proxied=proxied)
        if role is None and has_token:
            access.guesses.count(address)
        # Use the path for routing: `connection.url` also depends on the client's ``Host`` header.
        if role is None and not scope["path"].startswith(PUBLIC_PATHS):
            return self._login_required(connection), None
        return None, role

    def _login_required(self, connection: HTTPConnection) -> Response:
        headers = connection.headers
        if "text/html" in headers.get("accept", ""):
            return self._pages.login_page(401)
        host = headers.get("host", "")
        if bearer_token(headers) is None and not self._access.is_own_name(host):
            # Prevent DNS rebinding by web pages elsewhere. Clients of a proxy send a token.
            return error_response(
                403, f"This server is not called {host!r}.", "Send a token, or use the address it printed."
            )
        return error_response(
            401, "A token is needed.", "Send Authorization: Bearer TOKEN.", {"www-authenticate": "Bearer"}
        )


class SecurityHeadersMiddleware:
    """ASGI middleware that adds security headers to responses."""

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
