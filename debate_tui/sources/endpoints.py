"""From an endpoint's address to a source: which transport, what it falls back to, what it shares."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from debate_tui.sources.address import has_secrets
from debate_tui.sources.fallback import Fallback
from debate_tui.sources.http import CONNECT_TIMEOUT, Clients
from debate_tui.sources.shared import Shared
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.stream import Source
    from debate_tui.sources.remote import Method, Remote


class Endpoints:
    """Makes the sources of remote endpoints, and owns the connections they share.

    `connect_timeout` is in seconds. `http2` lets panes on one origin share an HTTP/2 connection, where it is
    offered and their requests are GETs without credentials.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        http2: bool = False,
        clients: Clients | None = None,
    ) -> None:
        self._clients = clients or Clients(connect_timeout=connect_timeout)
        self._http2 = http2
        self._panes: Counter[str] = Counter()
        self._shared: dict[str, Shared] = {}

    def make(self, url: str, *, method: Method = "GET", names: Sequence[str] = ()) -> Source:
        """The source at an ``http(s)://`` or ``ws(s)://`` address; raises `UsageError` for any other.

        `names` are what chunks may call the debater by (its id, its name), for addresses that several
        debaters share. Nothing is connected, and no HTTP client imported, before the source is opened.
        """
        remote = self._remote(url, method)
        self._panes[_place(url)] += 1
        if method != "GET" or "{turn}" in url:
            return remote
        return self._shared.setdefault(url, Shared(remote)).seat(names)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._clients.aclose()

    def _remote(self, url: str, method: Method) -> Remote:
        clients = self._clients
        if urlsplit(url).scheme.lower() in ("ws", "wss"):
            return WebSocketSource(url, clients=clients, method=method)
        # What is paid for must end when it is stopped, which a stream over HTTP/2 does not.
        keyless = method == "GET" and not has_secrets(url)

        def http2() -> bool:
            return self._http2 and keyless and self._panes[_place(url)] > 1

        first = SseSource(url, clients=clients, method=method, http2=http2)
        if method != "GET":
            return first
        return Fallback(first, WebSocketSource("ws" + url[4:], clients=clients))


def _place(url: str) -> str:
    return urlsplit(url).netloc
