"""Event data → chunks: a typed decoder per payload shape, shared by every source.

A decoder knows one payload and nothing of connections. It is given events as `sse_parser` (or a WebSocket)
delivers them and returns the items of `domain.stream`. `payloads.detect` picks one from a stream's first
event, `payloads.errors` turns an error that a server reports into a fault.

Servers deviate from every payload. What carries no text never stops text: a field of an unexpected type is
left out, and an event without anything known is a sign of life. Only `JsonDecoder` deals with that, after the
strict and fast way to read an event has failed.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import aclosing
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct, structs

from debate_tui.domain.stream import (
    Chunk,
    Fault,
    FaultKind,
    Finished,
    KeepAlive,
    UnmarkedEnd,
    Usage,
    merge_usage,
)
from debate_tui.sources.payloads import errors
from debate_tui.sources.payloads.error_kinds import to_finish_reason

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from debate_tui.domain.stream import FinishReason, StreamItem


class PayloadEvent(Protocol):
    """A server-sent event, or a WebSocket message seen as one."""

    @property
    def event(self) -> str:
        """The event's type; ``message`` where the stream named none."""
        ...

    @property
    def data(self) -> str:
        """The data lines, joined by newlines."""
        ...

    @property
    def id(self) -> str:
        """The stream's last event id as of this event; empty where it has none."""
        ...


class SimpleEvent(Struct, frozen=True):
    """An event that is not a server-sent one: a WebSocket message, or data that had to be unpacked."""

    data: str
    event: str = "message"
    id: str = ""


class UnfinishedEvent(KeepAlive, frozen=True):
    """What a stream ended with that is not an event: one without its blank line, or JSON without a field.

    The standard drops it. It counts only if it is an error or the end of the answer.
    """

    data: str = ""
    event: str = "message"


class PayloadDecoder(Protocol):
    """Reads the payload of one connection; as it remembers what it read, every connection has its own."""

    @property
    def has_end_marker(self) -> bool:
        """Whether the payload has an end marker of its own.

        Without one, only the framing of the connection can vouch for an end.
        """
        ...

    @property
    def finish_reason(self) -> FinishReason | None:
        """How the answer ended, once the payload has given a reason; bookkeeping may follow."""
        ...

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """The items one event amounts to, in order; a `Finished` among them is the last of the stream.

        Only `Chunk`, `KeepAlive`, `UsageUpdate` and `Finished`. Cursors are set only where the payload itself
        has them (a sequence number); event ids are the source's business. Events unknown to the payload are
        signs of life. Raises `Fault` (without `text_seen`: `decode_stream` knows that) for an error the
        server reports and for data that may have held text and cannot be read. No chunk is empty.
        """
        ...

    def end(self) -> Finished | None:
        """What the stream amounts to if the connection ended orderly here; `None` means it was cut.

        An answer whose finish reason was seen is finished even if the end marker never came; a payload
        without end marker always is.
        """
        ...

    def missing_end(self) -> Fault:
        """The fault of a stream that closed although `end` is `None`."""
        ...


AFTER_FINISH_TIMEOUT = 3.0
"""How long to wait for usage and the end marker after a finish reason, in seconds."""


def decode_stream(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    decoder: PayloadDecoder,
    ended_orderly: Callable[[], bool] = lambda: True,
) -> AsyncGenerator[StreamItem, None]:
    """Decode a stream up to its end, which is a `Finished` or a `Fault` that says whether text was seen.

    Reads nothing after the `Finished`. `events` may raise `Fault` too. `ended_orderly` tells, once they have
    run out, whether the framing vouches for that end: without it, such an end is a cut.
    """

    def end(text_seen: bool) -> Finished:
        finished = decoder.end()
        if finished is None:
            raise decoder.missing_end()
        if not ended_orderly():
            raise UnmarkedEnd(vouched=False)
        return finished

    return decode_events(events, decoder, end, lambda sign: sign)


async def decode_events(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    decoder: PayloadDecoder,
    end: Callable[[bool], Finished],
    keep_alive: Callable[[KeepAlive], KeepAlive],
) -> AsyncGenerator[StreamItem, None]:
    """Decode the events of any source, models and endpoints alike.

    `end`, told whether text was seen, gives the `Finished` of a connection that closed, or raises `Fault`;
    `keep_alive` completes a sign of life that came from the transport.
    """
    text_seen = reasoning_seen = False
    try:
        async for event in events:
            if isinstance(event, KeepAlive):
                items = _decode_sign(event, decoder, keep_alive)
            else:
                items = decoder.decode(event)
            for item in items:
                kind = type(item)
                if kind is Chunk:
                    if item.reasoning:  # type: ignore[union-attr]
                        reasoning_seen = True
                    else:
                        text_seen = True
                elif kind is Finished:
                    yield _with_substitute(item, text_seen, reasoning_seen)
                    return
                yield item
            if decoder.finish_reason is not None:
                break
        else:
            yield _with_substitute(end(text_seen or reasoning_seen), text_seen, reasoning_seen)
            return
        async with aclosing(_decode_rest(events, decoder, end, keep_alive, is_answer=text_seen)) as rest:
            async for item in rest:
                if type(item) is Chunk and not item.reasoning:
                    text_seen = True
                yield _with_substitute(item, text_seen, reasoning_seen)
    except RecursionError:
        raise nesting_fault(text_seen or reasoning_seen) from None
    except Fault as fault:
        fault.text_seen = fault.text_seen or text_seen or reasoning_seen
        raise


