"""Encoding of events for viewers: cursors, coalescing and framing.

Everything here is a pure function of the events: servers that split the same range of a log at the same
cursors send the same bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import blake2s
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from debate_tui.display.json_lines import encode_line, escape_controls
from debate_tui.domain.events import (
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Event,
    Interjection,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    event_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


# Cursors, sent as event ids.


MAX_SPAN_EVENTS: Final = 4096
"""Maximum events in a coalesced range, so that viewers can resume in the middle of one."""

_CURSOR_PATTERN: Final = re.compile(r"([0-9a-z]{1,32})(?:\.([0-9]{1,15})-([0-9]{1,15}))?:([0-9]{1,15})")


class EventCursor(Struct, frozen=True):
    """A viewer's position: all events up to `seq` of the history `epoch`. Written ``EPOCH:SEQ``.

    Coalesced deltas of several debaters are interleaved in the log. A cursor between two of them therefore
    has a `span`, the range of the log that was coalesced (after its first number, up to its second), and is
    written ``EPOCH.FIRST-LAST:SEQ``: of that range, the viewer has the coalesced deltas that end at `seq` or
    before. A cursor means the same on every server that has the debate, also after a restart.
    """

    epoch: str
    seq: int
    span: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.epoch}:{self.seq}"
        return f"{self.epoch}.{self.span[0]}-{self.span[1]}:{self.seq}"

    @property
    def contiguous_seq(self) -> int:
        """The `seq` up to which the viewer has every event."""
        return self.seq if self.span is None else self.span[0]


def parse_cursor(text: str) -> EventCursor | None:
    """Parse an event id; return `None` if it is not a valid cursor."""
    if (found := _CURSOR_PATTERN.fullmatch(text)) is None:
        return None
    epoch, first, last, seq = found.groups()
    if first is None:
        return EventCursor(epoch, int(seq))
    span = (int(first), int(last))
    if not span[0] < int(seq) < span[1] or span[1] - span[0] > MAX_SPAN_EVENTS:
        return None
    return EventCursor(epoch, int(seq), span)


def epoch_from_event(first: Event) -> str:
    """Return the name of the history that starts with this event; it is the same on every server."""
    return blake2s(event_to_json(first), digest_size=5).hexdigest()


MAX_DELTA_CHARS = 1 << 16
"""Maximum characters of a coalesced delta; clients limit the size of an event."""

MAX_WRITE_BYTES = 1 << 16
"""Approximate maximum bytes per write, so that a slow client blocks the next one (backpressure)."""

KEEPALIVE_COMMENT = b":\n\n"
"""An SSE comment that keeps the connection open."""

_ENVELOPE_BYTES = 200

Transport = Literal["sse", "websocket"]
Encoding = Literal["json", "msgpack"]
Piece = bytes | str
"""Bytes of an event stream, or one WebSocket message."""

Pieces = tuple[Piece, ...]


class StreamOptions(Struct, frozen=True):
    """A viewer's stream options; viewers with the same options share all encoded bytes.

    `debater` is the id of the only debater to stream, or `None` for all. Deltas are coalesced over `batch_ms`
    milliseconds, or not at all if it is 0. `batch` is the maximum number of events per message; with 0, each
    event has its own message.
    """

    transport: Transport = "sse"
    debater: str | None = None
    batch_ms: int = 50
    batch: int = 0
    encoding: Encoding = "json"

    @property
    def kind(self) -> tuple[object, ...]:
        """All options that change the form of the stream, so without the size of batches."""
        return self.transport, self.debater, self.encoding, self.batch_ms > 0, self.batch > 0

    def distance(self, other: StreamOptions) -> tuple[int, int]:
        """Return how much the batch sizes of two options differ; tuples compare."""
        return abs(self.batch_ms - other.batch_ms), abs(self.batch - other.batch)


BATCH_STEPS_MS: Final = (10, 50, 100, 250, 1000, 5000)
"""Allowed values of `batch_ms` besides 0: each different value must be encoded separately."""


def nearest_batches(batch_ms: int, batch: int) -> tuple[int, int]:
    """Return the nearest of `BATCH_STEPS_MS`, and `batch` rounded down to a power of two; 0 stays 0."""
    step = min(BATCH_STEPS_MS, key=lambda each: abs(each - batch_ms)) if batch_ms else 0
    return step, 1 << batch.bit_length() - 1 if batch else 0


class OutgoingEvent(Struct, frozen=True):
    """An event as sent to viewers; for `span` see `EventCursor`."""

    event: Event
    span: tuple[int, int] | None = None

    def cursor(self, epoch: str) -> EventCursor:
        return EventCursor(epoch, self.event.seq, self.span)


_ABOUT_ONE_DEBATER: Final = (
    TurnStarted,
    TurnDelta,
    TurnSuperseded,
    TurnFinished,
    StreamStatus,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
)


def is_relevant(event: Event, debater: str | None) -> bool:
    """Return whether an event belongs in the stream of `debater`, or of all debaters if it is `None`.

    Events about the whole debate belong in every stream.
    """
    if debater is None:
        return True
    if isinstance(event, Interjection):
        return event.to in (None, debater)
    return not isinstance(event, _ABOUT_ONE_DEBATER) or event.debater in (None, debater)


def coalesce(events: Iterable[Event], options: StreamOptions, after: int = 0) -> list[OutgoingEvent]:
    """Filter a range of the log for the viewer, and coalesce its deltas if `batch_ms` is not 0.

    With `after`, `events` are the span of a cursor with this `seq`; return what is missing after it.
    """
    relevant = [event for event in events if is_relevant(event, options.debater)]
    if not (options.batch_ms or after):
        return [OutgoingEvent(event) for event in relevant]
    return [outgoing for outgoing in _coalesce_deltas(relevant) if outgoing.event.seq > after]


def _coalesce_deltas(events: Sequence[Event]) -> Iterator[OutgoingEvent]:
    deltas: list[TurnDelta] = []
    characters = 0
    for event in events:
        if isinstance(event, TurnDelta):
            characters += len(event.text)
            full = characters > MAX_DELTA_CHARS or (deltas and event.seq - deltas[0].seq >= MAX_SPAN_EVENTS)
            if full and deltas:
                yield from _merge_deltas(deltas)
                deltas, characters = [], len(event.text)
            deltas.append(event)
        else:
            yield from _merge_deltas(deltas)
            deltas, characters = [], 0
            yield OutgoingEvent(event)
    yield from _merge_deltas(deltas)


def _merge_deltas(deltas: Sequence[TurnDelta]) -> Iterator[OutgoingEvent]:
    """Merge consecutive deltas into one per turn, attempt and kind of text.

    The result is ordered by the `seq` of the last delta in each.
    """
    if not deltas:
        return
    texts: dict[object, list[TurnDelta]] = {}
    for delta in deltas:
        texts.setdefault((delta.turn, delta.attempt, delta.reasoning), []).append(delta)
    span = (deltas[0].seq - 1, deltas[-1].seq)
    for parts in sorted(texts.values(), key=lambda parts: parts[-1].seq):
        last = parts[-1]
        whole = msgspec.structs.replace(
            last, offset=parts[0].offset, text="".join(part.text for part in parts)
        )
        yield OutgoingEvent(whole, None if last.seq == span[1] else span)


def split_by_size(events: Sequence[OutgoingEvent]) -> Iterator[Sequence[OutgoingEvent]]:
    """Split events into parts of about `MAX_WRITE_BYTES`."""
    start = weight = 0
    for index, outgoing in enumerate(events):
        size = _ENVELOPE_BYTES + (len(outgoing.event.text) if isinstance(outgoing.event, TurnDelta) else 0)
        if weight and weight + size > MAX_WRITE_BYTES:
            yield events[start:index]
            start, weight = index, 0
        weight += size
    if events:
        yield events[start:]


# Framing.


def encode_events(events: Sequence[OutgoingEvent], epoch: str, options: StreamOptions) -> Pieces:
    """Encode events: one piece for SSE, one piece per message for WebSockets."""
    if not events:
        return ()
    if options.batch:
        size = options.batch
        groups = [events[start : start + size] for start in range(0, len(events), size)]
        pieces = [_encode_batch(group, epoch, options) for group in groups]
    else:
        pieces = [_encode_event(each, epoch, options) for each in events]
    return join_pieces(pieces, options)


def join_pieces(pieces: Iterable[bytes], options: StreamOptions) -> Pieces:
    """Convert framed events to the pieces that the transport sends."""
    if options.transport == "sse":
        return (b"".join(pieces),)
    return tuple(pieces if options.encoding == "msgpack" else (piece.decode() for piece in pieces))


def _encode_event(outgoing: OutgoingEvent, epoch: str, options: StreamOptions) -> bytes:
    event_id = str(outgoing.cursor(epoch))
    body = encode_line(outgoing.event)[:-1]
    if options.transport == "websocket":
        body = b'{"id":"%s",%s' % (event_id.encode(), body[1:])
    return encode_message(outgoing.event.__struct_config__.tag, body, options, event_id)


def _encode_batch(group: Sequence[OutgoingEvent], epoch: str, options: StreamOptions) -> bytes:
    event_id = str(group[-1].cursor(epoch))
    chunks = b",".join(encode_line(outgoing.event)[:-1] for outgoing in group)
    inside = b'"id":"%s",' % event_id.encode() if options.transport == "websocket" else b""
    return encode_message("batch", b'{%s"type":"batch","chunks":[%s]}' % (inside, chunks), options, event_id)


def encode_json(value: object) -> bytes:
    """Return a value as JSON with its control characters escaped."""
    return escape_controls(msgspec.json.encode(value))


def encode_message(type_: object, body: bytes, options: StreamOptions, event_id: str = "") -> bytes:
    """Encode a message; `body` is a JSON object that includes its type."""
    if options.encoding == "msgpack":
        body = msgspec.msgpack.encode(msgspec.json.decode(body))
        if options.transport == "sse":
            body = b64encode(body)
    if options.transport == "websocket":
        return body
    id_ = f"id: {event_id}\n" if event_id else ""
    return f"{id_}event: {type_}\ndata: ".encode() + body + b"\n\n"


def encode_retry(milliseconds: int, cursor: EventCursor | None) -> bytes:
    """Encode an SSE client's wait before it reconnects.

    Without a `cursor`, the lines become part of the next event: some clients would treat a block of their own
    as an event without an id. With a `cursor`, they end as a block that repeats the client's id, because the
    next event may take a while.
    """
    return b"retry: %d\n" % milliseconds + (f"id: {cursor}\n\n".encode() if cursor else b"")
