"""Base of the decoders for JSON events, tolerant of servers' deviations.

Fields and events without text must never stop text: a field of an unexpected type is dropped, and an event
with no known field is a keep-alive. This slow path only runs after strict, fast parsing has failed.
"""

from __future__ import annotations

import json
import math
import re
from abc import abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import (
    Chunk,
    CitationsUpdate,
    Fault,
    Finished,
    KeepAlive,
    Usage,
    UsageUpdate,
    merge_citations,
)
from debate_tui.domain.text import CharacterJoiner
from debate_tui.domain.usage import merge_usage
from debate_tui.sources.payloads import (
    PayloadDecoder,
    SimpleEvent,
    errors,
    is_done_marker,
    truncated_fault,
    unknown_payload_fault,
    unreadable_fault,
)
from debate_tui.sources.payloads.citations import find_citations
from debate_tui.sources.payloads.error_kinds import to_finish_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from debate_tui.domain.stream import Citation, FinishReason, StreamItem
    from debate_tui.sources.payloads import PayloadEvent


KEEPALIVE_EVENTS = frozenset(("ping", "heartbeat", "keepalive", "keep-alive", "keep_alive", "noop"))
"""Names of events that carry no text, whatever their data is."""

NOTHING = (KeepAlive(),)
"""The items of an event without text: only a sign of life."""

_StructT = TypeVar("_StructT", bound=Struct)


class _DoneEvent(Struct):
    reason: str = ""
    usage: Usage | None = None
    citations: object = None


class JsonDecoder(PayloadDecoder, Generic[_StructT]):
    """Decodes events that are JSON objects; a subclass reads one payload, described by `shape`.

    What the fast path (`parse`, strict) cannot read is examined again: it may be ``[DONE]``, empty, a number,
    text that is not JSON, half a surrogate pair, or an object with a field of another type.
    """

    shape: type[_StructT]
    parse: Callable[[str], _StructT]

    has_end_marker = True
    finish_reason: FinishReason | None = None
    _understood = False
    """Whether an event has shown that the payload is this one."""

    def __init__(self) -> None:
        self._is_refusal = False
        self._usage: Usage | None = None
        self._instead = ""
        self._model = ""
        self._response = ""
        self._cost: float | None = None
        self._citations: tuple[Citation, ...] = ()
        self._unknown_event = ""
        self._last_words = ""
        self._joiners = defaultdict[bool, CharacterJoiner](CharacterJoiner)

    @abstractmethod
    def read(self, value: _StructT, event: PayloadEvent) -> Iterable[StreamItem]:
        """Return the items of one event of the payload."""

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        try:
            value = self.parse(event.data)
        except msgspec.DecodeError:
            return self._decode_unusual(event)
        return self.read(value, event)

    def end(self) -> Finished | None:
        return None if self.finish_reason is None else self.finished()

    def finished(self, reason: FinishReason = "complete") -> Finished:
        """Return the end with all data collected; `reason` is the default if the payload gave none."""
        reason = "refused" if self._is_refusal else self.finish_reason or reason
        return Finished(
            reason,
            self._usage,
            self._instead,
            self._model,
            self._response,
            self._cost,
            self._citations,
        )

    def note_finish_reason(self, word: str) -> None:
        """Read the server's word for how the answer ended; raise `Fault` if that is a failure."""
        if word in ("tool_calls", "tool_use", "function_call"):
            self._instead = "a tool call"
        self.finish_reason = to_finish_reason(word) or self.finish_reason

    def update_usage(self, usage: Usage) -> Iterable[StreamItem]:
        """Return the items for a usage report; counts that it lacks are kept from earlier ones."""
        if usage == Usage():
            return NOTHING
        self._understood = True
        self._usage = merge_usage(self._usage, usage) or usage
        return (UsageUpdate(self._usage),)

    def cite(self, value: object) -> Iterable[StreamItem]:
        """Return the items for the citations in a JSON value, wherever the server puts them."""
        citations = merge_citations((self._citations, find_citations(value)))
        if citations == self._citations:
            return ()
        self._understood = True
        self._citations = citations
        return (CitationsUpdate(citations),)

    def missing_end(self) -> Fault:
        if self._unknown_event and not self._understood:
            return unknown_payload_fault(self._unknown_event)
        return truncated_fault(self._last_words)

    def read_other(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """Return the items of an event with no known field; raise the fault it reports."""
        name = event.event
        if name.lower().endswith(("error", "exception")):
            raise errors.fault_from_body(event.data)
        if name == "done":
            return self.read_done(event.data)
        if name in KEEPALIVE_EVENTS:
            return NOTHING
        value = load_json(event.data)
        if errors.is_error(value, is_named=name != "message"):
            raise errors.fault_from_body(event.data)
        if isinstance(value, dict) and value and not self._understood and not is_ping(value):
            self._unknown_event = self._unknown_event or event.data
        return NOTHING

    def _decode_unusual(self, event: PayloadEvent) -> Iterable[StreamItem]:
        data = event.data.strip().lstrip("\ufeff")
        if event.event == "error":
            raise errors.fault_from_body(data)
        if event.event == "done" or is_done_marker(data):
            return self.read_done(data)
        if not data or event.event in KEEPALIVE_EVENTS:
            return NOTHING
        value = load_json(data)
        if value is UNREADABLE:
            return self._decode_lines(data, event)
        event = SimpleEvent(data, event.event, event.id)
        if not isinstance(value, dict):
            return self.read_other(event)
        return map(self._join_halves, self.read(fit_struct(value, self.shape), event))

    def _join_halves(self, item: StreamItem) -> StreamItem:
        """Return a chunk of whole characters: an event may end in the middle of one."""
        if type(item) is not Chunk:
            return item
        text = self._joiners[item.reasoning].join(item.text)
        return Chunk(text, item.reasoning, item.cursor) if text else KeepAlive(item.cursor)

    def _decode_lines(self, data: str, event: PayloadEvent) -> Iterable[StreamItem]:
        """Return the items of data that is not JSON: events without blank lines between them, or text."""
        lines = data.split("\n")
        if len(lines) > 1 and all(not line or is_done_marker(line) or is_json_object(line) for line in lines):
            return self._decode_each(lines, event)
        if data[0] in "{[<":
            raise unreadable_fault(data)
        self._last_words = data
        return NOTHING

    def _decode_each(self, lines: list[str], event: PayloadEvent) -> Iterator[StreamItem]:
        for line in lines:
            for item in self.decode(SimpleEvent(line, event.event, event.id)):
                yield item
                if type(item) is Finished:
                    return

    def read_done(self, data: str) -> Iterable[StreamItem]:
        """Return the end for a marker outside the payload: ``[DONE]``, or the data of ``event: done``."""
        if self._unknown_event and not self._understood:
            raise unknown_payload_fault(self._unknown_event)
        value = load_json(data)
        done = fit_struct(value, _DoneEvent) if isinstance(value, dict) else _DoneEvent()
        self._usage = merge_usage(self._usage, done.usage)
        self.cite(done.citations)
        return (self.finished(to_finish_reason(done.reason) or "complete"),)


def is_ping(value: dict[str, object]) -> bool:
    """Return whether an object is only a keep-alive."""
    words = (value.get(name) for name in ("type", "event", "message"))
    return any(isinstance(word, str) and word.lower() in KEEPALIVE_EVENTS for word in words)


# JSON as servers actually write it.


_MISFIT_PATH = re.compile(r"at `\$(?P<path>\S+)`$")
_PATH_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]")
_MAX_MISFITS = 64


