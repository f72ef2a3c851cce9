"""All debates of a Redis server."""

from __future__ import annotations

import asyncio
import math
import os
import time
from typing import TYPE_CHECKING, Final, cast

from redis.exceptions import RedisError

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateFinished, TurnDelta
from debate_tui.record.log import BATCH_SIZE, EpochChangedError, ReadableLog
from debate_tui.record.redis.connection import (
    INDEX_KEY,
    SECRET_KEY,
    RedisConnection,
    debate_keys,
    decode_event,
    decode_material,
    decode_summary,
    parse_entries,
    pop_query_option,
)
from debate_tui.record.redis.lease import Lease, LeaseTerms
from debate_tui.record.redis.log import RedisLog
from debate_tui.record.summary import DebateSummary, find_summary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from urllib.parse import SplitResult

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material
    from debate_tui.record.redis.connection import StreamEntry


# Watching a debate in Redis: one reader serves the whole process.


RECENT_EVENTS: Final = 4096
"""Events kept in memory, so that followers that keep up never query Redis."""

BLOCK_MS: Final = 1000
"""Milliseconds that a blocking read waits; then the reader checks whether the debate still exists."""

RETRY_S: Final = 1.0
"""Seconds to wait before querying a Redis that was unreachable."""

MISSING_TIMEOUT_S: Final = 30.0
"""Seconds a debate may be missing: a producer restores what Redis lost once it notices."""


