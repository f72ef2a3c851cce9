"""Who may watch and who may steer: tokens, one-time links, and the cookies these become."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.websockets import WebSocket

from debate_tui.server import responses
from debate_tui.server.responses import error_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from debate_tui.server.page import PageFiles


Role = Literal["viewer", "host"]

LOGIN_COOKIE: Final = "debate_tui_pass"
VOTER_COOKIE: Final = "debate_tui_voter"

LOGIN_TTL_S: Final = 30 * 24 * 3600
"""How long a cookie is good."""

LINK_TTL_S: Final = 24 * 3600
"""How long a one-time link is good."""

MAX_LINKS: Final = 1000
"""Unused links there may be at a time; the oldest go first."""


class AccessControl:
    """The tokens of one server.

    Whoever has the host's token may do everything. Viewers need theirs where `viewers_need_token`; it is
    given, or made from the host's, so that it stays the same as long as that does. `origins` are web pages
    of other places that may use the server (CORS), and by whose host names it may be reached.
    """

    def __init__(
        self,
        host_token: str = "",
        viewer_token: str = "",
        *,
        viewers_need_token: bool = False,
        origins: Iterable[str] = (),
        host_names: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host_token = host_token or secrets.token_urlsafe(18)
        self.viewer_token = viewer_token or self._sign("viewer", 24)
        self.viewers_need_token = viewers_need_token or bool(viewer_token)
        self.origins = frozenset(origins)
        self._host_names = {*host_names, *(host_name(urlsplit(origin).netloc) for origin in self.origins)}
        self._clock = clock
        self._links: dict[str, tuple[Role, float]] = {}

    def role_of_request(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Role | None:
        """What whoever sent these may do; `None` for nothing. A wrong token is worse than none."""
        if authorization := headers.get("authorization"):
            scheme, _, token = authorization.partition(" ")
            return self.role_of_token(token.strip()) if scheme.lower() == "bearer" else None
        if (role := self._role_of_cookie(cookies.get(LOGIN_COOKIE, ""))) is not None:
            return role
        return None if self.viewers_need_token else "viewer"

    def role_of_token(self, token: str) -> Role | None:
        """Whose token it is."""
        if _equal_constant_time(token, self.host_token):
            return "host"
        return "viewer" if _equal_constant_time(token, self.viewer_token) else None

    # Links and cookies

    def create_link(self, role: Role) -> str:
        """The code of a new one-time link."""
        while len(self._links) >= MAX_LINKS:
            del self._links[next(iter(self._links))]
        code = secrets.token_urlsafe(18)
        self._links[code] = (role, self._clock() + LINK_TTL_S)
        return code

    def redeem_link(self, code: str) -> Role | None:
        """What a link's code is good for; it is good once."""
        role, until = self._links.pop(code, (None, 0.0))
        return role if self._clock() < until else None

    def create_login_cookie(self, role: Role) -> str:
        """A pass to keep: no token, yet good after a restart with the same token."""
        until = f"{role}.{int(self._clock()) + LOGIN_TTL_S}"
        return f"{until}.{self._sign(until)}"

    def voter_of_cookie(self, cookie: str) -> str | None:
        """The voter a cookie names, if it is one of ours."""
        name, _, signature = cookie.partition(".")
        return name if name and _equal_constant_time(signature, self._sign(f"voter.{name}", 16)) else None

    def create_voter(self) -> tuple[str, str]:
        """A name for somebody who votes for the first time, and the cookie that says so."""
        name = secrets.token_hex(6)
        return name, f"{name}.{self._sign(f'voter.{name}', 16)}"

    def _role_of_cookie(self, cookie: str) -> Role | None:
        until, _, signature = cookie.rpartition(".")
        if not until or not _equal_constant_time(signature, self._sign(until)):
            return None
        role, _, end = until.partition(".")
        if self._clock() >= int(end):
            return None
        return "host" if role == "host" else "viewer"

    def _sign(self, message: str, length: int = 64) -> str:
        return hmac.new(self.host_token.encode(), message.encode(), sha256).hexdigest()[:length]

    # Where requests come from

    def is_allowed_host(self, host: str) -> bool:
        """Whether a ``Host`` header is one of ours.

        A page of somebody else's whose name was made to point here must not read what needs no token.
        """
        if self.viewers_need_token:
            return True
        name = host_name(host)
        return name in self._host_names or is_loopback(name)

    def is_allowed_origin(self, origin: str | None, host: str) -> bool:
        """Whether a request that changes something comes from our own page, an allowed one, or no page."""
        if origin is None or origin in self.origins:
            return True
        return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def host_name(netloc: str) -> str:
    """The name in a ``Host`` header, without port and brackets; empty for what is none."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's own and nobody else's."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _equal_constant_time(actual: str, expected: str) -> bool:
    return hmac.compare_digest(actual.encode("utf-8", "replace"), expected.encode())


# How browsers get in: with a token typed, or by a link that is good once, for a cookie.


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role = "viewer"


_decode_link_request = msgspec.json.Decoder(LinkRequest).decode


class LoginRoutes:
    """The routes that let browsers in.

    A link leads to a page with a button: what merely looks at links, such as a chat's preview, does not
    use them up.
    """

    def __init__(self, access: AccessControl, pages: PageFiles) -> None:
        self._access = access
        self._pages = pages

    async def login_form(self, request: Request) -> Response:
        """Ask for a token, or, with ``?code=``, whether to come in."""
        return self._pages.login_page()

    async def log_in(self, request: Request) -> Response:
        """Take a code or a token, and give a cookie for it."""
        fields = parse_qs((await responses.read_body(request)).decode("utf-8", "replace"))
        code, token = fields.get("code", [""])[0], fields.get("token", [""])[0]
        role = self._access.redeem_link(code) if code else self._access.role_of_token(token.strip())
        if role is None:
            return self._pages.login_page(403)
        response = RedirectResponse(_safe_redirect_path(fields.get("next", [""])[0]), 303)
        response.set_cookie(
            LOGIN_COOKIE,
            self._access.create_login_cookie(role),
            max_age=LOGIN_TTL_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def create_link(self, request: Request) -> Response:
        """A new one-time link, for the host to give away."""
        responses.require_host(request)
        link_request = await responses.read_json_body(request, _decode_link_request)
        code = self._access.create_link(link_request.role)
        return responses.json_response(
            {"link": str(request.url.replace(path="/enter", query=f"code={code}"))}, 201
        )


def _safe_redirect_path(path: str) -> str:
    """Where to go on: a path of ours, nowhere else."""
    return path if path.startswith("/debates") and "\\" not in path else "/"


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
