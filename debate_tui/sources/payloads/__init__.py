"""Event data → chunks: a typed decoder per payload shape, shared by every source.

A decoder knows one payload and nothing of connections. What it is given are events as `eventstream` (or a
WebSocket) delivers them; what it gives back are the items of `domain.stream`. `payloads.detect` picks
one from a stream's first event, `payloads.faults` says what an error reported by a server amounts to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from debate_tui.domain.stream import Chunk, Fault, FaultKind, Finished, KeepAlive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

    from debate_tui.domain.stream import StreamItem


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


class PayloadDecoder(Protocol):
    """Reads the payload of one connection; as it remembers what it read, every connection has its own."""

    @property
    def has_end_marker(self) -> bool:
        """Whether the payload has an end marker of its own.

        Without one, only the framing of the connection can vouch for an end.
        """
        ...

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """The items one event amounts to, in order; a `Finished` among them is the last of the stream.

        Only `Chunk`, `KeepAlive`, `UsageUpdate` and `Finished`. Cursors are set only where the payload itself
        has them (a sequence number); event ids are the source's business. Events unknown to the payload are
        signs of life. Raises `Fault` (without `text_seen`: `decode_stream` knows that) for an error the
        server reports and for data the payload cannot hold. No chunk is empty.
        """
        ...

    def end(self) -> Finished | None:
        """What the stream amounts to if the connection ended orderly here; `None` means it was cut.

        A chat completion whose finish reason was seen is finished even if ``[DONE]`` never came; a payload
        without end marker always is.
        """
        ...


async def decode_stream(
    events: AsyncIterator[PayloadEvent | KeepAlive],
    decoder: PayloadDecoder,
    ended_orderly: Callable[[], bool] = lambda: True,
) -> AsyncGenerator[StreamItem, None]:
    """Decode a stream up to its end, which is a `Finished` or a `Fault` that says whether text was seen.

    Reads nothing behind the `Finished`. `events` may raise `Fault` too. `ended_orderly` tells, once they have
    run out, whether the framing vouches for that end: without it, such an end is a cut.
    """
    text_seen = False
    try:
        async for event in events:
            if isinstance(event, KeepAlive):
                yield event
                continue
            for item in decoder.decode(event):
                kind = type(item)
                if kind is Chunk:
                    text_seen = True
                yield item
                if kind is Finished:
                    return
        finished = decoder.end() if ended_orderly() else None
        if finished is None:
            raise truncated_fault()
        yield finished
    except RecursionError:
        raise nesting_fault(text_seen) from None
    except Fault as fault:
        fault.text_seen = fault.text_seen or text_seen
        raise


def truncated_fault() -> Fault:
    """The fault of a stream that ended without its end marker."""
    return Fault(FaultKind.NETWORK, "The stream ended before the answer was complete.")


def unreadable_fault(data: str) -> Fault:
    """The fault of an event whose data the payload cannot hold; as a rule something between us broke it."""
    start = " ".join(data[:80].split())
    return Fault(FaultKind.SERVER, f"The server sent an event that cannot be read: {start}")


def nesting_fault(text_seen: bool) -> Fault:
    """The fault of data nested so deeply that no decoder can follow."""
    return Fault(FaultKind.SERVER, "The server sent an event that cannot be read.", text_seen=text_seen)


# Characters that a server cut in two: JSON escapes of half a surrogate pair, one in each of two events.
#
# Servers that slice text by UTF-16 units and then write JSON (many small ones in JavaScript do) send emoji
# that way. No decoder takes such an escape, so the first half waits here for the second.


_SURROGATE_ESCAPE = re.compile(
    r"\\\\"  # an escaped backslash: what follows is text
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<high>\\u[dD][89abAB][0-9a-fA-F]{2})"
    r"|(?P<low>\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)


class SurrogateJoiner:
    """Mends the JSON of one stream; a half that finds no other is a replacement character, or nothing."""

    def __init__(self) -> None:
        self._pending_high = ""

    def join_pairs(self, data: str) -> str:
        """The event's data without half pairs."""
        return _SURROGATE_ESCAPE.sub(self._join_escape, data) if "\\ud" in data or "\\uD" in data else data

    def _join_escape(self, escape: re.Match[str]) -> str:
        if high := escape["high"]:
            self._pending_high = high
            return ""
        if low := escape["low"]:
            high, self._pending_high = self._pending_high, ""
            return high + low if high else "\ufffd"
        return escape[0]


# Data that is the text itself.


KEEPALIVE_EVENTS = frozenset(("ping", "heartbeat", "keepalive", "keep-alive"))
"""Names under which servers send events that carry no text, whatever their data is."""


class PlainTextDecoder:
    """Decodes plain text; nothing in it says where the answer ends."""

    has_end_marker = False

    def decode(self, event: PayloadEvent) -> Iterable[StreamItem]:
        """See `PayloadDecoder.decode`."""
        if not event.data or event.event in KEEPALIVE_EVENTS:
            return (KeepAlive(),)
        return (Chunk(event.data),)

    def end(self) -> Finished | None:
        """See `PayloadDecoder.end`."""
        return Finished()
