"""The log of a debate that runs here and is stored in Redis."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from typing import TYPE_CHECKING, Final

import msgspec
from redis.exceptions import RedisError

from debate_tui.domain.errors import DebateError
from debate_tui.record.log import (
    BATCH_SIZE,
    MAX_BACKLOG_BYTES,
    DebateLog,
    TakenOverError,
    encode_for_storage,
    memory_size,
)
from debate_tui.record.redis.connection import decode_event
from debate_tui.record.summary import update_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.redis.connection import StreamEntry
    from debate_tui.record.redis.lease import Lease
    from debate_tui.record.summary import DebateSummary

BATCH_DELAY_S: Final = 0.01
"""Seconds the first event of a batch waits for others, well below the log's 100 ms limit."""

RETRY_S: Final = 1.0
"""Seconds to wait before retrying after Redis was unreachable or refused a command."""

CLOSE_TIMEOUT_S: Final = 3.0
"""Seconds that closing a log waits for an unreachable Redis."""

RETAINED_BYTES: Final = 16 * 2**20
"""Approximate bytes of acknowledged events kept in memory, to restore what Redis may lose."""

MAX_BATCH_EVENTS: Final = 1000
"""The maximum number of events per batch; Redis blocks all other clients while it adds them."""


_UNRECORDED_HINT: Final = "The debate continues unrecorded. Export it before you quit."


