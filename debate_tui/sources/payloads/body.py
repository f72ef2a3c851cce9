"""The body of a successful response, whatever its media type: events, JSON, a page or text.

Servers give event streams any label, send JSON lines instead, or ignore the request for a stream and send the
whole answer as one JSON document. The first bytes decide; JSON is converted to the events of a stream, so
that the decoders need no special case.
"""

from __future__ import annotations

from contextlib import aclosing
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Literal

import msgspec

from debate_tui.domain.stream import Fault, FaultKind, KeepAlive
from debate_tui.sources.payloads import SimpleEvent, errors
from debate_tui.sources.payloads.json_decoder import load_json
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
        """Yield a document as events: a complete answer as its stream's events, anything else unchanged."""
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
            yield from _answer_events(item, is_error=is_error)

    def check(self) -> None:
        """Raise the fault of a JSON body without any part of an answer."""
        if not self._known:
            names = ", ".join(f"'{name[:40]}'" for name in self._unknown_fields) or "none"
            message = (
                f"The server returned JSON instead of an event stream or an answer. Its fields: {names}."
            )
            raise Fault(FaultKind.BAD_REQUEST, message, status=HTTPStatus.OK)


def split_answer(data: str) -> list[str]:
    """Return the data of the events that would stream a complete answer; empty for anything else."""
    value = load_json(data)
    if not isinstance(value, dict):
        return []
    parts = [event.data for event in _answer_events(value, is_error=False)]
    return parts if parts != [_event(value).data] else []


def _answer_events(value: dict[str, object], *, is_error: bool) -> Iterator[PayloadEvent]:
    choices = _objects(value.get("choices"))
    if any(map(_has_message, choices)):
        yield from _chat_events(value, choices)
    elif value.get("object") == "response" and "output" in value:
        yield from _responses_events(value)
    elif value.get("type") == "message" and "content" in value:
        yield from _messages_events(value)
    else:
        yield SimpleEvent(msgspec.json.encode(value).decode(), "error" if is_error else "message")


def _has_message(choice: dict[str, object]) -> bool:
    return isinstance(choice.get("message"), dict) and not choice.get("delta")


def _chat_events(completion: dict[str, object], choices: list[dict[str, object]]) -> Iterator[PayloadEvent]:
    """Yield a complete chat completion as a single chunk."""
    chunks = [choice | {"delta": choice["message"]} if _has_message(choice) else choice for choice in choices]
    yield _event(completion | {"object": "chat.completion.chunk", "choices": chunks})
    yield SimpleEvent("[DONE]")


def _responses_events(response: dict[str, object]) -> Iterator[PayloadEvent]:
    """Yield a complete response as its text and its final event."""
    for item in _objects(response.get("output")):
        for index, part in enumerate(_objects(item.get("summary"))):
            yield _event({"type": "response.reasoning_summary_part.added", "summary_index": index})
            yield _event({"type": "response.reasoning_summary_text.delta", "delta": part.get("text")})
        for part in _objects(item.get("content")) if item.get("type") == "message" else ():
            kind, text = (
                ("refusal", part["refusal"]) if part.get("refusal") else ("output_text", part.get("text"))
            )
            yield _event({"type": f"response.{kind}.delta", "delta": text})
    status = response.get("status") or "completed"
    yield _event({"type": f"response.{status}", "response": response})


def _objects(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _messages_events(message: dict[str, object]) -> Iterator[PayloadEvent]:
    """Yield a complete message as its blocks, each in one piece."""
    content, usage = message.get("content"), message.get("usage")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    yield _event({"type": "message_start", "message": message | {"content": []}})
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        yield _event({"type": "content_block_start", "index": index, "content_block": block})
    stop = {"stop_reason": message.get("stop_reason")}
    yield _event({"type": "message_delta", "delta": stop, "usage": usage})
    yield _event({"type": "message_stop"})


def _event(value: dict[str, object]) -> SimpleEvent:
    return SimpleEvent(msgspec.json.encode(value).decode())
