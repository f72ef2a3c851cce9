"""Encoded events of a debate, shared by all viewers with the same stream options."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from debate_tui.display.json_lines import escape_controls
from debate_tui.server.encoding import (
    KEEPALIVE_COMMENT,
    MAX_WRITE_BYTES,
    EventCursor,
    Piece,
    StreamOptions,
    coalesce,
    encode_events,
    encode_message,
    parse_cursor,
    split_by_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.server.encoding import Snapshot

    Push = Callable[[tuple[Piece, ...]], bool]
    """Send without waiting; return whether the client keeps up."""

MAX_LAG_BYTES: Final = 1 << 20
"""Maximum bytes a viewer may lag; above it, the viewer is reset with a snapshot."""

RETAINED_BYTES: Final = 1 << 17
"""Maximum bytes of batches kept; viewers that lag more get re-encoded events, up to `MAX_LAG_BYTES`."""

MAX_CACHED_RANGES: Final = 8
"""Number of older encoded ranges cached: many viewers resume from the same cursor."""

SNAPSHOT_TTL_S: Final = 1.0
"""Maximum age of a cached snapshot, in seconds: viewers that join together share one."""

KEEPALIVE_S: Final = 15.0
"""Seconds of silence before a keep-alive comment is sent."""


class EncodedBatch(Struct, frozen=True):
    """Encoded events that are sent together.

    `number` counts batches, `end_offset` the bytes up to the end of this one (characters for text messages).
    `cursor` is the viewer's cursor after it.
    """

    number: int
    pieces: tuple[Piece, ...]
    size: int
    end_offset: int
    cursor: EventCursor


class EncodedRange(NamedTuple):
    """An encoded range of the log, and the viewer's cursor after it."""

    pieces: tuple[Piece, ...]
    cursor: EventCursor


class EventWindow(Protocol):
    """Published events of a debate: 1 to `seq` of the history `epoch`."""

    seq: int
    over: bool

    @property
    def epoch(self) -> str:
        """Name of the history; changes if another record replaces the debate."""
        ...

    def recent_events(self, after: int, upto: int) -> Sequence[Event] | None:
        """Return the events after `after` up to `upto`; `None` if some are no longer in memory."""
        ...

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """Return some events after `after`, reading the record if necessary."""
        ...

    def snapshot(self, debater: str | None = None) -> Snapshot:
        """Return the current state of the debate, or of one debater's part."""
        ...