class RedisLog(DebateLog):
    """A debate's log in the Redis of a `RedisStore`, which creates it.

    Every event reaches Redis within 100 ms if Redis answers within about 80 ms. If Redis is slow, full or
    unreachable, the debate continues: `on_write_error` is called once, on the event loop's thread. Up to 64
    MiB of events wait in memory and are written when that becomes possible again, together with events that
    Redis acknowledged but lost (at least the last 16 MiB). If that is not enough, or another process took
    over the debate (`TakenOverError`), recording stops for good and `on_write_error` is called with that
    error too.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        last: Event | None,
        summary: DebateSummary,
        clock: Callable[[], float],
        on_write_error: Callable[[DebateError], None],
    ) -> None:
        super().__init__(last, material=lease.material, clock=clock)
        self.on_closed: Callable[[RedisLog], None] = lambda _: None
        self._lease = lease
        self._summary = summary
        self._on_write_error = on_write_error
        self._transient_error: DebateError | None = None
        self._error_reported = False
        self._final_error: DebateError | None = None
        self._needs_restore = False
        self._durable_seq = self.seq
        self._recent: list[Event] = []
        self._recent_after = self.seq
        self._recent_bytes = 0
        self._unsent_bytes = 0
        self._work_available = asyncio.Event()
        self._flush_requested = asyncio.Event()
        self._flush_waiters: list[asyncio.Future[bool]] = []
        self._writer_task = asyncio.create_task(self._run(), name=f"record {lease.debate}")

    @property
    def epoch(self) -> str:
        return self._lease.epoch

    @property
    def durable_seq(self) -> int:
        """See `ReadableLog.durable_seq`; decreases for a while if Redis lost acknowledged events."""
        return self._durable_seq

    @property
    def write_error(self) -> DebateError | None:
        return self._final_error or self._transient_error

    @property
    def recording_stopped(self) -> bool:
        return self._final_error is not None

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`. Raise `DebateError` if Redis is unavailable or has lost the events."""
        if after >= self._recent_after:
            start = after - self._recent_after
            return self._recent[start : start + limit]
        connection = self._lease.connection
        with connection.translate_errors():
            entries = await connection.read_entries(
                self._lease.debate, after, min(limit, self._recent_after - after)
            )
        if not entries or entries[0].seq != after + 1:
            raise DebateError(f"Events after {after} of this debate are no longer in Redis.")
        return [decode_event(entry.data) for entry in entries]

    async def flush(self) -> None:
        target = self.seq
        while self._durable_seq < target and not self._writer_task.done():
            written = asyncio.get_running_loop().create_future()
            self._flush_waiters.append(written)
            self._request_flush()
            if not await written:
                break
        if self._durable_seq < target and isinstance(self._final_error, TakenOverError):
            raise self._final_error

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; afterwards other processes may resume the debate."""
        await super().aclose()
        self._request_flush()
        await asyncio.wait({self._writer_task})
        self.on_closed(self)
        if not self._writer_task.cancelled():
            self._writer_task.result()

    def _store_event(self, event: Event) -> None:
        self._recent.append(event)
        size = memory_size(event)
        self._recent_bytes += size
        self._unsent_bytes += size
        if self._unsent_bytes > MAX_BACKLOG_BYTES and not self._final_error:
            self._final_error = DebateError(
                f"The record ends at event {self._durable_seq}: Redis did not keep up.", _UNRECORDED_HINT
            )
            self._request_flush()
        self._trim()
        self._work_available.set()

    def _trim(self) -> None:
        """Drop old events that Redis has; once recording has stopped, all but the newest."""
        if self._recent_bytes < 2 * RETAINED_BYTES:
            return
        newest, spare = self.seq if self._final_error else self._durable_seq, 0
        for event in self._recent:
            if self._recent_bytes <= RETAINED_BYTES or event.seq > newest:
                break
            self._recent_bytes -= memory_size(event)
            spare += 1
        del self._recent[:spare]
        self._recent_after += spare

    @property
    def _is_synced(self) -> bool:
        return self._durable_seq == self.seq and not self._needs_restore

    def _request_flush(self) -> None:
        self._work_available.set()
        self._flush_requested.set()

    async def _run(self) -> None:
        """Run the only task that writes; a batch is what arrives within 10 ms or during the last batch."""
        deadline = math.inf
        try:
            while not self._final_error and not (self._closed and self._is_synced):
                await self._wait_for_work()
                if self._closed:
                    deadline = min(deadline, time.monotonic() + CLOSE_TIMEOUT_S)
                await self._write_batch()
                if self._transient_error and time.monotonic() > deadline:
                    return
            if self._final_error:
                self._on_write_error(self._final_error)
            else:
                with contextlib.suppress(RedisError, OSError):
                    await self._lease.release()
        finally:
            self._resolve_flushes(written=False)

    async def _wait_for_work(self) -> None:
        """Wait until there are events to write or the lease must be renewed."""
        if self._transient_error:
            await _wait_for_event(self._flush_requested, RETRY_S)
        else:
            if self._is_synced:
                await _wait_for_event(self._work_available, self._lease.terms.lease_s / 3)
            if self._durable_seq < self.seq < self._durable_seq + MAX_BATCH_EVENTS:
                await _wait_for_event(self._flush_requested, BATCH_DELAY_S)
        self._work_available.clear()
        self._flush_requested.clear()

    async def _write_batch(self) -> None:
        try:
            if self._needs_restore:
                await self._restore()
            if not self._final_error:
                await self._append_batch()
        except (RedisError, OSError) as error:
            self._needs_restore = True
            trouble = self._lease.connection.describe_error(error)
            self._transient_error = DebateError(
                trouble.message,
                f"{trouble.hint} The debate continues, and is recorded once Redis works again.",
            )
            await self._lease.connection.close_idle()
            if not self._error_reported:
                self._error_reported = True
                self._on_write_error(self._transient_error)
        self._resolve_flushes(written=not self._transient_error)

    async def _append_batch(self) -> None:
        start = self._durable_seq - self._recent_after
        batch = self._recent[start : start + MAX_BATCH_EVENTS]
        encoded, summary = [], self._summary
        for event in batch:
            stored, data = encode_for_storage(event)
            encoded.append(data)
            summary = update_summary(summary, stored)
        if batch:
            summary = msgspec.structs.replace(summary, events=batch[-1].seq, updated=batch[-1].at)
        last = await self._lease.append(self._durable_seq + 1, encoded, summary)
        self._transient_error = None
        if last != self._durable_seq + len(batch):
            self._needs_restore = True
            return
        self._summary = summary
        self._durable_seq = last
        self._unsent_bytes -= sum(map(memory_size, batch))

    async def _restore(self) -> None:
        """Find out what Redis still has and continue after that; the rest is written again."""
        try:
            newest = await self._lease.restore(self._summary)
        except DebateError as error:
            self._final_error = error
            return
        last = newest.seq if newest else 0
        if last < self._recent_after:
            self._final_error = DebateError(
                f"Redis lost events {last + 1} to {self._recent_after} of the debate {self._lease.debate}.",
                _UNRECORDED_HINT,
            )
        elif newest and not self._matches_recent(newest):
            self._final_error = TakenOverError(
                f"Another process has taken over the debate {self._lease.debate}.",
                "It ends here. Watch it there.",
            )
        else:
            self._durable_seq = last
            self._unsent_bytes = sum(map(memory_size, self._recent[last - self._recent_after :]))
            self._needs_restore = False

    def _matches_recent(self, entry: StreamEntry) -> bool:
        position = entry.seq - self._recent_after
        return position == 0 or (
            position <= len(self._recent) and encode_for_storage(self._recent[position - 1])[1] == entry.data
        )

    def _resolve_flushes(self, *, written: bool) -> None:
        waiters, self._flush_waiters = self._flush_waiters, []
        for done in waiters:
            if not done.done():
                done.set_result(written)


async def _wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set or the time is up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
