"""HTTP for the sources: pooled clients per origin, redirects that protect secrets, and faults.

Importing this module is cheap; httpx is imported with the first client.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import time
import zlib
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, unquote_plus, urlsplit

from msgspec import Struct

from debate_tui import __version__
from debate_tui.domain.stream import Fault, FaultKind, TimeSlice
from debate_tui.sources import network, sdk_import
from debate_tui.sources.http_errors import Peer, fault_from_response, translate_errors
from debate_tui.sources.network import DEFAULT_PORTS
from debate_tui.sources.urls import find_url_problem, url_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

    import httpx
    import httpx2

    from debate_tui.sources.network import Proxy

CONNECT_TIMEOUT = 10.0
MAX_REDIRECTS = 10
_MIN_SECRET_LENGTH = 8
"""Shorter query values are not treated as secrets."""
_MAX_ERROR_BODY = 1 << 16
_ERROR_BODY_TIMEOUT = 5.0
"""Limits for reading an error response, in bytes and seconds; its status alone is enough."""

RECEIVE_BUFFER = 1 << 15
"""Receive buffer of the system, in bytes; more text waits at the sender (backpressure)."""

_MAX_PIECE = 1 << 14
_MAX_EXPANSION = 200
_FREE_EXPANSION = 1 << 20
"""Limit for a decompressed body: 200 times the bytes received, plus 1 MiB."""
_ZLIB_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""Supported content codings, as zlib window sizes."""


class HttpClients:
    """Pooled clients of all endpoints, one per origin and HTTP version; the owner closes it.

    `connect_timeout` is in seconds and the only timeout: the watchdogs around the sources decide how long a
    server may be silent. `make_tls_context` replaces the context made from the platform's and certifi's
    certificates. No cookies are kept: debaters with the same origin share a client and may have different
    keys. With `public_only`, no connection is made to this machine, to a private network, or to a proxy
    (which could reach them).
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        make_tls_context: Callable[[], ssl.SSLContext] | None = None,
        public_only: bool = False,
    ) -> None:
        self.public_only = public_only
        self._connect_timeout = connect_timeout
        self._make_tls_context = make_tls_context
        self._tls_contexts: dict[bool, ssl.SSLContext] = {}
        self._clients: dict[tuple[str, bool], asyncio.Task[httpx.AsyncClient]] = {}

    async def client(self, url: str, *, http2: bool = False) -> httpx.AsyncClient:
        """Return the client for the origin of `url`; raise `Fault` if the environment makes this impossible.

        It is made in a thread, as imports and certificates take time.
        """
        key = _origin(url), http2
        task = self._clients.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(asyncio.to_thread(self._make_client, url, http2))
            self._clients[key] = task
        # Other tasks may wait for the same client; cancelling one must not cancel the client for all.
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Close all connections."""
        tasks = tuple(self._clients.values())
        self._clients.clear()
        for client in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(client, BaseException):
                await client.aclose()

    def _make_client(self, url: str, http2: bool) -> httpx.AsyncClient:
        proxy = None if self.public_only else network.find_proxy(url)
        with sdk_import.import_lock:
            from http.cookiejar import CookieJar, DefaultCookiePolicy

            import httpx

            # An empty TLS context costs nothing to make, and http:// origins never use it.
            no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            proxy_tls = self._tls_context(False) if proxy and proxy.scheme == "https" else None
            try:
                return httpx.AsyncClient(
                    verify=self._tls_context(http2) if url.lower().startswith("https:") else no_tls,
                    proxy=httpx.Proxy(proxy.url, ssl_context=proxy_tls) if proxy else None,
                    trust_env=False,
                    http2=http2,
                    timeout=httpx.Timeout(None, connect=self._connect_timeout),
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                    headers={"user-agent": f"debate-tui/{__version__}"},
                )
            except (httpx.InvalidURL, ValueError):
                if proxy is None:
                    raise
                raise network.unusable_proxy_fault(proxy.variable) from None

    def _tls_context(self, http2: bool) -> ssl.SSLContext:
        # httpx sets the ALPN protocols on the context, so HTTP/1.1 and HTTP/2 cannot share one.
        if http2 not in self._tls_contexts:
            import httpx

            self._tls_contexts[http2] = (
                self._make_tls_context()
                if self._make_tls_context
                else network.make_tls_context(lambda: httpx.create_ssl_context(trust_env=False))
            )
        return self._tls_contexts[http2]


class HttpRequest(Struct, frozen=True):
    """A request to an endpoint.

    `url` may contain user information, which is sent as basic authorization. `same_origin_headers` are
    dropped on a redirect to another origin; `portable_headers` (accepted types, content type, last event id;
    names in lower case) are kept.
    """

    method: str
    url: str
    same_origin_headers: dict[str, str]
    portable_headers: dict[str, str]
    body: bytes | None = None
    http2: bool = False