async def _decode_rest(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    decoder: PayloadDecoder,
    end: Callable[[bool], Finished],
    keep_alive: Callable[[KeepAlive], KeepAlive],
    *,
    is_answer: bool,
) -> AsyncGenerator[StreamItem, None]:
    """Decode what follows a finish reason, up to the end.

    A complete answer is not requested again because of that: errors and cuts are passed over, and so is a
    server that does not close. If text follows, the reason was none: some servers give it in every chunk.
    """
    is_answer = is_answer or decoder.finish_reason == "refused"
    is_last = True
    deadline: float | None = asyncio.get_running_loop().time() + AFTER_FINISH_TIMEOUT
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                event = await anext(events, None)
        except TimeoutError:
            event = None
        except Fault:
            if not is_last:
                raise
            event = None
        if event is None:
            yield (decoder.end() if is_last else None) or end(True)
            return
        for item in _decode_late(event, decoder, keep_alive, is_answer=is_answer):
            if type(item) is Chunk:
                deadline, is_answer, is_last = None, False, False
            yield item
            if type(item) is Finished:
                return


def _decode_late(
    event: PayloadEvent | KeepAlive,
    decoder: PayloadDecoder,
    keep_alive: Callable[[KeepAlive], KeepAlive],
    *,
    is_answer: bool,
) -> Iterator[StreamItem]:
    """The items of an event after a finish reason; of its faults only a refusal undoes an answer."""
    try:
        if isinstance(event, KeepAlive):
            yield from _decode_sign(event, decoder, keep_alive)
        else:
            yield from decoder.decode(event)
    except Fault as fault:
        if not is_answer or fault.kind is FaultKind.REFUSED:
            raise


def _decode_sign(
    sign: KeepAlive, decoder: PayloadDecoder, keep_alive: Callable[[KeepAlive], KeepAlive]
) -> Iterable[StreamItem]:
    """The items of something that is not an event: usually the sign of life itself."""
    if not isinstance(sign, UnfinishedEvent):
        return (keep_alive(sign),)
    items = tuple(decoder.decode(SimpleEvent(sign.data, sign.event)))
    is_end = any(type(item) is Finished for item in items)
    return items if is_end or (decoder.has_end_marker and decoder.end()) else ()


def _with_substitute(item: StreamItem, text_seen: bool, reasoning_seen: bool) -> StreamItem:
    """`Finished` with what came instead of text; any other item as it is."""
    if type(item) is not Finished:
        return item
    # Even with text: it may be no more than tagged reasoning.
    instead = item.instead or ("only reasoning" if reasoning_seen and not text_seen else "")
    return item if instead == item.instead else structs.replace(item, instead=instead)


def truncated_fault(last_words: str = "") -> Fault:
    """The fault of a stream that ended without its end marker.

    `last_words` is the last thing in it that no payload holds, as a rule what a proxy has to say.
    """
    message = "The stream ended before the answer was complete."
    return Fault(
        FaultKind.NETWORK, f"{message} It says: '{_shorten(last_words)}'." if last_words else message
    )


def unreadable_fault(data: str) -> Fault:
    """The fault of an event whose data the payload cannot hold; as a rule something between us broke it."""
    return Fault(FaultKind.SERVER, f"The server sent an event that cannot be read: {_shorten(data)}")


def nesting_fault(text_seen: bool) -> Fault:
    """The fault of data nested so deeply that no decoder can follow."""
    return Fault(FaultKind.SERVER, "The server sent an event that cannot be read.", text_seen=text_seen)


def _shorten(data: str) -> str:
    return " ".join(data[:80].split())


def unknown_payload_fault(data: str, name: str = "") -> Fault:
    """The fault of a stream whose events no decoder understands: `data` is the first, `name` its API's."""
    speaks = f"The server speaks {name}, which is not supported."
    start = speaks if name else "The server's events are in no supported format."
    return Fault(
        FaultKind.BAD_REQUEST,
        f"{start} The first one is '{_shorten(data)}'.",
        hint="Use an address that answers in a supported format.",
    )


# What all payloads of JSON events have in common.


KEEPALIVE_EVENTS = frozenset(("ping", "heartbeat", "keepalive", "keep-alive", "keep_alive", "noop"))
"""Names under which servers send events that carry no text, whatever their data is."""

_KEEPALIVE = (KeepAlive(),)
_EventT = TypeVar("_EventT", bound=Struct)


class _DoneEvent(Struct):
    reason: str = ""
    usage: Usage | None = None


