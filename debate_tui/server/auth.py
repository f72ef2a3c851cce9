"""Access control: tokens, one-time links, login cookies, and the middleware that requires them."""

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
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.routing import Route

from debate_tui.domain.errors import UsageError
from debate_tui.server import responses
from debate_tui.server.limits import RateLimiter
from debate_tui.server.page import add_security_headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from debate_tui.server.page import PageFiles


Role = Literal["viewer", "host"]

LOGIN_COOKIE: Final = "debate_tui_pass"
VOTER_COOKIE: Final = "debate_tui_voter"

LOGIN_TTL_S: Final = 30 * 24 * 3600
"""Lifetime of a login cookie, in seconds."""

LINK_TTL_S: Final = 24 * 3600
"""Lifetime of a one-time link, in seconds."""

MAX_LINKS: Final = 1000
"""Maximum number of unused links; above it, the oldest are deleted."""


MIN_TOKEN_CHARACTERS: Final = 16
"""Minimum length of a token that is not generated."""

GUESS_BURST: Final = 10
GUESS_INTERVAL_S: Final = 10.0
"""Wrong tokens and codes allowed per address: a burst, then one per interval (seconds)."""

_PROXY_HEADERS: Final = frozenset({"forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip"})


def check_tokens(host_token: str, viewer_token: str) -> None:
    """Raise `UsageError` for tokens that are too short or equal; empty ones will be generated.

    Spaces around a token do not count: a request's token arrives without them.
    """
    for name, token in (("host", host_token), ("viewer", viewer_token)):
        if token and len(token.strip()) < MIN_TOKEN_CHARACTERS:
            raise UsageError(
                f"The {name} token has fewer than {MIN_TOKEN_CHARACTERS} characters.",
                "Choose a longer one, or leave it out to have one generated.",
            )
    if host_token and host_token.strip() == viewer_token.strip():
        raise UsageError(
            "The host token and the viewer token are the same.",
            "Viewers could control the debate. Change one of them, or leave one out.",
        )


