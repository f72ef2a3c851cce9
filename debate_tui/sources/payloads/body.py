"""The body of a successful response, whatever its media type: events, JSON, a page or text.

Servers give event streams any label, send JSON lines instead, or ignore the request for a stream and send the
whole answer as one JSON document. The first bytes decide; each JSON document becomes an event.
"""

from __future__ import annotations

from contextlib import aclosing
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Literal

import msgspec

from debate_tui.domain.stream import Fault, FaultKind, KeepAlive
from debate_tui.sources.payloads import SimpleEvent, errors
from debate_tui.sources.sse_parser import EVENT_LIMIT, parse_sse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from debate_tui.sources.payloads import PayloadEvent

BodyKind = Literal["events", "json", "page", "text"]

NDJSON_MEDIA_TYPES = frozenset(
    f"application/{name}"
    for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines")
) | {"application/json-seq", "application/stream+json", "application/x-json-stream"}

_FIELDS = (b"data", b"event", b"id", b"retry", b"")
_BLANKS = b"\xef\xbb\xbf \t\r\n\x1e"
"""Bytes that may precede the decisive one: a byte order mark, blanks, a record separator."""
_MAX_BLANKS = 1 << 16
_MAX_ITEMS = 10_000
_ANSWER_FIELDS = (
    "choices",
    "type",
    "message",
    "response",
    "delta",
    "chunks",
    "output",
    "token",
    "text",
    "content",
)


def identify_body(head: bytes, is_event_stream: bool) -> BodyKind | None:
    """Return what a body that begins with `head` is, or `None` while that is undecided.

    `is_event_stream` is true if the media type says so: then anything but JSON and pages is one.
    """
    start = head.lstrip(_BLANKS)
    if not start:
        return "events" if len(head) > _MAX_BLANKS else None
    if start[:1] in (b"{", b"["):
        return "json"
    if start[:1] == b"<":
        return "page"
    if is_event_stream:
        return "events"
    field, colon, _ = start.partition(b"\n")[0].partition(b":")
    if colon or b"\n" in start:
        return "events" if field.strip() in _FIELDS else "text"
    return None if any(name.startswith(field.strip()) for name in _FIELDS) else "text"


async def prepend(head: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield the bytes of a body of which `head` has already been read."""
    yield head
    async for piece in rest:
        yield piece


async def parse_ndjson(
    body: AsyncIterator[bytes], *, limit: int = EVENT_LIMIT
) -> AsyncGenerator[PayloadEvent | KeepAlive]:
    """Yield the events of a body labelled as JSON lines, which may also be an event stream."""
    head = b""
    async for piece in body:
        head += piece
        if kind := identify_body(head, is_event_stream=False):
            break
        yield KeepAlive()
    else:
        return
    if kind == "page":
        message = "The server returned a web page instead of an event stream."
        raise Fault(FaultKind.BAD_REQUEST, message, status=HTTPStatus.OK)
    parse = parse_sse if kind == "events" else parse_json_body
    async with aclosing(prepend(head, body)) as whole, aclosing(parse(whole, limit=limit)) as events:
        async for event in events:
            yield event


async def parse_json_body(
    body: AsyncIterator[bytes], *, limit: int = EVENT_LIMIT
) -> AsyncGenerator[PayloadEvent | KeepAlive]:
    """Yield the events of a JSON body: one document per line, or a single document of several lines.

    `limit` is the maximum size of a document in bytes. Raise a `bad_request` fault for a larger one, and for
    a body that contains nothing any payload knows.
    """
    buffer = bytearray()
    searched = 0
    documents = _Documents()
    async for piece in body:
        buffer += piece
        while (end := buffer.find(b"\n", searched)) >= 0:
            line = bytes(buffer[:end]).strip(_BLANKS)
            if not documents.count and line and not _is_json(line):
                searched = end + 1  # a document of several lines
                continue
            del buffer[: end + 1]
            searched = 0
            for event in documents.events(line) if line else (KeepAlive(),):
                yield event
        searched = len(buffer)
        if len(buffer) > limit:
            message = f"The server sent a document longer than {limit:,} bytes."
            raise Fault(FaultKind.BAD_REQUEST, message)
    if rest := bytes(buffer).strip(_BLANKS):
        for event in documents.events(rest):
            yield event
    documents.check()


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return line == b"[DONE]"
    return True


class _Documents:
    """The JSON documents of one body."""

    def __init__(self) -> None:
        self.count = 0
        self._known = False
        self._unknown_fields: list[str] = []

    def events(self, document: bytes) -> Iterator[PayloadEvent]:
        """Yield a document as an event, or the parts of a list as one event each."""
        self.count += 1
        try:
            value = msgspec.json.decode(document)
        except (msgspec.DecodeError, RecursionError):
            self._known = True
            yield SimpleEvent(document.decode("utf-8", "replace"))
            return
        for item in islice(value, _MAX_ITEMS) if isinstance(value, list) else (value,):
            if not isinstance(item, dict):
                self._known = True
                yield SimpleEvent(msgspec.json.encode(item).decode())
                continue
            is_error = not item.get("choices") and errors.is_error(item)
            self._known = self._known or is_error or any(map(item.get, _ANSWER_FIELDS))
            self._unknown_fields = self._unknown_fields or list(item)[:5]
            yield SimpleEvent(msgspec.json.encode(item).decode(), "error" if is_error else "message")

    def check(self) -> None:
        """Raise the fault of a JSON body without any part of an answer."""
        if not self._known:
            names = ", ".join(f"'{name[:40]}'" for name in self._unknown_fields) or "none"
            message = (
                f"The server returned JSON instead of an event stream or an answer. Its fields: {names}."
            )
            raise Fault(FaultKind.BAD_REQUEST, message, status=HTTPStatus.OK)
