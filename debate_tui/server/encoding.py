"""How events are told to viewers: put together, named by their places, and framed.

Everything here is a pure function of the events: two servers that cut the same stretch of a log at the same
places send the same bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import blake2s
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from debate_tui.display.json_lines import encode_line
from debate_tui.domain.events import (
    DebatePaused,
    DebateResumed,
    DebaterInfo,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Event,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    Verdict,
    event_to_json,
)
from debate_tui.domain.stream import FinishReason, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


# Places in a hosted debate: what an event id says, and what a returning viewer is to be given.


MAX_SPAN_EVENTS: Final = 4096
"""Events that are put together at most, so that a place in the middle of them can be found again."""

_CURSOR_PATTERN: Final = re.compile(r"([0-9a-z]{1,32})(?:\.([0-9]{1,15})-([0-9]{1,15}))?:([0-9]{1,15})")


class EventCursor(Struct, frozen=True):
    """Everything up to `seq` of the history named `epoch` was received; written ``EPOCH:SEQ``.

    Deltas of several debaters that were put together do not lie one behind the other in the log. A place
    between them therefore names the stretch of the log they stand for, `span` (behind its first number, up
    to its second), written ``EPOCH.FIRST-LAST:SEQ``: of that stretch, what ends at `seq` or before was
    received. It means the same to every server that has the debate, now and later.
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
        """The `seq` up to which every single event was received."""
        return self.seq if self.span is None else self.span[0]


def parse_cursor(text: str) -> EventCursor | None:
    """The place an event id names; `None` for what is none of ours."""
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
    """A name for the history that begins with this event: the same after every restart, on every host."""
    return blake2s(event_to_json(first), digest_size=5).hexdigest()


MAX_DELTA_CHARS = 1 << 16
"""Characters of deltas that are put together at most; readers bound the size of an event."""

MAX_WRITE_BYTES = 1 << 16
"""Bytes, roughly, that are handed to a connection at once: whoever does not take them has to be held up."""

KEEPALIVE_COMMENT = b":\n\n"
"""A sign of life."""

_ENVELOPE_BYTES = 200

Transport = Literal["sse", "websocket"]
Encoding = Literal["json", "msgpack"]
Piece = bytes | str
"""What is sent at once: bytes of an event stream, or one WebSocket message."""


class StreamOptions(Struct, frozen=True):
    """How a viewer wants to be told; viewers of the same manner share every byte.

    `debater` is an id, for what concerns that debater only. Deltas of `batch_ms` are put together, of none
    if it is 0. `batch` is how many events share a message, at most; 0 for each its own.
    """

    transport: Transport = "sse"
    debater: str | None = None
    batch_ms: int = 50
    batch: int = 0
    encoding: Encoding = "json"

    @property
    def kind(self) -> tuple[object, ...]:
        """What makes a difference to those who read: all but how long and how large batches are."""
        return self.transport, self.debater, self.encoding, self.batch_ms > 0, self.batch > 0

    def distance(self, other: StreamOptions) -> tuple[int, int]:
        """How far apart the batches of two are."""
        return abs(self.batch_ms - other.batch_ms), abs(self.batch - other.batch)


BATCH_STEPS_MS: Final = (10, 50, 100, 250, 1000, 5000)
"""How long batches may be, besides 0: every other length would have to be encoded for itself."""


def nearest_batches(batch_ms: int, batch: int) -> tuple[int, int]:
    """The nearest of `BATCH_STEPS_MS`, and the power of two that is no more; 0 stays 0."""
    step = min(BATCH_STEPS_MS, key=lambda each: abs(each - batch_ms)) if batch_ms else 0
    return step, 1 << batch.bit_length() - 1 if batch else 0


class OutgoingEvent(Struct, frozen=True):
    """An event as viewers get it, and the place they are at then; see `EventCursor` for `span`."""

    event: Event
    span: tuple[int, int] | None = None

    def cursor(self, epoch: str) -> EventCursor:
        return EventCursor(epoch, self.event.seq, self.span)


def is_relevant(event: Event, debater: str | None) -> bool:
    """Whether an event belongs into the stream of one debater, or of all for `None`.

    What concerns the whole debate belongs into every stream.
    """
    if debater is None:
        return True
    match event:
        case Interjection():
            return event.to in (None, debater)
        case DebatePaused() | DebateResumed():
            return event.debater in (None, debater)
        case (
            TurnStarted()
            | TurnDelta()
            | TurnSuperseded()
            | TurnFinished()
            | StreamStatus()
            | DebaterRemoved()
            | DebaterReplaced()
            | DebaterReturned()
        ):
            return event.debater == debater
    return True


def coalesce(events: Iterable[Event], options: StreamOptions) -> list[OutgoingEvent]:
    """A stretch of the log as viewers get it: what concerns them, deltas put together if they want that."""
    relevant = [event for event in events if is_relevant(event, options.debater)]
    return (
        list(_coalesce_deltas(relevant)) if options.batch_ms else [OutgoingEvent(event) for event in relevant]
    )


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
    """Deltas with nothing else between them: one for each text they add to, in the order of their ends."""
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


