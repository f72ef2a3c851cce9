"""HTTP as the sources need it: one pooled client per origin, redirects that keep secrets, faults.

Importing this is cheap; httpx comes with the first client.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus, urlsplit

from msgspec import Struct

from debate_tui import __version__
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources import importing
from debate_tui.sources.address import host
from debate_tui.sources.payloads import faults

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping

    import httpx

CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 10
_PORTS = {"http": 80, "https": 443}
_SECRET_LENGTH = 8
"""Shorter query values are no secrets."""
_REFUSAL_BYTES = 1 << 16
_REFUSAL_SECONDS = 5.0
"""How much of an error response is read, and for how long: its status alone is enough."""


class Clients:
    """The pooled clients of all endpoints, one per origin; whoever makes it closes it.

    `connect_timeout` is in seconds and the only one: how long a server may be silent is decided around the
    sources. `tls` replaces the context made from the platform's and certifi's certificates. No cookies are
    kept: debaters of one origin share a client, and may have different keys.
    """

    def __init__(
        self, *, connect_timeout: float = CONNECT_TIMEOUT, tls: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        self._connect_timeout = connect_timeout
        self._tls = tls
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._clients: dict[tuple[str, bool], asyncio.Task[httpx.AsyncClient]] = {}

    async def client(self, url: str, *, http2: bool = False) -> httpx.AsyncClient:
        """The client for the origin of `url`; raises `Fault` where the environment makes one impossible.

        Made in a thread, as imports and certificates take their time.
        """
        key = _origin(url), http2
        made = self._clients.get(key)
        if made is None or (made.done() and (made.cancelled() or made.exception() is not None)):
            made = asyncio.create_task(asyncio.to_thread(self._make, url.startswith("https:"), http2))
            self._clients[key] = made
        # Others may wait for the same client: one of them being cancelled must not take it from them.
        return await asyncio.shield(made)

    async def aclose(self) -> None:
        """Close all connections."""
        tasks = tuple(self._clients.values())
        self._clients.clear()
        for client in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(client, BaseException):
                await client.aclose()

    def _make(self, https: bool, http2: bool) -> httpx.AsyncClient:
        with importing.lock:
            from http.cookiejar import CookieJar, DefaultCookiePolicy

            import httpx

            try:
                return httpx.AsyncClient(
                    # A context that trusts nobody costs nothing, and an http:// origin needs no other.
                    verify=self._context(http2) if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                    http2=http2,
                    timeout=httpx.Timeout(None, connect=self._connect_timeout),
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                    headers={"user-agent": f"debate-tui/{__version__}"},
                )
            except (OSError, ValueError, ImportError, httpx.InvalidURL):
                raise Fault(
                    FaultKind.BAD_REQUEST,
                    "The proxy or certificate settings of the environment cannot be used.",
                    hint="Look at HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
                ) from None

    def _context(self, http2: bool) -> ssl.SSLContext:
        # httpx tells a context which HTTP versions to offer, so that they cannot share one.
        if http2 not in self._contexts:
            import httpx

            self._contexts[http2] = self._tls() if self._tls else httpx.create_ssl_context()
        return self._contexts[http2]


class Call(Struct, frozen=True):
    """A request to an endpoint.

    `url` may hold userinfo, which is sent as basic authorization. None of `headers` crosses to another
    origin; `about` does (what is accepted, the body's type, the last event id); its names are lower case.
    """

    method: str
    url: str
    headers: dict[str, str]
    about: dict[str, str]
    body: bytes | None = None
    http2: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body has not been read; `reused` says whether it came on an open connection."""

    response: httpx.Response
    reused: bool

    @property
    def transport(self) -> str:
        """Such as ``HTTP/1.1``."""
        return self.response.http_version

    @property
    def framed(self) -> bool:
        """Whether the end of the body, once read without an error, is vouched for by the framing."""
        response = self.response
        return (
            response.http_version == "HTTP/2"
            or "content-length" in response.headers
            or "chunked" in response.headers.get("transfer-encoding", "").lower()
        )

    async def body(self) -> AsyncGenerator[bytes]:
        """The body behind its content encoding, as it comes; raises `Fault`."""
        with faulting(self.response.url.host):
            async for data in self.response.aiter_bytes():
                yield data

    async def refusal(self) -> Fault:
        """The fault an answer with an error status amounts to, in the server's own words if it has any."""
        response = self.response
        body = bytearray()
        with suppress(Fault, TimeoutError):
            async with asyncio.timeout(_REFUSAL_SECONDS):
                async for data in self.body():
                    body += data
                    if len(body) >= _REFUSAL_BYTES:
                        break
        wait = faults.retry_after(response.headers)
        return faults.from_body(bytes(body), status=response.status_code, retry_after=wait)


@asynccontextmanager
async def answered(clients: Clients, call: Call) -> AsyncGenerator[Answer]:
    """Send a request, follow redirects, and give the answer, whatever its status; leaving closes it at once.

    Raises `Fault` where there is no answer. No fault that passes through here tells the call's secrets.
    """
    try:
        answer = await _follow(clients, call)
        try:
            yield answer
        finally:
            await answer.response.aclose()
    except Fault as fault:
        fault.message = redacted(fault.message, call)
        fault.args = (fault.message,)
        raise


async def _follow(clients: Clients, call: Call) -> Answer:
    method, body, about = call.method, call.body, dict(call.about)
    url, headers = _without_userinfo(call)
    seen = set[tuple[str, str]]()
    while (method, url) not in seen and len(seen) <= MAX_REDIRECTS:
        seen.add((method, url))
        client = await clients.client(url, http2=call.http2)
        fresh: list[str] = []

        async def trace(name: str, _info: Mapping[str, object], fresh: list[str] = fresh) -> None:
            if name == "connection.connect_tcp.complete":
                fresh.append(name)

        with faulting(host(url)):
            request = client.build_request(
                method, url, headers=_encoded(about | headers), content=body, extensions={"trace": trace}
            )
            response = await client.send(request, stream=True)
            if not response.has_redirect_location:
                return Answer(response, not fresh)
            await response.aclose()
            target = response.url.join(response.headers["location"]).copy_with(userinfo=b"", fragment=None)
        if target.scheme not in ("http", "https"):
            raise Fault(FaultKind.BAD_REQUEST, f"{host(url)} redirects to something that is not HTTP.")
        if _origin(str(target)) != _origin(url):
            headers = {}
        url = str(target)
        if response.status_code == 303 or (response.status_code in (301, 302) and method == "POST"):
            method, body = "GET", None
            about.pop("content-type", None)
    raise Fault(FaultKind.BAD_REQUEST, f"{host(url)} redirects in circles.")


@contextmanager
def faulting(host: str) -> Generator[None]:
    """Turn what httpx raises into a `Fault` that names `host`, and nothing else of the address."""
    import httpx

    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        # The error itself quotes what is wrong, which may be a key.
        raise Fault(FaultKind.BAD_REQUEST, f"The address or a header for {host} cannot be sent.") from error
    except httpx.TimeoutException as error:
        raise Fault(FaultKind.TIMEOUT, f"{host} did not accept the connection in time.") from error
    except httpx.ProxyError as error:
        raise Fault(FaultKind.NETWORK, f"The proxy did not connect to {host}.") from error
    except httpx.ConnectError as error:
        raise Fault(FaultKind.NETWORK, f"Could not connect to {host}: {_why(error)}.") from error
    except httpx.RemoteProtocolError as error:
        raise Fault(FaultKind.NETWORK, f"{host} broke the connection off.") from error
    except httpx.RequestError as error:
        raise Fault(FaultKind.NETWORK, f"The connection to {host} broke: {_why(error)}.") from error


def redacted(text: str, call: Call) -> str:
    """`text` without anything of the call that may be a secret."""
    for secret in _secrets(call):
        text = text.replace(secret, "…")
    return text


def _secrets(call: Call) -> list[str]:
    parts = urlsplit(call.url)
    found = [word for value in call.headers.values() for word in (value, *value.split())]
    found += [unquote(part) for part in (parts.password, parts.username) if part]
    for value in (field.partition("=")[2] for field in parts.query.split("&")):
        found += [value, unquote_plus(value)] if len(value) >= _SECRET_LENGTH else ()
    return sorted((secret for secret in found if len(secret) >= 4), key=len, reverse=True)


def _without_userinfo(call: Call) -> tuple[str, dict[str, str]]:
    parts = urlsplit(call.url)
    userinfo, at, host = parts.netloc.rpartition("@")
    headers = {name.lower(): value for name, value in call.headers.items()}
    if at:
        basic = base64.b64encode(unquote(userinfo).encode()).decode()
        headers.setdefault("authorization", f"Basic {basic}")
    return parts._replace(netloc=host, fragment="").geturl(), headers


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Headers in UTF-8, as the standard wants an event id to be sent; httpx would refuse all but ASCII."""
    return {name.encode(): value.strip().encode() for name, value in headers.items()}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    default = _PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or default}"


def _why(error: BaseException) -> str:
    """The reason at the bottom of an error, in a few words."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else cause
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid ({error.verify_message})"
        case ssl.SSLError():
            return "TLS failed"
        case socket.gaierror():
            return "there is no such host"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError():
            return "connection reset"
        case OSError() if error.strerror:
            return error.strerror.lower()
        case _:
            return "connection lost"