class EncodedStream:
    """Recent encoded batches for one set of stream options; viewers store only their position.

    `first_number` is the oldest batch kept, `next_number` the next one; `total_size` counts the bytes of all
    batches so far. All events up to `encoded_seq` are in batches before `next_number`. Viewers that keep up
    have received everything up to `last_pushed`. `HostedDebate.release_stream` closes the stream after the
    last viewer has left.
    """

    def __init__(self, hosted: EventWindow, options: StreamOptions) -> None:
        self.options = options
        self.encoded_seq = hosted.seq
        self.first_number = 0
        self.total_size = 0
        self.ended = hosted.over
        self.viewer_count = 0
        self.last_pushed: EncodedBatch | None = None
        self._hosted = hosted
        self._batches: deque[EncodedBatch] = deque()
        self._retained_bytes = 0
        self._start_position = (EventCursor(hosted.epoch, self.encoded_seq), 0)
        self._ranges: dict[tuple[EventCursor, int], EncodedRange] = {}
        self._unpushed: list[EncodedBatch] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._push_clients: dict[asyncio.Future[EncodedBatch | None], Push] = {}
        self._loop = asyncio.get_running_loop()
        self._flushed_at = 0.0
        self._cached_snapshot: tuple[float, EventCursor, bytes] | None = None
        self._flush_timer: asyncio.TimerHandle | None = None
        self._keepalive_timer = (
            self._loop.call_later(KEEPALIVE_S, self._send_keepalive) if options.transport == "sse" else None
        )

    @property
    def next_number(self) -> int:
        """The number of the next batch."""
        return self.first_number + len(self._batches)

    def batches_from(self, number: int, limit: int = MAX_WRITE_BYTES) -> tuple[int, Sequence[EncodedBatch]]:
        """Return batches from `number` on, up to `limit` bytes but at least one, and the next number."""
        batches: list[EncodedBatch] = []
        size = 0
        for index in range(number - self.first_number, len(self._batches)):
            batch = self._batches[index]
            size += batch.size
            if batches and size > limit:
                break
            batches.append(batch)
        return number + len(batches), batches

    def position_after(self, cursor: EventCursor) -> tuple[int, int] | None:
        """Return the batch number and byte offset after `cursor`; `None` if no kept batch ends there."""
        if cursor.seq == self.encoded_seq and cursor.span is None:
            return self.next_number, self.total_size
        for batch in reversed(self._batches):
            if batch.cursor == cursor:
                return batch.number + 1, batch.end_offset
        start, size = self._start_position
        return (self.first_number, size) if cursor == start else None

    def catch_up_target(self, cursor: EventCursor) -> int:
        """Return the `seq` that a viewer at `cursor` must reach before it can continue with batches."""
        start, _ = self._start_position
        return start.seq if start.span is None and cursor.contiguous_seq < start.seq else self.encoded_seq

    def cached_range(self, cursor: EventCursor, upto: int) -> EncodedRange | None:
        """Return the range already encoded for another viewer at this cursor, or `None`."""
        return self._ranges.get((cursor, upto))

    def cache_range(self, cursor: EventCursor, upto: int, encoded: EncodedRange) -> None:
        """Cache an encoded range for other viewers at the same cursor."""
        while len(self._ranges) >= MAX_CACHED_RANGES:
            del self._ranges[next(iter(self._ranges))]
        self._ranges[cursor, upto] = encoded

    def snapshot(self) -> tuple[EventCursor, bytes]:
        """Return the cursor to continue from and an encoded snapshot of the debate.

        The snapshot is shared by viewers and may be `SNAPSHOT_TTL_S` seconds old, as long as batches can
        continue from its cursor.
        """
        now = self._loop.time()
        cached = self._cached_snapshot
        if cached is None or now > cached[0] + SNAPSHOT_TTL_S or self.position_after(cached[1]) is None:
            if self.encoded_seq < self._hosted.seq:
                self.flush()
            snapshot = self._hosted.snapshot(self.options.debater)
            cursor = parse_cursor(snapshot.id)
            assert cursor is not None
            body = escape_controls(msgspec.json.encode(snapshot))
            cached = self._cached_snapshot = (
                now,
                cursor,
                encode_message("snapshot", body, self.options, cursor),
            )
        return cached[1:]

    def next_change(self) -> asyncio.Future[None]:
        """Return a future that is done at the next batch or at the end."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def start_push(self, push: Push) -> asyncio.Future[EncodedBatch | None]:
        """Call `push` with all batches from `next_number` on: much cheaper than waking a task for each.

        The future is done at the end, or when the client falls behind, with the last batch pushed. Cancel
        with `stop_push`. To complete the future early, set `last_pushed` as its result.
        """
        waiter = self._loop.create_future()
        self._push_clients[waiter] = push
        return waiter

    def stop_push(self, waiter: asyncio.Future[EncodedBatch | None]) -> None:
        """Stop pushing; see `start_push`."""
        self._push_clients.pop(waiter, None)

    def schedule_flush(self) -> None:
        """Schedule a flush of new events, at least `batch_ms` after the previous one."""
        if self._flush_timer is None:
            flush_at = self._flushed_at + self.options.batch_ms / 1000
            self._flush_timer = self._loop.call_at(flush_at, self.flush)

    def flush(self) -> None:
        """Encode all published events now and notify viewers."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        self._flushed_at = self._loop.time()
        hosted = self._hosted
        events = hosted.recent_events(self.encoded_seq, hosted.seq)
        self.encoded_seq = hosted.seq
        cursor = EventCursor(hosted.epoch, hosted.seq)
        if events is None:
            # Some are no longer in memory. All viewers of this stream now lag too far: reset them.
            self._drop_batches()
            events = ()
        for portion in split_by_size(coalesce(events, self.options)):
            last = portion[-1].event.seq == events[-1].seq
            pieces = encode_events(portion, hosted.epoch, self.options)
            self._add_batch(pieces, cursor if last else portion[-1].cursor(hosted.epoch))
        self.notify_viewers()

    def notify_viewers(self) -> None:
        """Push new batches to viewers that keep up, and wake those that wait."""
        new_batches, self._unpushed = self._unpushed, []
        if new_batches:
            self.last_pushed = new_batches[-1]
        for waiter, push in self._push_clients.items():
            for batch in new_batches:
                if waiter.done():
                    break
                if not push(batch.pieces):
                    waiter.set_result(batch)
        waiting, self._waiters = self._waiters, []
        for other in waiting:
            if not other.done():
                other.set_result(None)

    def end(self) -> None:
        """Flush the remaining events and end the stream."""
        self.flush()
        self.ended = True
        self.notify_viewers()
        self._stop_all_pushes()

    def close(self) -> None:
        """Cancel the timers."""
        for timer in (self._flush_timer, self._keepalive_timer):
            if timer is not None:
                timer.cancel()

    def _add_batch(self, pieces: tuple[Piece, ...], cursor: EventCursor) -> None:
        size = sum(map(len, pieces))
        self.total_size += size
        self._retained_bytes += size
        batch = EncodedBatch(self.next_number, pieces, size, self.total_size, cursor)
        self._batches.append(batch)
        self._unpushed.append(batch)
        while self._retained_bytes - self._batches[0].size > RETAINED_BYTES:
            dropped = self._batches.popleft()
            self._retained_bytes -= dropped.size
            self._start_position = (dropped.cursor, dropped.end_offset)
            self.first_number += 1

    def _drop_batches(self) -> None:
        self.first_number = self.next_number + 1
        self.total_size += MAX_LAG_BYTES
        self._batches.clear()
        self._retained_bytes = 0
        self._start_position = (EventCursor(self._hosted.epoch, self.encoded_seq), self.total_size)
        self._stop_all_pushes()

    def _stop_all_pushes(self) -> None:
        """Stop pushing to all clients."""
        for waiter in self._push_clients:
            if not waiter.done():
                waiter.set_result(self.last_pushed)

    def _send_keepalive(self) -> None:
        silent_s = self._loop.time() - self._flushed_at
        if silent_s >= KEEPALIVE_S:
            self._add_batch((KEEPALIVE_COMMENT,), EventCursor(self._hosted.epoch, self.encoded_seq))
            self.notify_viewers()
            silent_s = 0.0
        self._keepalive_timer = self._loop.call_later(KEEPALIVE_S - silent_s, self._send_keepalive)
