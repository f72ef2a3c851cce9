"""A debate told in one manner: every byte is made once, however many listen."""

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
    """Sends at once, without waiting; says whether the client keeps up."""

MAX_LAG_BYTES: Final = 1 << 20
"""Bytes a viewer may be behind; whoever is behind more is reset."""

RETAINED_BYTES: Final = 1 << 17
"""Bytes of bursts that are kept: whoever is behind more, but not too much, is told from the events again."""

MAX_CACHED_RANGES: Final = 8
"""How many stretches of what lies before the bursts are kept as they were told: many return to one place."""

SNAPSHOT_TTL_S: Final = 1.0
"""How old the snapshot may be that somebody is given: many who come at once get the same."""

KEEPALIVE_S: Final = 15.0
"""How long nothing is sent before a comment is."""


class EncodedBatch(Struct, frozen=True):
    """What is sent at one time; `end_offset` counts the bytes up to and with it, `cursor` is where viewers
    are then.

    Bursts are numbered. Text messages count characters.
    """

    number: int
    pieces: tuple[Piece, ...]
    size: int
    end_offset: int
    cursor: EventCursor


class EncodedRange(NamedTuple):
    """A stretch of the log as it is sent, and where viewers are then."""

    pieces: tuple[Piece, ...]
    cursor: EventCursor


class EventWindow(Protocol):
    """The events that viewers may be sent: numbers 1 to `seq` of the record `epoch`."""

    seq: int
    over: bool

    @property
    def epoch(self) -> str:
        """Changes when another record takes the debate's place."""
        ...

    def recent_events(self, after: int, upto: int) -> Sequence[Event] | None:
        """The events behind `after`, up to and with `upto`; `None` if some are in the record only."""
        ...

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """Some of the events behind `after`, from the record if need be."""
        ...

    def snapshot(self, debater: str | None = None) -> Snapshot:
        """The debate as it stands, or one debater's part of it."""
        ...


class EncodedStream:
    """The recent bursts of a debate in one manner; viewers keep nothing but their place among them.

    `first_number` is the oldest burst still here, `next_number` the one to come; `total_size` counts the
    bytes of all there ever were. All events up to `encoded_seq` are in bursts before `next_number`. Whoever
    keeps up has been given all up to `last_pushed`. After the last viewer has gone,
    `HostedDebate.release_stream` closes it.
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
        """The number of the burst to come."""
        return self.first_number + len(self._batches)

    def batches_from(self, number: int, limit: int = MAX_WRITE_BYTES) -> tuple[int, Sequence[EncodedBatch]]:
        """Bursts from `number` on, one or what `limit` bytes hold, and the number to go on at."""
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
        """Where among the bursts to go on, as a number and a size, for who is where one of them ended."""
        if cursor.seq == self.encoded_seq and cursor.span is None:
            return self.next_number, self.total_size
        for batch in reversed(self._batches):
            if batch.cursor == cursor:
                return batch.number + 1, batch.end_offset
        start, size = self._start_position
        return (self.first_number, size) if cursor == start else None

    def catch_up_target(self, cursor: EventCursor) -> int:
        """Up to which event somebody at this place is to be told, to be among the bursts then."""
        start, _ = self._start_position
        return start.seq if start.span is None and cursor.contiguous_seq < start.seq else self.encoded_seq

    def cached_range(self, cursor: EventCursor, upto: int) -> EncodedRange | None:
        """What was told before to somebody at this place."""
        return self._ranges.get((cursor, upto))

    def cache_range(self, cursor: EventCursor, upto: int, encoded: EncodedRange) -> None:
        """Keep this for others who come to the same place."""
        while len(self._ranges) >= MAX_CACHED_RANGES:
            del self._ranges[next(iter(self._ranges))]
        self._ranges[cursor, upto] = encoded

    def snapshot(self) -> tuple[EventCursor, bytes]:
        """The debate as it stands, framed, and where to go on: among the bursts to come, if that is possible.

        It is not made for everybody anew, but may be as old as `SNAPSHOT_TTL_S`.
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
        """Done with the next burst, or the end."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def start_push(self, push: Push) -> asyncio.Future[EncodedBatch | None]:
        """Have all bursts from `next_number` on pushed, which costs much less than to be woken for each.

        Done at the end, and once the client no longer keeps up, with the last burst it was given. To be
        called off by `stop_push`; whoever completes it gives it `last_pushed`.
        """
        waiter = self._loop.create_future()
        self._push_clients[waiter] = push
        return waiter

    def stop_push(self, waiter: asyncio.Future[EncodedBatch | None]) -> None:
        """Push nothing more; see `start_push`."""
        self._push_clients.pop(waiter, None)

    def schedule_flush(self) -> None:
        """There are new events: tell them, no sooner than a batch window after those before."""
        if self._flush_timer is None:
            flush_at = self._flushed_at + self.options.batch_ms / 1000
            self._flush_timer = self._loop.call_at(flush_at, self.flush)

    def flush(self) -> None:
        """Tell all published events now."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        self._flushed_at = self._loop.time()
        hosted = self._hosted
        events = hosted.recent_events(self.encoded_seq, hosted.seq)
        self.encoded_seq = hosted.seq
        cursor = EventCursor(hosted.epoch, hosted.seq)
        if events is None:
            # Who is here since before is behind by far more than is kept anywhere in memory.
            self._drop_batches()
            events = ()
        for portion in split_by_size(coalesce(events, self.options)):
            last = portion[-1].event.seq == events[-1].seq
            pieces = encode_events(portion, hosted.epoch, self.options)
            self._add_batch(pieces, cursor if last else portion[-1].cursor(hosted.epoch))
        self.notify_viewers()

    def notify_viewers(self) -> None:
        """Push what is new to all who keep up, and let all others who wait look again."""
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
        """Tell what is left; nothing more comes."""
        self.flush()
        self.ended = True
        self.notify_viewers()
        self._stop_all_pushes()

    def close(self) -> None:
        """Let go of the timers."""
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
        """Push nothing more to anybody."""
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
