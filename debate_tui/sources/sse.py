"""A debater behind any URL that answers with server-sent events."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Connected, Fault, FaultKind, Origin
from debate_tui.sources.address import check_address, host
from debate_tui.sources.http import Call, answered
from debate_tui.sources.remote import Connection, NotAStream, Remote, asked, filled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from debate_tui.domain.stream import Cursor, Request
    from debate_tui.sources.http import Answer, Clients
    from debate_tui.sources.remote import Method

_MEDIA_TYPE = "text/event-stream"


class SseSource(Remote):
    """One debater at an event-stream endpoint.

    The URL may have the placeholders of `filled`. `method` POST sends ``{"topic", "phase", "turn", "prompt",
    "messages"}`` as JSON. `headers` go to the URL's own origin only; no message names them or the URL
    beyond its host. `http2`, asked for every connection, lets HTTP/2 be used where the server offers it; a
    stream that is left then runs on until its connection ends. `limit` bounds an event, in characters. The
    clients are shared and stay open when the source is closed. A 204 finishes a turn.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: Clients,
        method: Method = "GET",
        headers: Mapping[str, str] | None = None,
        http2: Callable[[], bool] = lambda: False,
        limit: int | None = None,
    ) -> None:
        check_address(url, ("http", "https"))
        self._url = url
        self._clients = clients
        self._method: Method = method
        self._headers = dict(headers or {})
        self._http2 = http2
        self._limit = limit

    @property
    def model(self) -> str:
        return host(self._url)

    def address(self, request: Request) -> str:
        return filled(self._url, request, None)

    @asynccontextmanager
    async def connect(self, request: Request, cursor: Cursor | None) -> AsyncGenerator[Connection]:
        async with answered(self._clients, self._call(request, cursor)) as answer:
            await check_stream(answer)
            connected = Connected(Origin.CURSOR if cursor else Origin.START, answer.transport, answer.reused)
            if answer.response.status_code == 204:
                yield Connection(connected, None, lambda: True)
                return
            # Imports httpx, which the answer has brought already.
            from debate_tui.sources.eventstream import EVENT_LIMIT, events

            async with aclosing(answer.body()) as body:
                stream = events(body, limit=self._limit or EVENT_LIMIT)
                yield Connection(connected, stream, lambda: answer.framed, kept=True)

    def _call(self, request: Request, cursor: Cursor | None) -> Call:
        # Compression saves nothing on chunks this small, and intermediaries hold it back.
        about = {"accept": _MEDIA_TYPE, "accept-encoding": "identity", "cache-control": "no-store"}
        body = None
        if cursor is not None:
            about["last-event-id"] = cursor.position
        if self._method == "POST":
            about["content-type"] = "application/json"
            body = asked(request)
        # Our own server takes the id as a parameter too: not every client can send the header.
        ours = cursor is not None and cursor.stream == "log"
        url = filled(self._url, request, cursor, id_in_query=ours)
        return Call(self._method, url, self._headers, about, body, self._http2())


async def check_stream(answer: Answer) -> None:
    """Raise the fault of an answer that is neither an event stream nor the end of one."""
    status = answer.response.status_code
    if status == 204:
        return
    if status >= 400:
        fault = await answer.refusal()
        if status in (406, 426):
            raise NotAStream(fault.kind, fault.message, status=status)
        raise fault
    if status != 200:
        raise Fault(
            FaultKind.BAD_REQUEST, f"The server answered {status}, which is no event stream.", status=status
        )
    media_type = answer.response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise NotAStream(
            FaultKind.BAD_REQUEST,
            f"The server answered with {media_type or 'no media type'}, not with {_MEDIA_TYPE}.",
            status=status,
        )
