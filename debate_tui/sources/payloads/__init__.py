"""Event data → chunks: a typed decoder per payload shape, shared by every source.

A decoder knows one payload and nothing of connections. It is given events as `sse_parser` (or a WebSocket)
delivers them and returns the items of `domain.stream`. `payloads.detect` picks one from a stream's first
event, `payloads.errors` turns an error that a server reports into a fault.

Servers deviate from every payload. What carries no text never stops text; `payloads.json_decoder` sees to it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, structs

from debate_tui.domain.stream import (
    Chunk,
    Fault,
    FaultKind,
    Finished,
    KeepAlive,
    UnmarkedEnd,
)

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


def is_done_marker(data: str) -> bool:
    """Whether the data says that the stream is over, as OpenAI's and many others do."""
    return data.strip(' "') == "[DONE]"


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
