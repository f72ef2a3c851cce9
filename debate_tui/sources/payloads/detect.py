"""Detection of a stream's payload from its first decisive event."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.stream import (
    Chunk,
    CitationsUpdate,
    Cursor,
    Fault,
    Finished,
    KeepAlive,
    UnmarkedEnd,
    UsageUpdate,
)
from debate_tui.sources.payloads import (
    PayloadDecoder,
    SimpleEvent,
    errors,
    is_done_marker,
    truncated_fault,
    unknown_payload_fault,
    unreadable_fault,
)
from debate_tui.sources.payloads.agent_protocols import AgUiDecoder, UiStreamDecoder
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.deltas import DebateLogDecoder, DeltaDecoder, NativeEvent, PlainTextDecoder
from debate_tui.sources.payloads.json_decoder import (
    KEEPALIVE_EVENTS,
    NOTHING,
    UNREADABLE,
    JsonDecoder,
    fit_struct,
    is_ping,
    load_json,
)
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent


DECODERS: dict[str, Callable[[], PayloadDecoder]] = {
    "log": DebateLogDecoder,
    "deltas": DeltaDecoder,
    "chat": ChatDecoder,
    "responses": ResponsesDecoder,
    "messages": MessagesDecoder,
    "ui": UiStreamDecoder,
    "agui": AgUiDecoder,
    "plain": PlainTextDecoder,
}
"""The decoders by payload name."""

OWN_PAYLOADS = ("log", "deltas")
"""Payloads whose data may contain positions in the stream."""

_TYPE_PATTERNS = (
    ("responses", re.compile(r"response\.")),
    ("messages", re.compile(r"message_(start|delta|stop)|content_block_")),
    ("log", re.compile(r"(debate|debater|phase|turn|stream)\.|interjection|vote|verdict")),
    ("agui", re.compile(r"(RUN|STEP|TEXT_MESSAGE|REASONING|THINKING|STATE|MESSAGES|ACTIVITY|TOOL_CALL)_")),
    ("ui", re.compile(r"(start|finish|abort)(-step)?$|(text|reasoning|source)-|message-metadata|data-")),
)

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{2,}={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")

MAX_UNKNOWN_EVENTS = 20
"""Unrecognised events after which a stream with no others is given up."""


class EndpointDecoder(PayloadDecoder):
    """Decodes any of the payloads, once the stream has shown which one it is.

    Items get cursors from event ids, if the stream has any; with `ids_in_data` from the ids in debate-tui's
    own payloads. A cursor also names the payload: a stream that resumes after `resume_cursor` is decoded like
    the interrupted one, as its first event may be less specific. What ends or breaks any stream (``event:
    done``, ``event: error``, ``[DONE]``) is handled here.
    """

    def __init__(self, resume_cursor: Cursor | None = None, *, ids_in_data: bool = False) -> None:
        name = resume_cursor.stream if resume_cursor else ""
        self.payload_name = name if name in DECODERS else ""
        self._found = DECODERS[name]() if name in DECODERS else None
        self._is_packed = False
        self._unknown_events: list[str] = []
        self._ids_in_data = ids_in_data
        self._is_resumed = self._has_ids = resume_cursor is not None
        self._last_id = resume_cursor.position if resume_cursor else ""

    @property
    def has_end_marker(self) -> bool:
        """See `PayloadDecoder.has_end_marker`; false until the payload is known."""
        return self._found is not None and self._found.has_end_marker

    @property
    def finish_reason(self) -> FinishReason | None:
        return None if self._found is None else self._found.finish_reason

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`; items have their final cursors."""
        items = self._decode_payload(event)
        if self._ids_in_data and self.payload_name in ("", *OWN_PAYLOADS):
            return map(self._with_own_cursor, items)
        if event.id or self._has_ids:
            return self._with_event_id(items, event.id)
        return map(_without_cursor, items)

    def keep_alive(self, sign: KeepAlive) -> KeepAlive:
        if sign.cursor is None:
            return sign
        return KeepAlive(self._make_cursor(sign.cursor.position), sign.retry_after)

    def end(self) -> Finished | None:
        return self._found.end() if self._found else None

    def missing_end(self) -> Fault:
        if self._found is not None:
            return self._found.missing_end()
        return unknown_payload_fault(self._unknown_events[0]) if self._unknown_events else truncated_fault()

    def close(self, text_seen: bool, ended_orderly: bool) -> Finished:
        """See `PayloadDecoder.close`; if the payload has no end marker, the end may be an `UnmarkedEnd`."""
        if not self.has_end_marker and (self._last_id or not ended_orderly):
            if text_seen or self._is_resumed:
                raise UnmarkedEnd(vouched=ended_orderly)
            if not ended_orderly:
                raise self.missing_end()
        return super().close(text_seen, ended_orderly)

    def _decode_payload(self, event: PayloadEvent) -> Iterable[StreamItem]:
        name, data = event.event, event.data
        if name == "error":
            raise errors.fault_from_body(data)
        if name == "done" or (data[:1] != "{" and is_done_marker(data)):
            if self._unknown_events and self._found is None:
                raise self.missing_end()
            decoder = self._found if isinstance(self._found, JsonDecoder) else DeltaDecoder()
            return decoder.read_done(data)
        if (self._is_packed or self._found is None) and (unpacked := unpack_base64(data)) is not None:
            self._is_packed = True
            event = SimpleEvent(unpacked, name, event.id)
        if self._found is None:
            self.payload_name = detect_payload(event) or ""
            if not self.payload_name:
                return self._note_unknown(event)
            self._found = DECODERS[self.payload_name]()
        return self._found.decode(event)

    def _note_unknown(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """Treat an event as a keep-alive; raise `Fault` if it belongs to an unsupported API."""
        value = load_json(event.data)
        if value and isinstance(value, dict | list) and event.event not in KEEPALIVE_EVENTS:
            first = value if isinstance(value, dict) else next((v for v in value if isinstance(v, dict)), {})
            if name := foreign_payload(event, first):
                raise unknown_payload_fault(event.data, name)
            if not is_ping(first):
                self._unknown_events.append(event.data)
        if len(self._unknown_events) >= MAX_UNKNOWN_EVENTS:
            raise unknown_payload_fault(self._unknown_events[0])
        return NOTHING

    def _with_own_cursor(self, item: StreamItem) -> StreamItem:
        """Return the item of one of debate-tui's own payloads with its final cursor."""
        cursor = item.cursor if isinstance(item, Chunk | KeepAlive) else None
        return item if cursor is None else _with_cursor(item, self._make_cursor(cursor.position))

    def _with_event_id(self, items: Iterable[StreamItem], event_id: str) -> Iterator[StreamItem]:
        """Yield an event's items; its id stands for all of it, so only the last item gets the cursor."""
        pending: StreamItem | None = None
        try:
            for item in items:
                if pending is not None:
                    yield _without_cursor(pending)
                pending = item
        except Fault:
            if pending is not None:
                yield _without_cursor(pending)
            raise
        if pending is not None:
            if isinstance(pending, UsageUpdate | CitationsUpdate):
                yield pending
                pending = KeepAlive()
            yield _with_cursor(pending, self._make_cursor(event_id))

    def _make_cursor(self, position: str) -> Cursor:
        self._has_ids = True
        self._last_id = position
        return Cursor(position, self.payload_name)


def _without_cursor(item: StreamItem) -> StreamItem:
    """Return the item without a cursor: an endpoint cannot resume from a payload's sequence number."""
    if type(item) is Chunk and item.cursor is None:
        return item
    return _with_cursor(item, None)


def _with_cursor(item: StreamItem, cursor: Cursor | None) -> StreamItem:
    match item:
        case Chunk() if item.cursor is not cursor:
            return Chunk(item.text, item.reasoning, cursor)
        case KeepAlive() if item.cursor is not cursor:
            return KeepAlive(cursor, item.retry_after)
        case _:
            return item


def detect_payload(event: PayloadEvent) -> str | None:
    """Return the payload name for an event, or `None` if it could belong to any.

    JSON is never treated as plain text, unless it is a number, a string or a list of them. Raise `Fault` for
    an object that is only an error, and for data that cannot be parsed.
    """
    data = event.data.strip()
    if not data or event.event in KEEPALIVE_EVENTS or data.lower() in KEEPALIVE_EVENTS:
        return None
    value = load_json(data.partition("\n")[0]) if data[0] == "{" else None
    if not isinstance(value, dict):
        value = load_json(data)
    if value is UNREADABLE:
        if _JSON_START.match(data):
            raise unreadable_fault(data)
        return "plain"
    if isinstance(value, dict):
        return _payload_name(value, data)
    if errors.is_error(value):
        raise errors.fault_from_body(data)
    is_bare = not isinstance(value, list) or (value and not any(isinstance(v, dict | list) for v in value))
    return "plain" if is_bare and value is not None else None


_JSON_START = re.compile(r"\{\s*\"|\[\s*\{")


def _payload_name(value: dict[str, object], data: str) -> str | None:
    kind, kind_of_object = str(value.get("type", "")), str(value.get("object", ""))
    if isinstance(value.get("choices"), list) or kind_of_object.startswith(("chat.completion", "text_comp")):
        return "chat"
    if kind_of_object == "response":
        return "responses"
    if kind == "message" and isinstance(value.get("content"), list):
        return "messages"
    if isinstance(chunks := value.get("chunks"), list):
        names = (_payload_name(chunk, data) for chunk in chunks if isinstance(chunk, dict))
        return next((name for name in names if name), "deltas")
    for name, types in _TYPE_PATTERNS:
        if types.match(kind):
            return name
    if isinstance(value.get("delta"), str):
        return "deltas"
    if isinstance(value.get("errorText"), str):
        return "ui"
    if errors.is_error(value):
        raise errors.fault_from_body(data)
    texts = fit_struct({**value}, NativeEvent).texts()
    return "deltas" if any(text is not None for _, text in texts) else None


# Unsupported payloads, recognised so that the message can name them.


def foreign_payload(event: PayloadEvent, value: dict[str, object]) -> str:
    """Return the name of an unsupported API that an event belongs to, or an empty string."""
    kind = value.get("type")
    if event.event.startswith("thread.") or str(value.get("object", "")).startswith("thread."):
        return "OpenAI's Assistants API"
    if isinstance(value.get("candidates"), list) or "promptFeedback" in value:
        return "Gemini's native API"
    if kind in _COHERE_TYPES or value.get("event_type") in ("stream-start", "text-generation"):
        return "Cohere's API"
    if any(isinstance(value.get(name), dict) for name in _BEDROCK_KEYS) or set(value) == {"bytes"}:
        return "Amazon Bedrock's API"
    if "task_id" in value and isinstance(value.get("event"), str):
        return "Dify's API"
    return ""


_COHERE_TYPES = ("message-start", "content-start", "content-delta", "tool-plan-delta", "message-end")
_BEDROCK_KEYS = ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "chunk")


def unpack_base64(data: str) -> str | None:
    """Return base64 MessagePack as a JSON object, or `None` if `data` is anything else."""
    if not _BASE64.fullmatch(data):
        return None
    try:
        packed = base64.b64decode(data.translate(_URL_SAFE) + "=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        return None
    return msgpack_to_json(packed)


def msgpack_to_json(packed: bytes) -> str | None:
    """Return a MessagePack object as JSON, which all decoders read, or `None` for other bytes."""
    try:
        value = msgspec.msgpack.decode(packed)
        return msgspec.json.encode(value).decode() if value and isinstance(value, dict) else None
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        # A TypeError means an extension type, which JSON cannot represent.
        return None