class RedisTail(ReadableLog):
    """The events of a debate as they reach Redis, whichever process appends them.

    While Redis is unreachable, followers wait. If the history is replaced, current followers get
    `EpochChangedError`; `seq`, `read` and new followers then use the new history. If the debate is deleted
    or expires, they get `DebateError`.
    """

    def __init__(
        self,
        connection: RedisConnection,
        debate: str,
        material: Sequence[Material],
        on_end: Callable[[RedisTail], None],
    ) -> None:
        super().__init__(material)
        self.open_count = 0
        self._connection = connection
        self.debate = debate
        self._on_end = on_end
        self._epoch = ""
        self._last: Event | None = None
        self._recent: list[Event] = []
        self._recent_after = 0
        self._failure: DebateError | None = None
        self._reader_task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def seq(self) -> int:
        return self._recent_after + len(self._recent)

    @property
    def over(self) -> bool:
        """See `ReadableLog.over`; events after `debate.finished` reopen the debate."""
        return isinstance(self._last, DebateFinished)

    async def start(self) -> None:
        """Load the current state and start reading; raise redis-py's errors, and `DebateError`."""
        if not await self._reset_to_newest():
            raise self._not_found_error()
        self._reader_task = asyncio.create_task(self._run(), name=f"watch {self.debate}")

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`. Raise `DebateError` if Redis is unavailable or has lost the events."""
        with self._connection.translate_errors():
            events = await self._read_available(after, limit)
        if not events and after < self.seq:
            raise self._missing_events_error(after)
        return events

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        epoch = self._epoch
        while self._epoch == epoch and not self._failure:
            if after < self.seq:
                batch = await self._read_when_available(after, epoch)
                if batch and self._epoch == epoch:
                    after = batch[-1].seq
                    yield batch
            elif self.over or self._closed:
                return
            else:
                await self._wait_for_change()
        raise self._failure or EpochChangedError(f"The history of the debate {self.debate} has changed.")

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; the reader stops when the last viewer in this process closes."""
        self.open_count -= 1
        if self.open_count > 0 or self._closed:
            return
        await super().aclose()
        self._on_end(self)
        if self._reader_task:
            self._reader_task.cancel()
            await asyncio.wait({self._reader_task})

    async def _read_available(self, after: int, limit: int) -> Sequence[Event]:
        """Return up to `limit` events after a position; empty also if they are missing."""
        if after >= self._recent_after:
            start = after - self._recent_after
            return self._recent[start : start + limit]
        found = await self._connection.read_entries(
            self.debate, after, min(limit, self._recent_after - after)
        )
        return [decode_event(entry.data) for entry in found] if found and found[0].seq == after + 1 else ()

    async def _read_when_available(self, after: int, epoch: str) -> Sequence[Event]:
        """Wait until the events after a position can be read; return none if they will never come."""
        deadline = time.monotonic() + MISSING_TIMEOUT_S
        while after < self.seq and self._epoch == epoch and not self._failure:
            try:
                if events := await self._read_available(after, BATCH_SIZE):
                    return events
                if time.monotonic() > deadline:
                    raise self._missing_events_error(after)
            except (RedisError, OSError):
                deadline = time.monotonic() + MISSING_TIMEOUT_S
            await asyncio.sleep(RETRY_S)
        return ()

    async def _run(self) -> None:
        """Run the only task that reads; it ends when the debate is gone from Redis or the log is closed."""
        missing_since = math.inf
        # Before Python 3.12 `asyncio.wait_for`, which redis-py sends with, may swallow a cancellation.
        while not self._failure and not self._closed:
            try:
                if await self._read_next():
                    missing_since = math.inf
                    continue
                missing_since = min(missing_since, time.monotonic())
                if time.monotonic() - missing_since > MISSING_TIMEOUT_S:
                    self._fail(self._not_found_error())
            except (RedisError, OSError):
                await self._connection.close_idle()
            except DebateError as error:
                self._fail(error)
            await asyncio.sleep(RETRY_S)

    async def _read_next(self) -> bool:
        """Process what comes next, whatever it is; return whether the debate exists."""
        if found := await self._wait_for_entries():
            return self._publish_entries(found) or await self._reset_to_newest()
        return await self._is_current() or await self._reset_to_newest()

    async def _wait_for_entries(self) -> list[StreamEntry]:
        """Wait for entries after the newest known one; return none if there were none for a while."""
        events, *_ = debate_keys(self.debate)
        found = await self._connection.client.xread(
            {events: f"{self.seq}-0"}, count=BATCH_SIZE, block=BLOCK_MS
        )
        return [
            entry
            for _, raw in cast("list[tuple[bytes, object]]", found or ())
            for entry in parse_entries(raw)
        ]

    def _publish_entries(self, found: Sequence[StreamEntry]) -> bool:
        """Publish entries; return whether each continues where the one before it ended."""
        for entry in found:
            if entry.epoch != self._epoch or entry.seq != self.seq + 1:
                return False
            self._last = decode_event(entry.data)
            self._recent.append(self._last)
            if len(self._recent) > 2 * RECENT_EVENTS:
                self._recent_after += RECENT_EVENTS
                del self._recent[:RECENT_EVENTS]
            self._publish(self._last)
        return True

    async def _is_current(self) -> bool:
        _, head, _ = debate_keys(self.debate)
        epoch = await cast("Awaitable[bytes | None]", self._connection.client.hget(head, "epoch"))
        return epoch is not None and epoch.decode() == self._epoch

    async def _reset_to_newest(self) -> bool:
        """Continue after the newest entry, in whatever epoch; return whether the debate exists."""
        events, head, _ = debate_keys(self.debate)
        async with self._connection.client.pipeline() as pipeline:
            pipeline.hget(head, "epoch")
            pipeline.xrevrange(events, count=1)
            epoch, raw = await pipeline.execute()
        if epoch is None:
            return False
        newest = parse_entries(raw)
        self._last = decode_event(newest[0].data) if newest else None
        self._recent_after = newest[0].seq if newest else 0
        self._recent = []
        self._epoch = epoch.decode()
        self._wake()
        return True

    def _fail(self, failure: DebateError) -> None:
        self._failure = failure
        self._on_end(self)
        self._wake()

    def _missing_events_error(self, after: int) -> DebateError:
        return DebateError(f"Events after {after} of the debate {self.debate} are no longer in Redis.")

    def _not_found_error(self) -> UsageError:
        return UsageError(f"No debate has the id '{self.debate}'.", "It was deleted, or has expired.")


DEFAULT_TTL_S: Final = 7 * 86_400
"""Seconds to keep a debate after its last event."""

LEASE_S: Final = 10.0
"""Seconds after its last renewal that a producer keeps its debate; then another may take over."""


class RedisStore:
    """A `DebateStore` in Redis; nothing is connected before the first call.

    `url` is as in `RedisConnection`. Its option ``ttl`` sets how many seconds a debate is kept after its
    last event, 0 for good. All calls must be made on the same event loop.
    """

    def __init__(self, url: SplitResult, *, lease_s: float = LEASE_S) -> None:
        ttl, url = pop_query_option(url, "ttl")
        if ttl and not ttl.isdecimal():
            raise UsageError("'ttl' is not a number of seconds.", "Write ?ttl=604800 for 7 days.")
        self._connection = RedisConnection(url)
        self._terms = LeaseTerms(lease_s, int(ttl) if ttl else DEFAULT_TTL_S)
        self._logs: set[RedisLog] = set()
        self._tails: dict[str, RedisTail] = {}
        self._open_lock = asyncio.Lock()

    async def create(
        self,
        debate: str,
        *,
        setup: str = "",
        material: Sequence[Material] = (),
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> RedisLog:
        """See `DebateStore.create`. Raise `UsageError` if the id is taken."""
        with self._connection.translate_errors():
            lease = await Lease.create(
                self._connection, debate, self._terms, setup=setup, material=material, started=clock()
            )
        return self._track(
            RedisLog(
                lease, last=None, summary=DebateSummary(debate), clock=clock, on_write_error=on_write_error
            )
        )

    async def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> RedisLog:
        """See `DebateStore.resume`. Raise `DebateError` while another process holds the debate."""
        with self._connection.translate_errors():
            lease, summary, newest = await Lease.take_over(self._connection, debate, self._terms)
        last = decode_event(newest) if newest else None
        return self._track(
            RedisLog(lease, last=last, summary=summary, clock=clock, on_write_error=on_write_error)
        )

    async def watch(self, debate: str) -> RedisTail:
        """See `DebateStore.watch`; all viewers of a debate in this process share a reader."""
        async with self._open_lock:
            tail = self._tails.get(debate)
            if tail is None:
                material = await self.material(debate)
                tail = RedisTail(self._connection, debate, material, self._drop_tail)
                with self._connection.translate_errors():
                    await tail.start()
                self._tails[debate] = tail
            tail.open_count += 1
        return tail

    async def debates(self, words: str = "") -> list[DebateSummary]:
        return [summary for summary in await self._summaries() if summary.matches(words)]

    async def find(self, debate: str = "") -> DebateSummary:
        with self._connection.translate_errors():
            exact = await self._get_head_field(debate, "summary")
        found = [summary] if exact and (summary := decode_summary(exact)).events else await self._summaries()
        return find_summary(found, debate)

    async def events(self, debate: str, *, deltas: bool = True) -> list[Event]:
        events: list[Event] = []
        with self._connection.translate_errors():
            while entries := await self._connection.read_entries(debate, len(events), BATCH_SIZE):
                events += [decode_event(entry.data) for entry in entries]
        return events if deltas else [event for event in events if not isinstance(event, TurnDelta)]

    async def setup(self, debate: str) -> str:
        with self._connection.translate_errors():
            setup = await self._get_head_field(debate, "setup")
        return setup.decode() if setup else ""

    async def material(self, debate: str) -> tuple[Material, ...]:
        with self._connection.translate_errors():
            return decode_material(await self._get_head_field(debate, "material") or b"")

    async def secret(self) -> bytes:
        with self._connection.translate_errors():
            await self._connection.client.set(SECRET_KEY, os.urandom(32), nx=True)
            found = cast("bytes | None", await self._connection.client.get(SECRET_KEY))
        return found or os.urandom(32)

    async def delete(self, *debates: str) -> int:
        """See `DebateStore.delete`; a process that holds one of the debates gets an error."""
        deleted = 0
        with self._connection.translate_errors():
            for debate in debates:
                events, head, lease = debate_keys(debate)
                async with self._connection.client.pipeline() as pipeline:
                    pipeline.exists(head)
                    pipeline.delete(events, head, lease)
                    pipeline.zrem(INDEX_KEY, debate)
                    existed, *_ = await pipeline.execute()
                deleted += existed
        return deleted

    async def aclose(self) -> None:
        await asyncio.gather(*(log.aclose() for log in tuple(self._logs)))
        for tail in list(self._tails.values()):
            tail.open_count = 0
            await tail.aclose()
        with self._connection.translate_errors():
            await self._connection.client.aclose()

    def _track(self, log: RedisLog) -> RedisLog:
        """Remember a log for as long as it writes."""
        self._logs.add(log)
        log.on_closed = self._logs.discard
        return log

    def _drop_tail(self, tail: RedisTail) -> None:
        if self._tails.get(tail.debate) is tail:
            del self._tails[tail.debate]

    def _get_head_field(self, debate: str, field: str) -> Awaitable[bytes | None]:
        _, head, _ = debate_keys(debate)
        return cast("Awaitable[bytes | None]", self._connection.client.hget(head, field))

    async def _summaries(self) -> list[DebateSummary]:
        """Return all debates with events, newest first; remove expired ones from the index."""
        with self._connection.translate_errors():
            listed = cast("list[bytes]", await self._connection.client.zrevrange(INDEX_KEY, 0, -1))
            names = [name.decode() for name in listed]
            async with self._connection.client.pipeline(transaction=False) as pipeline:
                for name in names:
                    _, head, _ = debate_keys(name)
                    pipeline.hget(head, "summary")
                found = dict(zip(names, await pipeline.execute(), strict=True))
            if expired := [name for name, summary in found.items() if summary is None]:
                await self._connection.client.zrem(INDEX_KEY, *expired)
        summaries = [decode_summary(summary) for summary in found.values() if summary]
        return [summary for summary in summaries if summary.events]