def load_json(data: str) -> object:
    """Parse JSON like Python does, with NaN and raw line ends; return `UNREADABLE` if it is invalid."""
    try:
        return json.loads(data, strict=False)
    except ValueError:
        return UNREADABLE


UNREADABLE = object()


def fit_struct(value: dict[str, object], kind: type[_StructT]) -> _StructT:
    """Return `value` as a `kind`; numbers may be text.

    Fields of wrong types are dropped, also from `value` itself.
    """
    for _ in range(_MAX_MISFITS):
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as misfit:
            if not (found := _MISFIT_PATH.search(str(misfit))):
                break
            *outer, last = [
                int(step["index"]) if step["index"] else step["key"]
                for step in _PATH_STEP.finditer(found["path"])
            ]
            holder: Any = value
            for step in outer:
                holder = holder[step]
            del holder[last]
    return kind()


def fit_json(data: str, kind: type[_StructT]) -> _StructT:
    """Return a JSON object as a `kind` (see `fit_struct`); anything else gives an empty one."""
    value = load_json(data)
    return fit_struct(value, kind) if isinstance(value, dict) else kind()


def is_json_object(data: str) -> bool:
    """Return whether the text is a complete JSON object."""
    return isinstance(load_json(data), dict)


Count = int | float | None
"""A number of tokens, as servers write it."""


def to_count(number: Count) -> int | None:
    """Return a number of tokens as an integer, or `None` if it is not a finite number."""
    # Unlike `math.isfinite`, comparing takes integers that are too large for a float.
    return int(number) if number is not None and -math.inf < number < math.inf else None