class AccessControl:
    """The tokens, links and cookies of one server.

    The host token allows everything. Viewers need the viewer token if `viewers_need_token` is set, or if they
    come through a proxy and the server is not `public`. Missing tokens are generated. A generated viewer
    token and all cookies are derived from the host token and the store's `secret`, so they stay valid as long
    as both stay the same. `origins` are the other web origins that may use the server (CORS).
    """

    def __init__(
        self,
        host_token: str = "",
        viewer_token: str = "",
        *,
        viewers_need_token: bool = False,
        public: bool = False,
        origins: Iterable[str] = (),
        secret: bytes = b"",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host_token = host_token.strip() or secrets.token_urlsafe(18)
        self._key = sha256(secret + b"\0" + self.host_token.encode()).digest()
        self.viewer_token = viewer_token.strip() or self._sign("viewer", 24)
        self.viewers_need_token = viewers_need_token or bool(viewer_token)
        self.public = public
        self.origins = frozenset(origins)
        self.guesses = RateLimiter(GUESS_BURST, GUESS_INTERVAL_S)
        self._clock = clock
        self._links: dict[str, tuple[Role, float]] = {}

    def role_of_request(
        self, headers: Mapping[str, str], cookies: Mapping[str, str], *, proxied: bool = False
    ) -> Role | None:
        """Return the role of a request, or `None` if it has none.

        A wrong token gives no role, even if the request has a valid cookie or would need no token.
        """
        if (token := bearer_token(headers)) is not None:
            return self.role_of_token(token)
        if (role := self._role_of_cookie(cookies.get(LOGIN_COOKIE, ""))) is not None:
            return role
        return None if self.viewers_need_token or (proxied and not self.public) else "viewer"

    def role_of_token(self, token: str) -> Role | None:
        """Return the role that a token gives, or `None` if it is wrong."""
        if _equal_constant_time(token, self.host_token):
            return "host"
        return "viewer" if _equal_constant_time(token, self.viewer_token) else None

    # Links and cookies

    def create_link(self, role: Role) -> str:
        """Create a one-time link and return its code."""
        while len(self._links) >= MAX_LINKS:
            del self._links[next(iter(self._links))]
        code = secrets.token_urlsafe(18)
        self._links[code] = (role, self._clock() + LINK_TTL_S)
        return code

    def redeem_link(self, code: str) -> Role | None:
        """Return the role that a link's code gives, or `None`; the code then no longer works."""
        role, until = self._links.pop(code, (None, 0.0))
        return role if self._clock() < until else None

    def create_login_cookie(self, role: Role) -> str:
        """Return a login cookie; it stays valid after a restart with the same tokens and store."""
        until = f"{role}.{int(self._clock()) + LOGIN_TTL_S}.{secrets.token_hex(8)}"
        return f"{until}.{self._sign_login(until)}"

    def ticket_of_request(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str | None:
        """Return the voter's name for a request, one per token and per valid cookie, or `None`."""
        if (token := bearer_token(headers)) is not None:
            return self._sign(f"ticket.{token}", 12)
        login = cookies.get(LOGIN_COOKIE, "")
        if self._role_of_cookie(login) is not None:
            return self._sign(f"ticket.{login}", 12)
        return self.voter_of_cookie(cookies.get(VOTER_COOKIE, ""))

    def voter_of_cookie(self, cookie: str) -> str | None:
        """Return the voter's name in a cookie, or `None` if the cookie is not valid."""
        name, _, signature = cookie.partition(".")
        return name if name and _equal_constant_time(signature, self._sign(f"voter.{name}", 16)) else None

    def create_voter(self) -> tuple[str, str]:
        """Return a name for a new voter, and the cookie for it."""
        name = secrets.token_hex(6)
        return name, f"{name}.{self._sign(f'voter.{name}', 16)}"

    def _role_of_cookie(self, cookie: str) -> Role | None:
        until, _, signature = cookie.rpartition(".")
        if not until or not _equal_constant_time(signature, self._sign_login(until)):
            return None
        role, end, _ = until.split(".")
        if self._clock() >= int(end):
            return None
        return "host" if role == "host" else "viewer"

    def _sign_login(self, until: str) -> str:
        """Sign a login so that it is valid only while the role's token stays the same."""
        token = self.host_token if until.startswith("host.") else self.viewer_token
        return self._sign(f"login.{until}.{token}")

    def _sign(self, message: str, length: int = 32) -> str:
        return hmac.new(self._key, message.encode("utf-8", "replace"), sha256).hexdigest()[:length]

    def is_allowed_origin(self, origin: str | None, host: str) -> bool:
        """Return whether a write request comes from our own page, an allowed origin, or no page at all."""
        if origin is None or origin in self.origins:
            return True
        return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the ``Authorization`` header's token; empty for another scheme, `None` without a header."""
    if not (authorization := headers.get("authorization")):
        return None
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def came_through_proxy(headers: Mapping[str, str], http_version: str) -> bool:
    """Return whether a request seems to come through a proxy.

    It does if it has a proxy's headers or a ``Host`` other than a loopback name. nginx adds no header by
    default, but uses HTTP/1.0, which browsers do not.
    """
    if http_version == "1.0" or any(name.startswith("x-forwarded") for name in headers):
        return True
    host = headers.get("host")
    return not _PROXY_HEADERS.isdisjoint(headers) or (host is not None and not is_loopback(host_name(host)))


def is_from_elsewhere(connection: HTTPConnection) -> bool:
    """Return whether a request may come from another machine: by address, or through a proxy."""
    client = connection.client
    proxied = came_through_proxy(connection.headers, connection.scope["http_version"])
    return proxied or client is None or not is_loopback(client.host)


def host_name(netloc: str) -> str:
    """Return the name in a ``Host`` header, without port and brackets; empty if it is not valid."""
    try:
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Return whether a host name or address is a loopback one."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _equal_constant_time(actual: str, expected: str) -> bool:
    return hmac.compare_digest(actual.encode("utf-8", "replace"), expected.encode())


# Login of browsers: a token or a one-time link is exchanged for a cookie.


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role = "viewer"


_decode_link_request = msgspec.json.Decoder(LinkRequest).decode


class LoginRoutes:
    """Routes that log browsers in.

    A link opens a page with a button, so that programs that only fetch links, such as chat previews, do not
    use them up.
    """

    def __init__(self, access: AccessControl, pages: PageFiles) -> None:
        self._access = access
        self._pages = pages

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/enter", self.login_form),
            Route("/enter", self.log_in, methods=["POST"]),
            Route("/links", self.create_link, methods=["POST"]),
        ]

    async def login_form(self, request: Request) -> Response:
        """Return the page that asks for a token, or, with ``?code=``, for confirmation."""
        return self._pages.respond("enter.html")

    async def log_in(self, request: Request) -> Response:
        """Exchange a code or a token for a login cookie."""
        address = responses.client_address(request)
        responses.require_rate(self._access.guesses, address, "Too many wrong tokens from your address.")
        fields = parse_qs((await responses.read_body(request)).decode("utf-8", "replace"))
        code, token = fields.get("code", [""])[0], fields.get("token", [""])[0]
        role = self._access.redeem_link(code) if code else self._access.role_of_token(token.strip())
        if role is None:
            self._access.guesses.count(address)
            return self._pages.respond("enter.html", 403)
        target = fields.get("next", [""])[0]
        is_page = target.startswith("/debates") and "\\" not in target  # prevents open redirects
        response = RedirectResponse(target if is_page else "/", 303)
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
        """Create a one-time link for the host to share."""
        responses.require_host(request)
        link_request = await responses.read_json_body(request, _decode_link_request)
        code = self._access.create_link(link_request.role)
        return responses.json_response(
            {"link": str(request.url.replace(path="/enter", query=f"code={code}"))}, 201
        )


# Authorization of requests.


PUBLIC_PATHS: Final = ("/health", "/enter", "/page/", "/openapi.json")
"""Path prefixes that need no token."""


class AuthMiddleware:
    """ASGI middleware that refuses unauthorized requests and sets `state.role` for the others."""

    def __init__(self, app: ASGIApp, access: AccessControl, pages: PageFiles) -> None:
        self._app = app
        self._access = access
        self._pages = pages

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine, whose frame would be kept for as long as a viewer stays.
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        if refusal is not None:
            return responses.refuse(refusal, scope, receive, send)
        return self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the response to an unauthorized request; `None` if it is authorized, with its role set."""
        try:
            # The `HTTPConnection` is not kept: it caches headers and cookies, and a viewer stays for hours.
            scope.setdefault("state", {})["role"] = self._authorize(HTTPConnection(scope))
        except HTTPException as error:
            refusal = responses.response_to_error(error)
            if error.status_code == 401 and responses.wants_html(HTTPConnection(scope)):
                refusal = self._pages.respond("enter.html", 401)
            add_security_headers(refusal.headers)
            return refusal
        return None

    def _authorize(self, connection: HTTPConnection) -> Role | None:
        """Return the client's role, `None` on public paths without one; raise `HTTPException` to refuse."""
        access, headers, scope = self._access, connection.headers, connection.scope
        is_read = scope.get("method") in ("GET", "HEAD", "OPTIONS")
        if not is_read and not access.is_allowed_origin(headers.get("origin"), headers.get("host", "")):
            raise HTTPException(403, "Pages of other origins cannot do this. Allow them with --allow-origin.")
        address = responses.client_address(connection)
        has_token = bearer_token(headers) is not None
        if has_token:
            responses.require_rate(access.guesses, address, "Too many wrong tokens from your address.")
        proxied = came_through_proxy(headers, scope["http_version"])
        role = access.role_of_request(headers, connection.cookies, proxied=proxied)
        if role is None and has_token:
            access.guesses.count(address)
        # Use the path for routing: `connection.url` also depends on the client's ``Host`` header.
        if role is None and not scope["path"].startswith(PUBLIC_PATHS):
            # An unknown name in ``Host``, as after DNS rebinding, gets 401 and not 403: it may as well be a
            # proxy's, and then a token is what is missing. The rebinding page has no token, and the browser
            # sends it no cookie of ours, because the cookie belongs to another name.
            message = "A token is required. Send it in the header 'Authorization: Bearer TOKEN'."
            raise HTTPException(401, message, {"www-authenticate": "Bearer"})
        return role
