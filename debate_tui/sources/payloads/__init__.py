"""Decoding of event data into chunks: one typed decoder per payload format, shared by all sources.

A decoder knows one payload and nothing about connections. It gets events from `sse_parser` (or a WebSocket)
and returns the items of `domain.stream`. `payloads.detect` picks a decoder from a stream's first event,
`payloads.errors` turns an error reported by a server into a fault.

Servers deviate from every payload format. Fields and events without text must never stop text;
`payloads.json_decoder` ensures that.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, structs

from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, KeepAlive, UnmarkedEnd

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from debate_tui.domain.stream import Connected, FinishReason, StreamItem


class PayloadEvent(Protocol):
    """A server-sent event, or a WebSocket message treated as one."""

    @property
    def event(self) -> str:
        """The event's type; ``message`` if the stream named none."""
        ...

    @property
    def data(self) -> str:
        """The data lines, joined by newlines."""
        ...

    @property
    def id(self) -> str:
        """The stream's last event id at this event; empty if it has none."""
        ...


class SimpleEvent(Struct, frozen=True):
    """An event from a WebSocket message, or with unpacked data."""

    data: str
    event: str = "message"
    id: str = ""


class UnfinishedEvent(KeepAlive, frozen=True):
    """An unfinished end of a stream: an event without its blank line, or JSON without a field name.

    The standard drops it. It only counts if it is an error or the end of the answer.
    """

    data: str = ""
    event: str = "message"


class PayloadDecoder(ABC):
    """Decoder for the payload of one connection; it keeps state, so every connection needs its own."""

    is_finished = False
    """Whether `decode_stream` has reached the `Finished`."""

    @property
    @abstractmethod
    def has_end_marker(self) -> bool:
        """Whether the payload has an end marker of its own.

        Without one, only the connection's framing can confirm an end.
        """

    @property
    @abstractmethod
    def finish_reason(self) -> FinishReason | None:
        """How the answer ended, once the payload has given a reason; usage and end marker may follow."""

    @abstractmethod
    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """Return the items of one event in order; a `Finished` is the last item of the stream.

        Items are `Chunk`, `KeepAlive`, `UsageUpdate`, `CitationsUpdate` and `Finished` only. Cursors are set
        only if the payload itself has them (a sequence number); `detect` adds event ids. Unknown events
        become keep-alives.
        Raise `Fault` (without `text_seen`, which `decode_stream` sets) for an error reported by the server
        and for unreadable data that may have contained text. Chunks are never empty.
        """

    @abstractmethod
    def end(self) -> Finished | None:
        """Return the end of the stream if the connection ended orderly here, or `None` if it was cut.

        An answer with a finish reason is finished even if the end marker never came; a payload without an end
        marker always is.
        """

    def missing_end(self) -> Fault:
        """Return the fault of a stream that closed although `end` returns `None`."""
        return truncated_fault()

    def close(self, text_seen: bool, ended_orderly: bool) -> Finished:
        """Return the end of a connection closed without an error; raise `Fault` if it is not complete.

        `text_seen` says whether it brought text, `ended_orderly` whether the framing confirms its end.
        """
        finished = self.end()
        if finished is None:
            raise self.missing_end()
        if not ended_orderly:
            raise UnmarkedEnd(vouched=False)
        return finished

    def keep_alive(self, sign: KeepAlive) -> KeepAlive:
        """Return a keep-alive from the transport with its final cursor."""
        return sign


AFTER_FINISH_TIMEOUT = 3.0
"""Seconds to wait for usage and the end marker after a finish reason."""