def has_framed_end(response: httpx.Response | httpx2.Response) -> bool:
    """Return whether the HTTP framing confirms the end of a body that was read without an error.

    A length, chunks or HTTP/2 mark the end of a body; otherwise a closed connection may be a cut.
    """
    return (
        response.http_version == "HTTP/2"
        or "content-length" in response.headers
        or "chunked" in response.headers.get("transfer-encoding", "").lower()
    )


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response whose body has not been read; `reused` is true if its connection was already open."""

    httpx_response: httpx.Response
    reused: bool

    async def body(self) -> AsyncGenerator[bytes]:
        """Yield the decompressed body as it arrives; raise `Fault` on errors."""
        response = self.httpx_response
        coding = response.headers.get("content-encoding", "")
        with translate_errors(_peer(response.url.host)):
            async with aclosing(decode_body(response.aiter_raw(), coding)) as pieces:
                async for data in pieces:
                    yield data

    async def read_error(self) -> Fault:
        """Return the fault of an error response, with the server's own message if it has one."""
        return fault_from_response(self.httpx_response, await read_start(self.body()))


async def read_start(body: AsyncGenerator[bytes], broken: type[Exception] = Fault) -> bytes:
    """Return the start of an error body: up to 64 KiB, read for up to 5 s or until `broken` is raised."""
    start = bytearray()
    with suppress(broken, Fault, TimeoutError):
        async with asyncio.timeout(_ERROR_BODY_TIMEOUT), aclosing(body):
            async for data in body:
                start += data
                if len(start) >= _MAX_ERROR_BODY:
                    break
    return bytes(start[:_MAX_ERROR_BODY])


class Download(Struct, frozen=True):
    """A downloaded file: its content, its media type in lower case, and its charset, if they are known."""

    data: bytes
    media_type: str
    charset: str


async def download(url: str, *, max_bytes: int, timeout_s: float) -> Download:
    """Return what is at a URL; raise `Fault` if that fails, or takes more bytes or seconds than allowed."""
    clients, data = HttpClients(), bytearray()
    request = HttpRequest("GET", url, {}, {"accept": "text/html, text/*;q=0.9, */*;q=0.5"})
    try:
        async with asyncio.timeout(timeout_s), open_response(clients, request) as response:
            head = response.httpx_response
            if not head.is_success:
                answer = f"{head.status_code} {head.reason_phrase}".strip()
                raise Fault(FaultKind.BAD_REQUEST, f"{head.url.host} answered with {answer}.")
            async with aclosing(response.body()) as body:
                async for piece in body:
                    data += piece
                    if len(data) > max_bytes:
                        raise Fault(FaultKind.BAD_REQUEST, f"It is larger than {max_bytes >> 20} MB.")
    except TimeoutError:
        raise Fault(FaultKind.TIMEOUT, f"It did not arrive within {timeout_s:.0f} s.") from None
    finally:
        await clients.aclose()
    media_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Download(bytes(data), media_type, head.charset_encoding or "")


