"""Sources for endpoint addresses: transport, fallback and shared connections."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from debate_tui.domain.sanitise import redact
from debate_tui.domain.stream import Fault
from debate_tui.sources.endpoint import NotAStream, RemoteEndpoint
from debate_tui.sources.http import CONNECT_TIMEOUT, HttpClients
from debate_tui.sources.shared_connection import SharedEndpoint
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from debate_tui.domain.stream import Cursor, Source, TurnRequest
    from debate_tui.sources.endpoint import EndpointConnection, HttpMethod


class EndpointFactory:
    """Makes the sources of remote endpoints and owns their shared connections.

    `connect_timeout` is in seconds. `http2` lets panes with the same origin share an HTTP/2 connection if the
    server offers it and their requests are GETs without credentials.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        http2: bool = False,
        clients: HttpClients | None = None,
    ) -> None:
        self._clients = clients or HttpClients(connect_timeout=connect_timeout)
        self._http2 = http2
        self._debaters_by_origin: Counter[str] = Counter()
        self._shared_endpoints: dict[str, SharedEndpoint] = {}

    def make(self, url: str, *, method: HttpMethod = "GET", names: Sequence[str] = ()) -> Source:
        """Return the source at an ``http(s)://`` or ``ws(s)://`` address; raise `UsageError` for any other.

        `names` are the names that chunks may use for the debater (its id, its name), for addresses that
        several debaters share. No connection is made, and no HTTP client imported, until the source is
        opened.
        """
        endpoint = self._make_endpoint(url, method)
        self._debaters_by_origin[_netloc(url)] += 1
        if method != "GET" or "{turn}" in url:
            return endpoint
        return self._shared_endpoints.setdefault(url, SharedEndpoint(endpoint)).add_source(names)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._clients.aclose()

    def _make_endpoint(self, url: str, method: HttpMethod) -> RemoteEndpoint:
        clients = self._clients
        if urlsplit(url).scheme.lower() in ("ws", "wss"):
            return WebSocketSource(url, clients=clients, method=method)
        # A stream that costs money must end when it is stopped; over HTTP/2 it would keep running.
        keyless = method == "GET" and redact(url) == url

        def http2() -> bool:
            return self._http2 and keyless and self._debaters_by_origin[_netloc(url)] > 1

        first = SseSource(url, clients=clients, method=method, http2=http2)
        if method != "GET":
            return first
        return FallbackEndpoint(first, WebSocketSource("ws" + url[4:], clients=clients))


def _netloc(url: str) -> str:
    return urlsplit(url).netloc


class FallbackEndpoint(RemoteEndpoint):
    """Tries `first`, then `second` at the same address if the answer is not an event stream.

    The one that worked is tried first from then on. If neither is an event stream, the fault of `first` is
    raised.
    """

    def __init__(self, first: RemoteEndpoint, second: RemoteEndpoint) -> None:
        super().__init__(first.url)
        self._second = second
        self._preferred = first

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._preferred.connect(request, cursor))
            except NotAStream as refusal:
                try:
                    connection = await stack.enter_async_context(self._second.connect(request, cursor))
                except Fault:
                    raise refusal from None
                self._preferred = self._second
            yield connection
