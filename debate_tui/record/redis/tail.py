"""A debate in Redis as those see it who only watch: one reader for all of this process."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Final, cast

from redis.exceptions import RedisError

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateFinished
from debate_tui.record.log import BATCH, Broadcast, EpochChanged
from debate_tui.record.redis.client import entries, event_of, keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.redis.client import Entry, Link

TAIL: Final = 4096
"""Events kept in memory, so that followers who keep up never ask Redis."""

BLOCK_MS: Final = 1000
"""How long Redis holds a read that finds nothing; after that it is asked whether the debate still exists."""

RETRY_S: Final = 1.0
"""How long to wait before asking a Redis that was away."""

GONE_S: Final = 30.0
"""How long a debate may be missing: a producer puts back what Redis lost once it notices."""


class Tail(Broadcast):
    """The events of a debate as Redis gets them, whoever appends them.

    While Redis is away nothing comes, and followers wait. Where the history becomes another one, those
    who follow it get `EpochChanged`; `seq`, `read` and new followers are the new history's from then on.
    Where the debate is deleted or expires they get `DebateError`.
    """

    def __init__(self, link: Link, debate: str, on_end: Callable[[Tail], None]) -> None:
        super().__init__()
        self.opened = 0
        self._link = link
        self.debate = debate
        self._on_end = on_end
        self._epoch = ""
        self._last: Event | None = None
        self._recent: list[Event] = []
        self._recent_after = 0
        self._failure: DebateError | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        """See `WatchedLog.epoch`."""
        return self._epoch

    @property
    def seq(self) -> int:
        """See `Broadcast.seq`."""
        return self._recent_after + len(self._recent)

    @property
    def over(self) -> bool:
        """See `Broadcast.over`; events behind the end take the debate up again."""
        return isinstance(self._last, DebateFinished)

    async def start(self) -> None:
        """Look at what there is and go on reading; raises redis-py's errors, and `DebateError`."""
        if not await self._adopt():
            raise self._gone()
        self._reader = asyncio.create_task(self._run(), name=f"watch {self.debate}")

    async def read(self, after: int = 0, limit: int = BATCH) -> Sequence[Event]:
        """See `ReadableLog.read`; raises `DebateError` where Redis cannot be asked, or has it no more."""
        with self._link.explained():
            events = await self._there(after, limit)
        if not events and after < self.seq:
            raise self._missing(after)
        return events

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """See `WatchedLog.follow`."""
        epoch = self._epoch
        while self._epoch == epoch and not self._failure:
            if after < self.seq:
                batch = await self._recalled(after, epoch)
                if batch and self._epoch == epoch:
                    after = batch[-1].seq
                    yield batch
            elif self.over or self._closed:
                return
            else:
                await self._news()
        raise self._failure or EpochChanged(f"the history of the debate {self.debate} has changed")

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; the reader stops with the last of those who watch here."""
        self.opened -= 1
        if self.opened > 0 or self._closed:
            return
        await super().aclose()
        self._on_end(self)
        if self._reader:
            self._reader.cancel()
            await asyncio.wait({self._reader})

    async def _there(self, after: int, limit: int) -> Sequence[Event]:
        """The events behind a position; none also where they are missing."""
        if after >= self._recent_after:
            start = after - self._recent_after
            return self._recent[start : start + limit]
        found = await self._link.entries(self.debate, after, min(limit, self._recent_after - after))
        return [event_of(entry.data) for entry in found] if found and found[0].seq == after + 1 else ()

    async def _recalled(self, after: int, epoch: str) -> Sequence[Event]:
        """The events behind a position once they can be read; none if they are not to come any more."""
        deadline = time.monotonic() + GONE_S
        while after < self.seq and self._epoch == epoch and not self._failure:
            try:
                if events := await self._there(after, BATCH):
                    return events
                if time.monotonic() > deadline:
                    raise self._missing(after)
            except (RedisError, OSError):
                deadline = time.monotonic() + GONE_S
            await asyncio.sleep(RETRY_S)
        return ()

    async def _run(self) -> None:
        """The one task that reads; nothing but the debate's end in Redis ends it."""
        missing_since = math.inf
        # Before Python 3.12 `asyncio.wait_for`, which redis-py sends with, may swallow a cancellation.
        while not self._failure and not self._closed:
            try:
                if await self._proceed():
                    missing_since = math.inf
                    continue
                missing_since = min(missing_since, time.monotonic())
                if time.monotonic() - missing_since > GONE_S:
                    self._fail(self._gone())
            except (RedisError, OSError):
                await self._link.forget()
            except DebateError as error:
                self._fail(error)
            await asyncio.sleep(RETRY_S)

    async def _proceed(self) -> bool:
        """Take what comes next, whatever it is; whether the debate is there."""
        if found := await self._next():
            return self._take(found) or await self._adopt()
        return await self._is_current() or await self._adopt()

    async def _next(self) -> list[Entry]:
        """Wait for entries behind the newest known; none if there were none for a while."""
        events, *_ = keys(self.debate)
        found = await self._link.client.xread({events: f"{self.seq}-0"}, count=BATCH, block=BLOCK_MS)
        return [entry for _, raw in cast("list[tuple[bytes, object]]", found or ()) for entry in entries(raw)]

    def _take(self, found: Sequence[Entry]) -> bool:
        """Publish entries; whether each of them goes on where the one before ended."""
        for entry in found:
            if entry.epoch != self._epoch or entry.seq != self.seq + 1:
                return False
            self._last = event_of(entry.data)
            self._recent.append(self._last)
            if len(self._recent) > 2 * TAIL:
                self._recent_after += TAIL
                del self._recent[:TAIL]
            self._publish(self._last)
        return True

    async def _is_current(self) -> bool:
        _, head, _ = keys(self.debate)
        epoch = await cast("Awaitable[bytes | None]", self._link.client.hget(head, "epoch"))
        return epoch is not None and epoch.decode() == self._epoch

    async def _adopt(self) -> bool:
        """Go on behind the newest entry there is, in whatever epoch; whether the debate is there at all."""
        events, head, _ = keys(self.debate)
        async with self._link.client.pipeline() as both:
            both.hget(head, "epoch")
            both.xrevrange(events, count=1)
            epoch, raw = await both.execute()
        if epoch is None:
            return False
        newest = entries(raw)
        self._last = event_of(newest[0].data) if newest else None
        self._recent_after = newest[0].seq if newest else 0
        self._recent = []
        self._epoch = epoch.decode()
        self._wake()
        return True

    def _fail(self, failure: DebateError) -> None:
        self._failure = failure
        self._on_end(self)
        self._wake()

    def _missing(self, after: int) -> DebateError:
        return DebateError(f"the events behind {after} of the debate {self.debate} are no longer in Redis")

    def _gone(self) -> UsageError:
        return UsageError(f"no debate is called {self.debate!r}", "it was deleted, or has expired")
