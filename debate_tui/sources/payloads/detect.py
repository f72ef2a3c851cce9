"""Which payload a stream speaks, told from its first event that says so."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, Finished, KeepAlive, UnmarkedEnd
from debate_tui.sources.payloads import (
    KEEPALIVE_EVENTS,
    PlainTextDecoder,
    SimpleEvent,
    SurrogateJoiner,
    errors,
    nesting_fault,
    truncated_fault,
)
from debate_tui.sources.payloads.agent_protocols import AgUiDecoder, UiStreamDecoder
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.deltas import DebateLogDecoder, DeltaDecoder
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadDecoder, PayloadEvent


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
"""The payloads that are told apart, by name."""

OWN_PAYLOADS = ("log", "deltas")
"""Those whose data may say where in the stream it is."""

_TYPE_PATTERNS = (
    ("responses", re.compile(r"response\.")),
    ("messages", re.compile(r"message_(start|delta|stop)|content_block_")),
    ("log", re.compile(r"(debate|debater|phase|turn|stream)\.|interjection|vote|verdict")),
    ("agui", re.compile(r"(RUN|STEP|TEXT_MESSAGE|REASONING|THINKING|STATE|MESSAGES|ACTIVITY|TOOL_CALL)_")),
    (
        "ui",
        re.compile(
            r"(start|finish|abort)(-step)?$|(text|reasoning)-(start|delta|end)|message-metadata|data-"
        ),
    ),
)


class _PayloadProbe(Struct):
    """What tells the payloads apart."""

    type: str = ""
    object: str = ""
    choices: list[msgspec.Raw] | None = None
    delta: str | dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None
    chunks: list[_PayloadProbe] | None = None
    error: dict[str, msgspec.Raw] | str | None = None
    error_text: str | None = msgspec.field(default=None, name="errorText")


_decode_probe = msgspec.json.Decoder(_PayloadProbe).decode
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{2,}={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")


class AutoDetectDecoder:
    """Decodes any of the payloads, once the stream has shown which it is.

    `name` says which was found, as in `DECODERS`; a stream that goes on where an earlier one broke off is
    given the name that one had, as its first event may say less. What ends or breaks a stream whatever it
    speaks (``event: done``, ``event: error``, ``[DONE]``) is read here.
    """

    def __init__(self, payload_name: str = "") -> None:
        self.payload_name = payload_name if payload_name in DECODERS else ""
        self._decoder = DECODERS[self.payload_name]() if self.payload_name else None
        self._is_packed = False
        self._surrogates = SurrogateJoiner()

    @property
    def has_end_marker(self) -> bool:
        """See `PayloadDecoder.has_end_marker`; false as long as nothing was found."""
        return self._decoder is not None and self._decoder.has_end_marker

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        name, data = event.event, event.data
        if name == "error":
            raise errors.fault_from_body(data)
        if name == "done" or data == "[DONE]":
            return self._decode_done(data)
        if (self._is_packed or self._decoder is None) and (unpacked := unpack_base64(data)) is not None:
            self._is_packed = True
            event = SimpleEvent(unpacked, name, event.id)
        elif "\\u" in data and (joined := self._surrogates.join_pairs(data)) != data:
            event = SimpleEvent(joined, name, event.id)
        if self._decoder is None:
            self.payload_name = detect_payload(event) or ""
            if not self.payload_name:
                return (KeepAlive(),)
            self._decoder = DECODERS[self.payload_name]()
        return self._decoder.decode(event)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return self._decoder.end() if self._decoder else None

    def _decode_done(self, data: str) -> Iterable[StreamItem]:
        try:
            done = _decode_done_event(data)
        except msgspec.DecodeError:
            done = _DoneEvent()
        if done.reason in ("error", "failed", "canceled", "cancelled"):
            raise Fault(FaultKind.SERVER, f"The server ended the answer: {done.reason}.")
        if done.reason == "length":
            return (Finished("length"),)
        return (self.end() or Finished(),)


class _DoneEvent(Struct):
    reason: str = ""


_decode_done_event = msgspec.json.Decoder(_DoneEvent).decode


def detect_payload(event: PayloadEvent) -> str | None:
    """The name of the payload an event belongs to; `None` if the event could belong to any.

    Raises `Fault` for an object that is nothing but an error.
    """
    data = event.data
    if not data or event.event in KEEPALIVE_EVENTS:
        return None
    if not data.lstrip().startswith("{"):
        return "plain"
    try:
        probe = _decode_probe(data)
    except msgspec.DecodeError:
        return "plain"
    return _payload_name(probe, data)


def _payload_name(probe: _PayloadProbe, data: str) -> str | None:
    if probe.choices is not None or probe.object.startswith("chat.completion"):
        return "chat"
    if probe.chunks is not None:
        return next((name for chunk in probe.chunks if (name := _payload_name(chunk, data))), "deltas")
    for name, types in _TYPE_PATTERNS:
        if types.match(probe.type):
            return name
    if isinstance(probe.delta, str):
        return "deltas"
    if probe.error_text is not None:
        return "ui"
    if probe.error is not None or probe.type == "error":
        raise errors.fault_from_body(data)
    return None


def unpack_base64(data: str) -> str | None:
    """The object in base64 MessagePack as JSON; `None` if `data` is anything else."""
    if not _BASE64.fullmatch(data):
        return None
    try:
        packed = base64.b64decode(data.translate(_URL_SAFE) + "=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        return None
    return msgpack_to_json(packed)


def msgpack_to_json(packed: bytes) -> str | None:
    """A MessagePack object as JSON, which all decoders read; `None` if the bytes are anything else."""
    try:
        value = msgspec.msgpack.decode(packed)
        return msgspec.json.encode(value).decode() if value and isinstance(value, dict) else None
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        # A TypeError is an extension type, for which JSON has no word.
        return None


# What a remote endpoint's events amount to: the payload is found out, and the end has to be believable.


async def decode_endpoint_stream(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    resume_cursor: Cursor | None,
    ended_orderly: Callable[[], bool],
    *,
    ids_in_data: bool = False,
) -> AsyncGenerator[StreamItem]:
    """Decode an endpoint's stream up to its end: a `Finished`, or a `Fault`, which may be an `UnmarkedEnd`.

    Items get cursors from the event ids, as far as the stream has any; `ids_in_data` takes those that our own
    payloads carry instead. A cursor also names the payload, so that a stream which goes on behind one
    (`resume_cursor`) is read like the one before. `ended_orderly` is asked at the end whether the framing
    vouches for it.
    """
    reader = _EndpointReader(resume_cursor, ids_in_data)
    text_seen = False
    try:
        async for event in events:
            for item in reader.decode(event):
                kind = type(item)
                if kind is Chunk:
                    text_seen = True
                yield item
                if kind is Finished:
                    return
        yield reader.end(text_seen, ended_orderly())
    except RecursionError:
        raise nesting_fault(text_seen) from None
    except Fault as fault:
        fault.text_seen = fault.text_seen or text_seen
        raise


class _EndpointReader:
    """One connection's stream, as far as it was read."""

    def __init__(self, resume_cursor: Cursor | None, ids_in_data: bool) -> None:
        self._decoder = AutoDetectDecoder(resume_cursor.stream if resume_cursor else "")
        self._ids_in_data = ids_in_data
        self._is_resumed = resume_cursor is not None
        self._last_id = resume_cursor.position if resume_cursor else ""
        self._has_ids = resume_cursor is not None

    def decode(self, event: PayloadEvent | KeepAlive) -> Iterable[StreamItem]:
        """What an event amounts to, with the cursors its items are to have."""
        if isinstance(event, KeepAlive):
            cursor = None if event.cursor is None else self._make_cursor(event.cursor.position)
            return (event if cursor is None else KeepAlive(cursor, event.retry_after),)
        if self._ids_in_data and self._decoder.payload_name in ("", *OWN_PAYLOADS):
            return self._with_payload_cursors(self._decoder.decode(event))
        if not event.id and not self._has_ids:
            return map(_without_cursor, self._decoder.decode(event))
        return self._with_event_id(event)

    def end(self, text_seen: bool, ended_orderly: bool) -> Finished:
        """The end of a connection that was closed without an error; raises `Fault` if it is not the end."""
        decoder = self._decoder
        if not decoder.has_end_marker and (self._last_id or not ended_orderly):
            if text_seen or self._is_resumed:
                raise UnmarkedEnd(vouched=ended_orderly)
            if not ended_orderly:
                raise truncated_fault()
        finished = decoder.end()
        if finished is None:
            raise truncated_fault()
        return finished

    def _with_payload_cursors(self, items: Iterable[StreamItem]) -> Iterator[StreamItem]:
        """Items with the places their own payload gives them."""
        for item in items:
            cursor = item.cursor if isinstance(item, Chunk | KeepAlive) else None
            is_own = cursor is not None and self._decoder.payload_name in OWN_PAYLOADS
            yield _with_cursor(item, self._make_cursor(cursor.position) if cursor and is_own else None)

    def _with_event_id(self, event: PayloadEvent) -> Iterator[StreamItem]:
        """The items of an event with an id, which stands for all of it: only the last one may carry it."""
        pending: StreamItem | None = None
        try:
            for item in self._decoder.decode(event):
                if pending is not None:
                    yield _without_cursor(pending)
                pending = item
        except Fault:
            if pending is not None:
                yield _without_cursor(pending)
            raise
        if pending is not None:
            yield _with_cursor(pending, self._make_cursor(event.id))

    def _make_cursor(self, position: str) -> Cursor:
        self._has_ids = True
        self._last_id = position
        return Cursor(position, self._decoder.payload_name)


def _without_cursor(item: StreamItem) -> StreamItem:
    """The item without a cursor: a sequence number of the payload's own is nothing to ask an endpoint by."""
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
