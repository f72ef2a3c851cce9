"""A debater at any URL that answers with server-sent events or JSON lines."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Connected, Fault, FaultKind, StreamOrigin
from debate_tui.sources.credentials import check_url
from debate_tui.sources.endpoint import (
    EndpointConnection,
    NotAStream,
    RemoteEndpoint,
    encode_turn_request,
    fill_url,
)
from debate_tui.sources.http import HttpRequest, open_response
from debate_tui.sources.network import url_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from debate_tui.domain.stream import Cursor, TurnRequest
    from debate_tui.sources.endpoint import HttpMethod
    from debate_tui.sources.http import HttpClients, HttpResponse

_MEDIA_TYPE = "text/event-stream"


class SseSource(RemoteEndpoint):
    """One debater at an event-stream endpoint.

    The URL may contain the placeholders of `fill_url`. `method` POST sends ``{"topic", "phase", "turn",
    "prompt", "messages"}`` as JSON. `headers` go to the URL's own origin only; messages never show them, or
    more of the URL than its host. `http2` is called for every connection and allows HTTP/2 if the server
    offers it; an abandoned stream then runs until its connection ends. `limit` is the maximum size of an
    event in characters. The clients are shared and stay open when the source is closed. Status 204 finishes a
    turn.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: HttpClients,
        method: HttpMethod = "GET",
        headers: Mapping[str, str] | None = None,
        http2: Callable[[], bool] = lambda: False,
        limit: int | None = None,
    ) -> None:
        check_url(url, ("http", "https"))
        self._url = url
        self._clients = clients
        self._method: HttpMethod = method
        self._headers = dict(headers or {})
        self._http2 = http2
        self._limit = limit

    @property
    def model(self) -> str:
        return url_host(self._url)

    def turn_url(self, request: TurnRequest) -> str:
        return fill_url(self._url, request, None)

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with open_response(self._clients, self._build_request(request, cursor)) as http_response:
            media_type = await check_event_stream(http_response)
            connected = Connected(
                StreamOrigin.CURSOR if cursor else StreamOrigin.START,
                http_response.transport,
                http_response.reused,
            )
            if http_response.httpx_response.status_code == 204:
                yield EndpointConnection(connected, None, lambda: True)
                return
            # These import httpx, which is already loaded by now.
            from debate_tui.sources.payloads.body import NDJSON_MEDIA_TYPES, parse_ndjson
            from debate_tui.sources.sse_parser import EVENT_LIMIT, parse_sse

            async with aclosing(http_response.body()) as body:
                parse = parse_ndjson if media_type in NDJSON_MEDIA_TYPES else parse_sse
                stream = parse(body, limit=self._limit or EVENT_LIMIT)
                yield EndpointConnection(
                    connected, stream, lambda: http_response.has_framed_end, reusable=True
                )

    def _build_request(self, request: TurnRequest, cursor: Cursor | None) -> HttpRequest:
        # Compression saves nothing on chunks this small, and makes intermediaries buffer them.
        portable_headers = {"accept": _MEDIA_TYPE, "accept-encoding": "identity", "cache-control": "no-cache"}
        body = None
        if cursor is not None:
            portable_headers["last-event-id"] = cursor.position
        if self._method == "POST":
            portable_headers["content-type"] = "application/json"
            body = encode_turn_request(request)
        # debate-tui's own server also takes the id as a parameter: not every client can send the header.
        is_debate_log = cursor is not None and cursor.stream == "log"
        url = fill_url(self._url, request, cursor, id_in_query=is_debate_log)
        return HttpRequest(self._method, url, self._headers, portable_headers, body, self._http2())


async def check_event_stream(http_response: HttpResponse) -> str:
    """Return the response's media type; raise a fault if it is neither an event stream nor a 204."""
    from debate_tui.sources.payloads.body import NDJSON_MEDIA_TYPES

    status = http_response.httpx_response.status_code
    if status == 204:
        return ""
    if status >= 400:
        fault = await http_response.read_error()
        if status in (406, 426):
            raise NotAStream(fault.kind, fault.message, status=status)
        raise fault
    if status != 200:
        raise Fault(
            FaultKind.BAD_REQUEST, f"The server answered {status}, which is no event stream.", status=status
        )
    content_type: str = http_response.httpx_response.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE and media_type not in NDJSON_MEDIA_TYPES:
        raise NotAStream(
            FaultKind.BAD_REQUEST,
            f"The server answered with {media_type or 'no media type'}, not with {_MEDIA_TYPE}.",
            status=status,
        )
    return media_type
