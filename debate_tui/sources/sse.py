"""A debater behind any URL that answers with server-sent events."""

from __future__ import annotations

import re
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

import msgspec

from debate_tui.domain.errors import UsageError
from debate_tui.domain.stream import Connected, Fault, FaultKind, Finished, Origin
from debate_tui.sources.http import Call, answered
from debate_tui.sources.payloads import endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from debate_tui.domain.stream import Cursor, Request, Resume, StreamItem
    from debate_tui.sources.http import Answer, Clients

Method = Literal["GET", "POST"]

_MEDIA_TYPE = "text/event-stream"
_PLACEHOLDER = re.compile(r"\{(topic|phase|turn|lastEventId)\}")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no header may hold."""


class NotAStream(Fault):
    """The server answered, but not with an event stream: another media type, or 406 or 426."""


class SseSource:
    """One debater at an event-stream endpoint.

    ``{topic}``, ``{phase}``, ``{turn}`` and ``{lastEventId}`` in the URL are filled in, percent-encoded.
    `method` POST sends ``{"topic", "phase", "turn", "prompt", "messages"}`` as JSON. `headers` go to the
    URL's own origin only; no message names them or the URL beyond its host. `http2` lets HTTP/2 be used
    where the server offers it, for GET requests that carry no credentials. `limit` bounds an event, in
    characters. The clients are shared and stay open when the source is closed.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: Clients,
        method: Method = "GET",
        headers: Mapping[str, str] | None = None,
        http2: bool = False,
        limit: int | None = None,
    ) -> None:
        check_address(url, ("http", "https"))
        self._url = url
        self._clients = clients
        self._method: Method = method
        self._headers = dict(headers or {})
        self._http2 = http2 and method == "GET" and not self._headers and "@" not in url
        self._limit = limit

    @property
    def model(self) -> str:
        """The endpoint's host."""
        return urlsplit(self._url).netloc.rpartition("@")[2]

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        """See `Source.open`.

        Resuming needs a cursor with an event id; without one the stream starts anew. A 204 finishes the turn.
        """
        cursor = resume.cursor if resume else None
        if cursor is not None and (not cursor.position or _UNSENDABLE.search(cursor.position)):
            cursor = None
        async with answered(self._clients, self._call(request, cursor)) as answer:
            await _check(answer)
            async with aclosing(self._items(answer, cursor)) as items:
                yield items

    async def aclose(self) -> None:
        """Nothing outlives a turn but the shared clients."""

    def _call(self, request: Request, cursor: Cursor | None) -> Call:
        about = {"accept": _MEDIA_TYPE, "cache-control": "no-store"}
        body = None
        if cursor is not None:
            about["last-event-id"] = cursor.position
        if self._method == "POST":
            about["content-type"] = "application/json"
            body = _body(request)
        url = filled(self._url, request, cursor)
        return Call(self._method, url, self._headers, about, body, self._http2)

    async def _items(self, answer: Answer, cursor: Cursor | None) -> AsyncGenerator[StreamItem]:
        yield Connected(Origin.CURSOR if cursor else Origin.START, answer.transport, answer.reused)
        if answer.response.status_code == 204:
            yield Finished()
            return
        # Imports httpx, which the answer has brought already.
        from debate_tui.sources.eventstream import EVENT_LIMIT, events

        async with (
            aclosing(answer.body()) as body,
            aclosing(events(body, limit=self._limit or EVENT_LIMIT)) as stream,
            aclosing(endpoint.read(stream, cursor, lambda: answer.framed)) as items,
        ):
            async for item in items:
                yield item


async def _check(answer: Answer) -> None:
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


def check_address(url: str, schemes: tuple[str, ...]) -> None:
    """Raise `UsageError` for an address that is none; it may hold a secret, so that it is not quoted."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("An endpoint's address cannot be read.", f"It looks like {schemes[-1]}://host/path.")


def filled(url: str, request: Request, cursor: Cursor | None) -> str:
    """The URL with its placeholders filled in.

    Our own server also takes the last event id as a parameter, for clients that cannot send the header.
    """
    last_id = cursor.position if cursor else ""
    values = {
        "topic": request.topic,
        "phase": request.phase,
        "turn": str(request.turn),
        "lastEventId": last_id,
    }
    given = _PLACEHOLDER.sub(lambda place: _quoted(values[place[1]]), url)
    if cursor is None or cursor.stream != "log" or "{lastEventId}" in url:
        return given
    parts = urlsplit(given)
    query = "&".join(part for part in (parts.query, f"lastEventId={_quoted(last_id)}") if part)
    return parts._replace(query=query).geturl()


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _body(request: Request) -> bytes:
    return msgspec.json.encode(
        {
            "topic": request.topic,
            "phase": request.phase,
            "turn": request.turn,
            "prompt": request.prompt,
            "messages": request.messages,
        }
    )