def remaining_events(
    events: Iterable[Event], cursor: EventCursor, options: StreamOptions
) -> list[OutgoingEvent]:
    """What is missing of the run that `cursor` is in the middle of; `events` are those of the run."""
    relevant = [event for event in events if is_relevant(event, options.debater)]
    return [told for told in _coalesce_deltas(relevant) if told.event.seq > cursor.seq]


def split_by_size(events: Sequence[OutgoingEvent]) -> Iterator[Sequence[OutgoingEvent]]:
    """Events in parts that may be sent at once."""
    start = weight = 0
    for index, outgoing in enumerate(events):
        size = _ENVELOPE_BYTES + (len(outgoing.event.text) if isinstance(outgoing.event, TurnDelta) else 0)
        if weight and weight + size > MAX_WRITE_BYTES:
            yield events[start:index]
            start, weight = index, 0
        weight += size
    if events:
        yield events[start:]


# Framing


def encode_events(events: Sequence[OutgoingEvent], epoch: str, options: StreamOptions) -> tuple[Piece, ...]:
    """The events as they are sent: for SSE in one piece, for WebSockets one piece per message."""
    if not events:
        return ()
    if options.batch:
        size = options.batch
        groups = [events[start : start + size] for start in range(0, len(events), size)]
        pieces = [_encode_batch(group, epoch, options) for group in groups]
    else:
        pieces = [_encode_event(each, epoch, options) for each in events]
    return join_pieces(pieces, options)


def join_pieces(pieces: Iterable[bytes], options: StreamOptions) -> tuple[Piece, ...]:
    """Framed events as they are handed to the transport."""
    if options.transport == "sse":
        return (b"".join(pieces),)
    return tuple(pieces if options.encoding == "msgpack" else (piece.decode() for piece in pieces))


def _encode_event(outgoing: OutgoingEvent, epoch: str, options: StreamOptions) -> bytes:
    event_id = str(outgoing.cursor(epoch))
    body = encode_line(outgoing.event)[:-1]
    if options.transport == "websocket":
        body = b'{"id":"%s",%s' % (event_id.encode(), body[1:])
    return _frame_message(outgoing.event.__struct_config__.tag, event_id, body, options)


def _encode_batch(group: Sequence[OutgoingEvent], epoch: str, options: StreamOptions) -> bytes:
    event_id = str(group[-1].cursor(epoch))
    chunks = b",".join(encode_line(told.event)[:-1] for told in group)
    inside = b'"id":"%s",' % event_id.encode() if options.transport == "websocket" else b""
    return _frame_message("batch", event_id, b'{%s"type":"batch","chunks":[%s]}' % (inside, chunks), options)


def encode_message(
    type_: str, body: bytes, options: StreamOptions, cursor: EventCursor | None = None
) -> bytes:
    """Something said to a single viewer; `body` is a JSON object with its own type, and the place, in it."""
    return _frame_message(type_, str(cursor) if cursor else "", body, options)


def encode_retry(milliseconds: int, cursor: EventCursor | None) -> bytes:
    """How long an SSE client is to wait before it connects again.

    Belongs to the event that follows, so that it is none by itself, which some clients would take for one
    without an id. If that may take a while, the client is told again where it is.
    """
    return b"retry: %d\n" % milliseconds + (f"id: {cursor}\n\n".encode() if cursor else b"")


def _frame_message(type_: object, event_id: str, body: bytes, options: StreamOptions) -> bytes:
    if options.encoding == "msgpack":
        body = msgspec.msgpack.encode(msgspec.json.decode(body))
        if options.transport == "sse":
            body = b64encode(body)
    if options.transport == "websocket":
        return body
    id_ = f"id: {event_id}\n" if event_id else ""
    return f"{id_}event: {type_}\ndata: ".encode() + body + b"\n\n"


SnapshotState = Literal["running", "paused", "complete", "stopped", "failed"]


class SnapshotTurn(Struct, frozen=True, omit_defaults=True):
    """A turn: what was said of it, as received; `reason` is missing while it is under way.

    `omitted` says that its text is left out to keep the snapshot small; the debate's own address has it.
    """

    turn: int
    debater: str
    phase: str
    round: int
    model: str
    attempt: int
    started: float
    text: str
    reasoning: str = ""
    superseded: int = 0
    reason: FinishReason | None = None
    usage: Usage | None = None
    cost: float | None = None
    ttft_ms: int | None = None
    duration_ms: int | None = None
    omitted: bool = False


class Snapshot(Struct, frozen=True, tag="snapshot", tag_field="type"):
    """All of a debate up to the event `seq`; `id` is the place to go on from.

    `live` says whether the server that was asked holds it, and takes votes. `active` are the ids of those
    still in the debate, `statuses` each debater's last one. `votes` counts the votes of each kind by the
    debater they are for, empty for the undecided.
    """

    id: str
    seq: int
    debate: str
    topic: str
    format: str
    state: SnapshotState
    live: bool
    started: float
    updated: float
    debaters: tuple[DebaterInfo, ...]
    active: tuple[str, ...]
    phase: PhaseStarted | None
    statuses: dict[str, StreamStatus]
    turns: tuple[SnapshotTurn, ...]
    interjections: tuple[Interjection, ...]
    votes: dict[str, dict[str, int]]
    verdicts: tuple[Verdict, ...]
