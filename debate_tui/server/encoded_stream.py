"""Encoded events of a debate, shared by all viewers with the same stream options."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from debate_tui.server.encoding import (
    KEEPALIVE_COMMENT,
    MAX_WRITE_BYTES,
    EventCursor,
    coalesce,
    encode_events,
    encode_json,
    encode_message,
    parse_cursor,
    split_by_size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.server.encoding import OutgoingEvent, Pieces, StreamOptions
    from debate_tui.server.event_window import EventWindow

    Push = Callable[[Pieces], bool]
    """Send without waiting; return whether the client keeps up."""

RETAINED_BYTES: Final = 1 << 17
"""Maximum bytes of batches kept; viewers that lag more catch up with re-encoded events."""

MAX_CACHED_RANGES: Final = 8
"""Number of older encoded ranges cached: many viewers resume from the same cursor."""

SNAPSHOT_TTL_S: Final = 1.0
"""Maximum age of a cached snapshot, in seconds: viewers that join together share one."""

KEEPALIVE_S: Final = 15.0
"""Seconds of silence before a keep-alive comment is sent."""


class StreamPosition(NamedTuple):
    """A place between two batches of a stream.

    `number` is that of the next batch, `offset` the bytes of all batches before it (characters for text
    messages), and `cursor` the cursor of a viewer who has received them.
    """

    number: int
    offset: int
    cursor: EventCursor


class EncodedBatch(NamedTuple):
    """Encoded events that are sent together, and the position after them."""

    pieces: Pieces
    size: int
    end: StreamPosition


class EncodedStream:
    """Recent encoded batches for one set of stream options; viewers store only their position.

    Batches from `start` to `end` are kept; `end.cursor` includes all events encoded so far. The owner closes
    the stream after the last viewer has left; see `HostedDebate.release_stream`.
    """

    def __init__(self, window: EventWindow, options: StreamOptions) -> None:
        self.options = options
        self.start = self.end = StreamPosition(0, 0, EventCursor(window.epoch, window.seq))
        self.ended = window.over
        self.viewer_count = 0
        self._window = window
        self._batches: deque[EncodedBatch] = deque()
        self._ranges: dict[tuple[EventCursor, int], tuple[Pieces, EventCursor]] = {}
        self._cached_snapshot: tuple[float, EventCursor, bytes] | None = None
        self._waiters: dict[asyncio.Future[StreamPosition], Push | None] = {}
        self._loop = asyncio.get_running_loop()
        self._flushed_at = 0.0
        self._flush_timer: asyncio.TimerHandle | None = None
        self._keepalive_timer = (
            self._loop.call_later(KEEPALIVE_S, self._send_keepalive) if options.transport == "sse" else None
        )

    # What viewers get

    def position_after(self, cursor: EventCursor) -> StreamPosition | None:
        """Return the position of a viewer at `cursor`; `None` if no kept batch ends there."""
        if cursor == self.end.cursor:
            return self.end
        for batch in reversed(self._batches):
            if batch.end.cursor == cursor:
                return batch.end
        return self.start if cursor == self.start.cursor else None

    def batches_after(self, position: StreamPosition) -> tuple[Pieces, StreamPosition]:
        """Return batches after `position`, about `MAX_WRITE_BYTES` but at least one, and their end."""
        pieces: Pieces = ()
        size = 0
        for index in range(position.number - self.start.number, len(self._batches)):
            batch = self._batches[index]
            size += batch.size
            if pieces and size > MAX_WRITE_BYTES:
                break
            pieces += batch.pieces
            position = batch.end
        return pieces, position

    async def missed_after(self, cursor: EventCursor) -> tuple[Pieces, EventCursor]:
        """Return some encoded events between `cursor` and the kept batches, and the cursor after them.

        Raise `DebateError` if the log no longer has them.
        """
        start = self.start.cursor
        is_before_start = start.span is None and cursor.contiguous_seq < start.seq
        key = (cursor, start.seq if is_before_start else self.end.cursor.seq)
        if (encoded := self._ranges.get(key)) is None:
            encoded = await self._encode_range(*key)
            while len(self._ranges) >= MAX_CACHED_RANGES:
                del self._ranges[next(iter(self._ranges))]
            self._ranges[key] = encoded
        return encoded

    def snapshot(self) -> tuple[EventCursor, bytes]:
        """Return the cursor to continue from and an encoded snapshot of the debate.

        The snapshot is shared by viewers and may be `SNAPSHOT_TTL_S` seconds old, as long as batches can
        continue from its cursor.
        """
        now = self._loop.time()
        cached = self._cached_snapshot
        if cached is None or now > cached[0] + SNAPSHOT_TTL_S or self.position_after(cached[1]) is None:
            if self.end.cursor.seq < self._window.seq:
                self.flush()
            snapshot = self._window.snapshot(self.options.debater)
            cursor = parse_cursor(snapshot.id)
            assert cursor is not None
            body = encode_json(snapshot)
            message = encode_message("snapshot", body, self.options, snapshot.id)
            cached = self._cached_snapshot = (now, cursor, message)
        return cached[1:]

    def next_change(self, push: Push | None = None) -> asyncio.Future[StreamPosition]:
        """Return a future that is done at the next batch or at the end; pass it to `forget` afterwards.

        With `push`, batches after `end` go there instead, which is much cheaper than waking a task for each.
        The future is then done when the client falls behind, at the end, or by `wake`. Its result is the
        position after the last batch pushed.
        """
        waiter = self._loop.create_future()
        self._waiters[waiter] = push
        return waiter

    def wake(self, waiter: asyncio.Future[StreamPosition]) -> None:
        """Complete a future from `next_change` now."""
        if not waiter.done():
            waiter.set_result(self.end)

    def forget(self, waiter: asyncio.Future[StreamPosition]) -> None:
        """Stop pushing; see `next_change`."""
        del self._waiters[waiter]

    # What the hosted debate does

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
        window = self._window
        cursor = EventCursor(window.epoch, window.seq)
        events = window.recent_events(self.end.cursor.seq, window.seq)
        if events is None:
            self._drop_batches(cursor)
            return
        batches = []
        for portion in split_by_size(coalesce(events, self.options)):
            last = portion[-1].event.seq == events[-1].seq
            pieces = encode_events(portion, window.epoch, self.options)
            batches.append(self._add_batch(pieces, cursor if last else portion[-1].cursor(window.epoch)))
        self.end = self.end._replace(cursor=cursor)
        self._notify(batches)

    def finish(self) -> None:
        """Flush the remaining events and end the stream."""
        self.flush()
        self.ended = True
        self._wake_all()

    def close(self) -> None:
        """Cancel the timers."""
        for timer in (self._flush_timer, self._keepalive_timer):
            if timer is not None:
                timer.cancel()

    async def _encode_range(self, cursor: EventCursor, upto: int) -> tuple[Pieces, EventCursor]:
        window, options = self._window, self.options
        if cursor.span is not None:
            events: Sequence[Event] = await window.read_all(*cursor.span)
            outgoing: Sequence[OutgoingEvent] = coalesce(events, options, after=cursor.seq)
            end = EventCursor(window.epoch, cursor.span[1])
        else:
            events = await window.read(cursor.seq, upto)
            outgoing = coalesce(events, options)
            end = EventCursor(window.epoch, events[-1].seq)
            parts = list(split_by_size(outgoing))
            if len(parts) > 1:
                outgoing, end = parts[0], parts[0][-1].cursor(window.epoch)
        return encode_events(outgoing, window.epoch, options), end

    def _add_batch(self, pieces: Pieces, cursor: EventCursor) -> EncodedBatch:
        size = sum(map(len, pieces))
        self.end = StreamPosition(self.end.number + 1, self.end.offset + size, cursor)
        batch = EncodedBatch(pieces, size, self.end)
        self._batches.append(batch)
        while self.end.offset - self._batches[0].end.offset > RETAINED_BYTES:
            self.start = self._batches.popleft().end
        return batch

    def _drop_batches(self, cursor: EventCursor) -> None:
        """Continue at `cursor`: events before it are no longer in memory, so all viewers must catch up."""
        self._wake_all()
        self._batches.clear()
        self.start = self.end = StreamPosition(self.end.number + 1, self.end.offset, cursor)

    def _notify(self, batches: Sequence[EncodedBatch]) -> None:
        """Push new batches to viewers that keep up, and wake those that wait."""
        for waiter, push in self._waiters.items():
            if push is None:
                self.wake(waiter)
                continue
            for batch in batches:
                if waiter.done():
                    break
                if not push(batch.pieces):
                    waiter.set_result(batch.end)

    def _wake_all(self) -> None:
        for waiter in self._waiters:
            self.wake(waiter)

    def _send_keepalive(self) -> None:
        silent_s = self._loop.time() - self._flushed_at
        if silent_s >= KEEPALIVE_S:
            self._notify([self._add_batch((KEEPALIVE_COMMENT,), self.end.cursor)])
            silent_s = 0.0
        self._keepalive_timer = self._loop.call_later(KEEPALIVE_S - silent_s, self._send_keepalive)