class JsonDecoder(ABC, Generic[_EventT]):
    """Decodes events that are JSON objects; a subclass reads one payload's, given as `shape`.

    What the fast way cannot read (`parse`, strict) gets a second look: it may be ``[DONE]``, empty, a
    number, text that is no JSON, half a character, or an object with a field of another type.
    """

    shape: type[_EventT]
    parse: Callable[[str], _EventT]

    has_end_marker = True

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        self._is_refusal = False
        self._usage: Usage | None = None
        self._instead = ""
        self._model = ""
        self._response = ""
        self._cost: float | None = None
        self._understood = False
        self._unknown_event = ""
        self._last_words = ""
        self._half_characters: dict[bool, str] = {}

    @abstractmethod
    def read(self, value: _EventT, event: PayloadEvent) -> Iterable[StreamItem]:
        """The items of one event of the payload."""

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        try:
            value = self.parse(event.data)
        except msgspec.DecodeError:
            return self._decode_unusual(event)
        return self.read(value, event)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return None if self.finish_reason is None else self.finished()

    def finished(self, reason: FinishReason = "complete") -> Finished:
        """The end, with all that was seen before it; `reason` holds where the payload gave none."""
        reason = "refused" if self._is_refusal else self.finish_reason or reason
        return Finished(reason, self._usage, self._instead, self._model, self._response, self._cost)

    def missing_end(self) -> Fault:
        """See `PayloadDecoder.missing_end`."""
        if self._unknown_event and not self._understood:
            return unknown_payload_fault(self._unknown_event)
        return truncated_fault(self._last_words)

    def read_other(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """The items of an event without anything known in it; raises the fault it reports."""
        name = event.event
        if name.lower().endswith(("error", "exception")):
            raise errors.fault_from_body(event.data)
        if name == "done":
            return self.read_done(event.data)
        if name in KEEPALIVE_EVENTS:
            return _KEEPALIVE
        value = errors.load_json(event.data)
        if errors.is_error(value, is_named=name != "message"):
            raise errors.fault_from_body(event.data)
        if isinstance(value, dict) and value and not self._understood and not is_ping(value):
            self._unknown_event = self._unknown_event or event.data
        return _KEEPALIVE

    def _decode_unusual(self, event: PayloadEvent) -> Iterable[StreamItem]:
        data = event.data.strip().lstrip("\ufeff")
        if event.event == "error":
            raise errors.fault_from_body(data)
        if event.event == "done" or is_done_marker(data):
            return self.read_done(data)
        if not data or event.event in KEEPALIVE_EVENTS:
            return _KEEPALIVE
        value = errors.load_json(data)
        if value is errors.UNREADABLE:
            return self._decode_lines(data, event)
        event = SimpleEvent(data, event.event, event.id)
        if not isinstance(value, dict):
            return self.read_other(event)
        return map(self._join_halves, self.read(errors.fit_struct(value, self.shape), event))

    def _join_halves(self, item: StreamItem) -> StreamItem:
        """A chunk whose text is whole characters: half a surrogate pair waits for the other half.

        Servers that slice text by UTF-16 units and write JSON send such halves, one in each of two events.
        """
        if type(item) is not Chunk:
            return item
        text = self._half_characters.pop(item.reasoning, "") + item.text
        if "\ud800" <= text[-1] <= "\udbff":
            self._half_characters[item.reasoning] = text[-1]
            text = text[:-1]
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return Chunk(text, item.reasoning, item.cursor) if text else KeepAlive(item.cursor)

    def _decode_lines(self, data: str, event: PayloadEvent) -> Iterable[StreamItem]:
        """The items of data that is not JSON: several events without blank lines between them, or words."""
        lines = data.split("\n")
        if len(lines) > 1 and all(
            not line or is_done_marker(line) or errors.is_json_object(line) for line in lines
        ):
            return self._decode_each(lines, event)
        if data[0] in "{[<":
            raise unreadable_fault(data)
        self._last_words = data
        return _KEEPALIVE

    def _decode_each(self, lines: list[str], event: PayloadEvent) -> Iterator[StreamItem]:
        for line in lines:
            for item in self.decode(SimpleEvent(line, event.event, event.id)):
                yield item
                if type(item) is Finished:
                    return

    def read_done(self, data: str) -> Iterable[StreamItem]:
        """The end that a marker outside the payload gives: ``[DONE]``, or the data of ``event: done``."""
        if self._unknown_event and not self._understood:
            raise unknown_payload_fault(self._unknown_event)
        value = errors.load_json(data)
        done = errors.fit_struct(value, _DoneEvent) if isinstance(value, dict) else _DoneEvent()
        self._usage = merge_usage(self._usage, done.usage)
        return (self.finished(to_finish_reason(done.reason) or "complete"),)


def is_ping(value: dict[str, object]) -> bool:
    """Whether an object only says that the server is there."""
    words = (value.get(name) for name in ("type", "event", "message"))
    return any(isinstance(word, str) and word.lower() in KEEPALIVE_EVENTS for word in words)


def is_done_marker(data: str) -> bool:
    """Whether the data says that the stream is over, as OpenAI's and many others do."""
    return data.strip(' "') == "[DONE]"