async def decode_stream(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    decoder: PayloadDecoder,
    ended_orderly: Callable[[], bool] = lambda: True,
    connected: Connected | None = None,
) -> AsyncGenerator[StreamItem, None]:
    """Decode a stream, after `connected`, to its end: a `Finished`, or a `Fault` with `text_seen` set.

    Nothing is read after the `Finished`. `events` may raise `Fault` too. `ended_orderly` is called when they
    are exhausted and returns whether the framing confirms the end; otherwise the end is a cut.
    """
    if connected is not None:
        yield connected
    text_seen = reasoning_seen = False
    try:
        async for event in events:
            items = _decode_sign(event, decoder) if isinstance(event, KeepAlive) else decoder.decode(event)
            for item in items:
                if isinstance(item, Chunk):
                    text_seen |= not item.reasoning
                    reasoning_seen |= item.reasoning
                elif isinstance(item, Finished):
                    yield _finish(decoder, item, text_seen, reasoning_seen)
                    return
                yield item
            if decoder.finish_reason is not None:
                break
        else:
            finished = decoder.close(text_seen or reasoning_seen, ended_orderly())
            yield _finish(decoder, finished, text_seen, reasoning_seen)
            return
        async with aclosing(_decode_rest(events, decoder, ended_orderly, is_answer=text_seen)) as rest:
            async for item in rest:
                if isinstance(item, Chunk):
                    text_seen |= not item.reasoning
                elif isinstance(item, Finished):
                    item = _finish(decoder, item, text_seen, reasoning_seen)
                yield item
    except RecursionError:
        message = "The server sent an invalid event."  # it is nested too deeply to decode
        raise Fault(FaultKind.SERVER, message, text_seen=text_seen or reasoning_seen) from None
    except Fault as fault:
        fault.text_seen = fault.text_seen or text_seen or reasoning_seen
        raise


async def _decode_rest(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    decoder: PayloadDecoder,
    ended_orderly: Callable[[], bool],
    *,
    is_answer: bool,
) -> AsyncGenerator[StreamItem, None]:
    """Decode what follows a finish reason, up to the end.

    A complete answer is not requested again because of it: errors and cuts are ignored, and so is a server
    that does not close. If text follows, the reason did not count: some servers send one in every chunk.
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
            yield (decoder.end() if is_last else None) or decoder.close(True, ended_orderly())
            return
        for item in _decode_late(event, decoder, is_answer=is_answer):
            if isinstance(item, Chunk):
                deadline, is_answer, is_last = None, False, False
            yield item
            if isinstance(item, Finished):
                return


def _decode_late(
    event: PayloadEvent | KeepAlive, decoder: PayloadDecoder, *, is_answer: bool
) -> Iterator[StreamItem]:
    """Yield the items of an event after a finish reason; of its faults only a refusal undoes an answer."""
    try:
        yield from _decode_sign(event, decoder) if isinstance(event, KeepAlive) else decoder.decode(event)
    except Fault as fault:
        if not is_answer or fault.kind is FaultKind.REFUSED:
            raise


def _decode_sign(sign: KeepAlive, decoder: PayloadDecoder) -> Iterable[StreamItem]:
    """Return the items of something that is not an event: usually just the keep-alive."""
    if not isinstance(sign, UnfinishedEvent):
        return (decoder.keep_alive(sign),)
    items = tuple(decoder.decode(SimpleEvent(sign.data, sign.event)))
    is_end = any(isinstance(item, Finished) for item in items)
    return items if is_end or (decoder.has_end_marker and decoder.end()) else ()


def _finish(decoder: PayloadDecoder, finished: Finished, text_seen: bool, reasoning_seen: bool) -> Finished:
    """Return the stream's end, completed by what came instead of text."""
    decoder.is_finished = True
    if finished.instead or not reasoning_seen or text_seen:
        return finished
    return structs.replace(finished, instead="only reasoning")


def is_done_marker(data: str) -> bool:
    """Return whether the data is the ``[DONE]`` marker of OpenAI and many others."""
    return data.strip(' "') == "[DONE]"


def truncated_fault(last_words: str = "") -> Fault:
    """Return the fault of a stream that ended without its end marker.

    `last_words` is the last unrecognised text in it, usually a proxy's message.
    """
    message = "The stream ended before the answer was complete."
    return Fault(
        FaultKind.NETWORK, f"{message} Its last text was '{_shorten(last_words)}'." if last_words else message
    )


def unreadable_fault(data: str) -> Fault:
    """Return the fault of an event whose data cannot be parsed, usually broken by an intermediary."""
    return Fault(FaultKind.SERVER, f"The server sent an invalid event: {_shorten(data)}")


def _shorten(data: str) -> str:
    return " ".join(data[:80].split())


def unknown_payload_fault(data: str, name: str = "") -> Fault:
    """Return the fault of an unsupported stream; `data` is its first event, `name` its API."""
    named = f"The server uses {name}, which is not supported."
    start = named if name else "The format of the server's events is not supported."
    return Fault(
        FaultKind.BAD_REQUEST,
        f"{start} The first event is '{_shorten(data)}'.",
        hint="Use an endpoint with a supported format.",
    )
