"""The web page: static files that get their content from event streams, and their security headers."""

from __future__ import annotations

from hashlib import blake2s
from importlib import resources
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MEDIA_TYPES: Final = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "json": "application/json",
}

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


class PageFiles:
    """The page's files, kept in memory."""

    def __init__(self) -> None:
        package = resources.files("debate_tui")
        files = [*(package / "page").iterdir(), *(package / "server" / "static").iterdir()]
        self._files = {file.name: file.read_bytes() for file in files if file.is_file()}

    def respond(self, name: str, status: int = 200) -> Response:
        """Return a file that must not be cached."""
        kind = name.rpartition(".")[2]
        headers = {"cache-control": "no-store"} | ({"vary": "accept"} if kind == "html" else {})
        return Response(self._files[name], status, headers, _MEDIA_TYPES[kind])

    async def page_file(self, request: Request) -> Response:
        """Return a file that pages load; browsers may cache it but must revalidate."""
        name = request.path_params["name"]
        if name not in self._files or name.endswith(".html"):
            raise HTTPException(404, f"No file named {name!r}.")
        etag = f'"{blake2s(self._files[name], digest_size=8).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"etag": etag})
        response = self.respond(name)
        response.headers.update({"cache-control": "no-cache", "etag": etag})
        return response


def add_security_headers(headers: MutableHeaders) -> None:
    """Add the security headers of a response, unless it has its own."""
    for name, value in _SECURITY_HEADERS:
        headers.setdefault(name, value)


class SecurityHeadersMiddleware:
    """ASGI middleware that adds security headers to responses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_headers)
