"""Which payload a stream speaks, told from its first event that says so."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Alive, Fault, FaultKind, Finished
from debate_tui.sources.payloads import Data, faults
from debate_tui.sources.payloads.agui import AgUiDecoder
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.deltas import DeltaDecoder, LogDecoder
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.payloads.plain import SIGNS_OF_LIFE, PlainDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.payloads.surrogates import Surrogates
from debate_tui.sources.payloads.uistream import UiStreamDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Decoder, Event

DECODERS: dict[str, Callable[[], Decoder]] = {
    "log": LogDecoder,
    "deltas": DeltaDecoder,
    "chat": ChatDecoder,
    "responses": ResponsesDecoder,
    "messages": MessagesDecoder,
    "ui": UiStreamDecoder,
    "agui": AgUiDecoder,
    "plain": PlainDecoder,
}
"""The payloads that are told apart, by name."""

OURS = ("log", "deltas")
"""Those whose data may say where in the stream it is."""

_TYPES = (
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


class _Probe(Struct):
    """What tells the payloads apart."""

    type: str = ""
    object: str = ""
    choices: list[msgspec.Raw] | None = None
    delta: str | dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None
    chunks: list[_Probe] | None = None
    error: dict[str, msgspec.Raw] | str | None = None
    error_text: str | None = msgspec.field(default=None, name="errorText")


_probe = msgspec.json.Decoder(_Probe).decode
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{2,}={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")


class Detecting:
    """Decodes any of the payloads, once the stream has shown which it is.

    `name` says which was found, as in `DECODERS`; a stream that goes on where an earlier one broke off is
    given the name that one had, as its first event may say less. What ends or breaks a stream whatever it
    speaks (``event: done``, ``event: error``, ``[DONE]``) is read here.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name if name in DECODERS else ""
        self._decoder = DECODERS[self.name]() if self.name else None
        self._packed = False
        self._surrogates = Surrogates()

    @property
    def marks_end(self) -> bool:
        """See `Decoder.marks_end`; false as long as nothing was found."""
        return self._decoder is not None and self._decoder.marks_end

    def decode(self, event: Event) -> Iterable[StreamItem]:
        """See `Decoder.decode`."""
        name, data = event.event, event.data
        if name == "error":
            raise faults.from_body(data)
        if name == "done" or data == "[DONE]":
            return self._done(data)
        if (self._packed or self._decoder is None) and (unpacked := unpack(data)) is not None:
            self._packed = True
            event = Data(unpacked, name, event.id)
        elif "\\u" in data and (mended := self._surrogates.mended(data)) != data:
            event = Data(mended, name, event.id)
        if self._decoder is None:
            self.name = detect(event) or ""
            if not self.name:
                return (Alive(),)
            self._decoder = DECODERS[self.name]()
        return self._decoder.decode(event)

    def end(self) -> Finished | None:
        """See `Decoder.end`."""
        return self._decoder.end() if self._decoder else None

    def _done(self, data: str) -> Iterable[StreamItem]:
        try:
            said = _done(data)
        except msgspec.DecodeError:
            said = _Done()
        if said.reason in ("error", "failed", "canceled", "cancelled"):
            raise Fault(FaultKind.SERVER, f"The server ended the answer: {said.reason}.")
        if said.reason == "length":
            return (Finished("length"),)
        return (self.end() or Finished(),)


class _Done(Struct):
    reason: str = ""


_done = msgspec.json.Decoder(_Done).decode


def detect(event: Event) -> str | None:
    """The name of the payload an event belongs to; `None` if the event could belong to any.

    Raises `Fault` for an object that is nothing but an error.
    """
    data = event.data
    if not data or event.event in SIGNS_OF_LIFE:
        return None
    if not data.lstrip().startswith("{"):
        return "plain"
    try:
        probe = _probe(data)
    except msgspec.DecodeError:
        return "plain"
    return _named(probe, data)


def _named(probe: _Probe, data: str) -> str | None:
    if probe.choices is not None or probe.object.startswith("chat.completion"):
        return "chat"
    if probe.chunks is not None:
        return next((name for chunk in probe.chunks if (name := _named(chunk, data))), "deltas")
    for name, types in _TYPES:
        if types.match(probe.type):
            return name
    if isinstance(probe.delta, str):
        return "deltas"
    if probe.error_text is not None:
        return "ui"
    if probe.error is not None or probe.type == "error":
        raise faults.from_body(data)
    return None


def unpack(data: str) -> str | None:
    """The object in base64 MessagePack as JSON; `None` if `data` is anything else."""
    if not _BASE64.fullmatch(data):
        return None
    try:
        packed = base64.b64decode(data.translate(_URL_SAFE) + "=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        return None
    return as_json(packed)


def as_json(packed: bytes) -> str | None:
    """A MessagePack object as JSON, which all decoders read; `None` if the bytes are anything else."""
    try:
        value = msgspec.msgpack.decode(packed)
        return msgspec.json.encode(value).decode() if value and isinstance(value, dict) else None
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        # A TypeError is an extension type, for which JSON has no word.
        return None
