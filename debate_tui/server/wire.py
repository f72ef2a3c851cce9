"""How events are told to viewers: put together, named by their places, and framed.

Everything here is a pure function of the events: two servers that cut the same stretch of a log at the same
places send the same bytes.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from debate_tui.display.json_lines import line
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
)
from debate_tui.server.place import LONGEST_RUN, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


MAX_TEXT = 1 << 16
"""Characters of deltas that are put together at most; readers bound the size of an event."""

PORTION = 1 << 16
"""Bytes, roughly, that are handed to a connection at once: whoever does not take them has to be held up."""

COMMENT = b":\n\n"
"""A sign of life."""

_ENVELOPE = 200

Transport = Literal["sse", "websocket"]
Encoding = Literal["json", "msgpack"]
Piece = bytes | str
"""What is sent at once: bytes of an event stream, or one WebSocket message."""


class Manner(Struct, frozen=True):
    """How a viewer wants to be told; viewers of the same manner share every byte.

    `debater` is an id, for what concerns that debater only. Deltas of `batch_ms` are put together, of none
    if it is 0. `batch` is how many events share a message, at most; 0 for each its own.
    """

    transport: Transport = "sse"
    debater: str | None = None
    batch_ms: int = 50
    batch: int = 0
    encoding: Encoding = "json"


class Told(Struct, frozen=True):
    """An event as viewers get it, and the place they are at then; see `Place` for `run`."""

    event: Event
    run: tuple[int, int] | None = None

    def place(self, epoch: str) -> Place:
        return Place(epoch, self.event.seq, self.run)


def concerns(event: Event, debater: str | None) -> bool:
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


def tell(events: Iterable[Event], manner: Manner) -> list[Told]:
    """A stretch of the log as viewers get it: what concerns them, deltas put together if they want that."""
    mine = [event for event in events if concerns(event, manner.debater)]
    return list(_together(mine)) if manner.batch_ms else [Told(event) for event in mine]


def _together(events: Sequence[Event]) -> Iterator[Told]:
    run: list[TurnDelta] = []
    characters = 0
    for event in events:
        if isinstance(event, TurnDelta):
            characters += len(event.text)
            full = characters > MAX_TEXT or (run and event.seq - run[0].seq >= LONGEST_RUN)
            if full and run:
                yield from _run(run)
                run, characters = [], len(event.text)
            run.append(event)
        else:
            yield from _run(run)
            run, characters = [], 0
            yield Told(event)
    yield from _run(run)


def _run(deltas: Sequence[TurnDelta]) -> Iterator[Told]:
    """Deltas with nothing else between them: one for each text they add to, in the order of their ends."""
    if not deltas:
        return
    texts: dict[object, list[TurnDelta]] = {}
    for delta in deltas:
        texts.setdefault((delta.turn, delta.attempt, delta.reasoning), []).append(delta)
    bounds = (deltas[0].seq - 1, deltas[-1].seq)
    for parts in sorted(texts.values(), key=lambda parts: parts[-1].seq):
        last = parts[-1]
        whole = msgspec.structs.replace(
            last, offset=parts[0].offset, text="".join(part.text for part in parts)
        )
        yield Told(whole, None if last.seq == bounds[1] else bounds)


def rest(events: Iterable[Event], place: Place, manner: Manner) -> list[Told]:
    """What is missing of the run that `place` is in the middle of; `events` are those of the run."""
    mine = [event for event in events if concerns(event, manner.debater)]
    return [told for told in _together(mine) if told.event.seq > place.seq]


def portions(told: Sequence[Told]) -> Iterator[Sequence[Told]]:
    """Events in parts that may be sent at once."""
    start = weight = 0
    for place, each in enumerate(told):
        size = _ENVELOPE + (len(each.event.text) if isinstance(each.event, TurnDelta) else 0)
        if weight and weight + size > PORTION:
            yield told[start:place]
            start, weight = place, 0
        weight += size
    if told:
        yield told[start:]


# Framing


def frames(told: Sequence[Told], epoch: str, manner: Manner) -> tuple[Piece, ...]:
    """The events as they are sent: for SSE in one piece, for WebSockets one piece per message."""
    if not told:
        return ()
    if manner.batch:
        size = manner.batch
        groups = [told[start : start + size] for start in range(0, len(told), size)]
        pieces = [_batch(group, epoch, manner) for group in groups]
    else:
        pieces = [_single(each, epoch, manner) for each in told]
    return joined(pieces, manner)


def joined(pieces: Iterable[bytes], manner: Manner) -> tuple[Piece, ...]:
    """Framed events as they are handed to the transport."""
    if manner.transport == "sse":
        return (b"".join(pieces),)
    return tuple(pieces if manner.encoding == "msgpack" else (piece.decode() for piece in pieces))


def _single(told: Told, epoch: str, manner: Manner) -> bytes:
    place = str(told.place(epoch))
    body = line(told.event)[:-1]
    if manner.transport == "websocket":
        body = b'{"id":"%s",%s' % (place.encode(), body[1:])
    return _framed(told.event.__struct_config__.tag, place, body, manner)


def _batch(group: Sequence[Told], epoch: str, manner: Manner) -> bytes:
    place = str(group[-1].place(epoch))
    chunks = b",".join(line(told.event)[:-1] for told in group)
    inside = b'"id":"%s",' % place.encode() if manner.transport == "websocket" else b""
    return _framed("batch", place, b'{%s"type":"batch","chunks":[%s]}' % (inside, chunks), manner)


def message(type_: str, body: bytes, manner: Manner, place: Place | None = None) -> bytes:
    """Something said to a single viewer; `body` is a JSON object with its own type, and the place, in it."""
    return _framed(type_, str(place) if place else "", body, manner)


def retry(milliseconds: int, place: Place | None) -> bytes:
    """How long an SSE client is to wait before it connects again.

    Belongs to the event that follows, so that it is none by itself, which some clients would take for one
    without an id. If that may take a while, the client is told again where it is.
    """
    return b"retry: %d\n" % milliseconds + (f"id: {place}\n\n".encode() if place else b"")


def _framed(type_: object, place: str, body: bytes, manner: Manner) -> bytes:
    if manner.encoding == "msgpack":
        body = msgspec.msgpack.encode(msgspec.json.decode(body))
        if manner.transport == "sse":
            body = b64encode(body)
    if manner.transport == "websocket":
        return body
    id_ = f"id: {place}\n" if place else ""
    return f"{id_}event: {type_}\ndata: ".encode() + body + b"\n\n"
