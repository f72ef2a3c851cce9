"""A debater at any URL that answers with server-sent events or JSON lines."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
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
from debate_tui.sources.http import HttpRequest, has_framed_end, open_response
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.body import NDJSON_MEDIA_TYPES, parse_ndjson, prepend
from debate_tui.sources.sse_parser import EVENT_LIMIT, parse_sse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from debate_tui.domain.stream import Cursor, KeepAlive, TurnRequest
    from debate_tui.sources.endpoint import HttpMethod
    from debate_tui.sources.http import HttpClients, HttpResponse
    from debate_tui.sources.payloads import PayloadEvent

_MEDIA_TYPE = "text/event-stream"


class SseSource(RemoteEndpoint):
    """One debater at an event-stream endpoint.

    The URL may contain the placeholders of `fill_url`. `method` POST sends ``{"topic", "phase", "turn",
    "prompt", "messages"}`` as JSON. `headers` go to the URL's own origin only; messages never show them, or
    more of the URL than its host. `http2` is called for every connection and allows HTTP/2 if the server
    offers it; an abandoned stream then runs until its connection ends. `limit` is the maximum size of an
    event in characters. The clients are shared and stay open when the source is closed. Status 204 finishes a
    turn.

    With a `first_byte_timeout`, for servers that always send something at once, `connect` raises `NotAStream`
    if no byte arrives within that many seconds: a proxy is buffering.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: HttpClients,
        method: HttpMethod = "GET",
        headers: Mapping[str, str] | None = None,
        http2: Callable[[], bool] = lambda: False,
        limit: int = EVENT_LIMIT,
        first_byte_timeout: float | None = None,
    ) -> None:
        check_url(url, ("http", "https"))
        super().__init__(url)
        self._clients = clients
        self._method: HttpMethod = method
        self._headers = dict(headers or {})
        self._http2 = http2
        self._limit = limit
        self._first_byte_timeout = first_byte_timeout

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._first_byte_timeout):
                    opened = open_response(self._clients, self._build_request(request, cursor))
                    http_response = await stack.enter_async_context(opened)
                    media_type = await check_event_stream(http_response)
                    body = await stack.enter_async_context(aclosing(http_response.body()))
                    if self._first_byte_timeout is not None:
                        body = prepend(await anext(body, b""), body)
            except TimeoutError:
                message = f"{self.model} sent no data within {self._first_byte_timeout:g} s."
                raise NotAStream(FaultKind.TIMEOUT, message) from None
            response = http_response.httpx_response
            yield EndpointConnection(
                Connected(
                    StreamOrigin.CURSOR if cursor else StreamOrigin.START,
                    response.http_version,
                    http_response.reused,
                ),
                self._parse(body, media_type),
                lambda: has_framed_end(response),
                reusable=bool(media_type),
            )

    def _parse(
        self, body: AsyncGenerator[bytes], media_type: str
    ) -> AsyncGenerator[PayloadEvent | KeepAlive]:
        if not media_type:
            return _nothing_left()
        parse = parse_ndjson if media_type in NDJSON_MEDIA_TYPES else parse_sse
        return parse(body, limit=self._limit)

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
        url = fill_url(self.url, request, cursor, id_in_query=is_debate_log)
        return HttpRequest(self._method, url, self._headers, portable_headers, body, self._http2())


async def _nothing_left() -> AsyncGenerator[PayloadEvent]:
    """Yield the events of a stream that was already sent completely."""
    yield SimpleEvent("", "done")


async def check_event_stream(http_response: HttpResponse) -> str:
    """Return the response's media type; raise a fault if it is neither an event stream nor a 204."""
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
            FaultKind.BAD_REQUEST,
            f"The server returned status {status} instead of an event stream.",
            status=status,
        )
    content_type: str = http_response.httpx_response.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE and media_type not in NDJSON_MEDIA_TYPES:
        raise NotAStream(
            FaultKind.BAD_REQUEST,
            f"The server returned {media_type or 'no media type'} instead of {_MEDIA_TYPE}.",
            status=status,
        )
    return media_type