def decode_body(raw: AsyncIterator[bytes], coding: str) -> AsyncGenerator[bytes]:
    """Return the pieces of a body with its content coding removed; see `_decompress`."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return cast("AsyncGenerator[bytes]", raw)  # both client libraries read bodies with generators
    return _decompress(raw, coding)


async def _decompress(raw: AsyncIterator[bytes], coding: str) -> AsyncGenerator[bytes]:
    """Yield a compressed body in pieces of up to 16 KiB, and to the event loop every few milliseconds.

    Raise `Fault` for codings other than gzip and deflate, for corrupt data, and for data that expands too
    much.
    """
    turn = TimeSlice(asyncio.get_running_loop().call_soon)
    if coding not in _ZLIB_WINDOWS:
        message = f"The server's content encoding is not supported: '{coding[:40]}'."
        raise Fault(FaultKind.BAD_REQUEST, message)
    received = expanded = 0
    decoder = None
    async for piece in raw:
        received += len(piece)
        while piece:
            if decoder is None:
                decoder = zlib.decompressobj(_zlib_window(coding, piece))
            try:
                data = decoder.decompress(piece, _MAX_PIECE)
            except zlib.error:
                raise Fault(FaultKind.NETWORK, "The server's compressed response is corrupt.") from None
            expanded += len(data)
            if expanded > _FREE_EXPANSION + _MAX_EXPANSION * received:
                raise Fault(FaultKind.BAD_REQUEST, "The server's compressed response expands too much.")
            piece = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if decoder.eof:
                decoder = None  # gzip may have another member
            if data:
                yield data
            now = time.monotonic()
            if now >= turn.end and turn.is_spent(now):
                await asyncio.sleep(0)


def _zlib_window(coding: str, start: bytes) -> int:
    """Return the window size for the format; many servers send 'deflate' without its zlib header."""
    if coding == "deflate" and start[0] & 0x0F != zlib.DEFLATED:
        return -zlib.MAX_WBITS
    return _ZLIB_WINDOWS[coding]


def limit_receive_buffer(info: Mapping[str, object]) -> None:
    """Limit the connection's receive buffer to `RECEIVE_BUFFER`.

    `info` comes from httpcore's trace of the connection. Text that cannot be read yet then waits at the
    sender instead of ageing in a buffer.
    """
    get_extra_info = getattr(info.get("return_value"), "get_extra_info", None)
    connected = get_extra_info("socket") if get_extra_info is not None else None
    if connected is not None:
        with suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


@asynccontextmanager
async def open_response(clients: HttpClients, http_request: HttpRequest) -> AsyncGenerator[HttpResponse]:
    """Send a request, follow redirects and yield the response, whatever its status; close it on exit.

    Raise `Fault` if there is no response. Secrets of the request are redacted from any fault that passes
    through.
    """
    try:
        http_response = await _follow_redirects(clients, http_request)
        try:
            yield http_response
        finally:
            await http_response.httpx_response.aclose()
    except Fault as fault:
        fault.redact(*_request_secrets(http_request))
        raise


async def _follow_redirects(clients: HttpClients, http_request: HttpRequest) -> HttpResponse:
    method, body, portable_headers = http_request.method, http_request.body, http_request.portable_headers
    url, headers = _split_userinfo(http_request)
    visited = set[tuple[str, str]]()
    while (method, url) not in visited and len(visited) <= MAX_REDIRECTS:
        visited.add((method, url))
        client = await clients.client(url, http2=http_request.http2)
        fresh: list[str] = []

        async def trace(name: str, info: Mapping[str, object], fresh: list[str] = fresh) -> None:
            if clients.public_only:
                await network.check_public_connection(name, info)
            if name.endswith(".connect_tcp.complete"):  # not the event that precedes a SOCKS handshake
                fresh.append(name)
                limit_receive_buffer(info)

        # The SSE standard requires UTF-8 for event ids; httpx by itself allows only ASCII.
        encoded = {
            name.encode(): value.strip().encode() for name, value in (portable_headers | headers).items()
        }
        with translate_errors(_peer(url_host(url), network.find_proxy(url))):
            request = client.build_request(
                method, url, headers=encoded, content=body, extensions={"trace": trace}
            )
            response = await client.send(request, stream=True)
        redirect = response.next_request
        if redirect is None:
            return HttpResponse(response, not fresh)
        await response.aclose()
        target = str(redirect.url.copy_with(userinfo=b"", fragment=None))
        if problem := find_url_problem(target, ("http", "https")):
            message = f"{url_host(url)} redirects to an invalid address: {problem}."
            raise Fault(FaultKind.BAD_REQUEST, message)
        if _origin(target) != _origin(url):
            headers = {}
        if redirect.method != method:
            method, body = redirect.method, None
            portable_headers = {
                name: portable_headers[name] for name in portable_headers if name != "content-type"
            }
        url = target
    raise Fault(FaultKind.BAD_REQUEST, f"{url_host(url)} redirects in a loop.")


def _peer(host: str, proxy: Proxy | None = None) -> Peer:
    import httpx

    return Peer(host, httpx, proxy)


def _request_secrets(http_request: HttpRequest) -> list[str]:
    parts = urlsplit(http_request.url)
    found = [word for value in http_request.same_origin_headers.values() for word in (value, *value.split())]
    found += [unquote(part) for part in (parts.password, parts.username) if part]
    for value in (field.partition("=")[2] for field in parts.query.split("&")):
        found += [value, unquote_plus(value)] if len(value) >= _MIN_SECRET_LENGTH else ()
    return sorted((secret for secret in found if len(secret) >= 4), key=len, reverse=True)


def _split_userinfo(http_request: HttpRequest) -> tuple[str, dict[str, str]]:
    parts = urlsplit(http_request.url)
    userinfo, at, host = parts.netloc.rpartition("@")
    headers = {name.lower(): value for name, value in http_request.same_origin_headers.items()}
    if at:
        basic = base64.b64encode(unquote(userinfo).encode()).decode()
        headers.setdefault("authorization", f"Basic {basic}")
    return parts._replace(netloc=host, fragment="").geturl(), headers


def _origin(url: str) -> str:
    parts = urlsplit(url)
    default = DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or default}"
