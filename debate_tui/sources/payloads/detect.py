"""Which payload a stream speaks, told from its first event that says so."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Fault, FaultKind, Finished, KeepAlive
from debate_tui.sources.payloads import SimpleEvent, faults
from debate_tui.sources.payloads.agui import AgUiDecoder
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.deltas import DebateLogDecoder, DeltaDecoder
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.plain import KEEPALIVE_EVENTS, PlainTextDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.payloads.surrogates import SurrogateJoiner
from debate_tui.sources.payloads.uistream import UiStreamDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
            raise faults.fault_from_body(data)
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
        raise faults.fault_from_body(data)
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
