"""The log of a debate held here and kept in Redis."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from typing import TYPE_CHECKING, Final

import msgspec
from redis.exceptions import RedisError

from debate_tui.domain.errors import DebateError
from debate_tui.record.log import BATCH, LocalLog, TakenOver
from debate_tui.record.redis.client import event_of
from debate_tui.record.storing import BACKLOG, storable, weight
from debate_tui.record.summary import advance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.redis.client import Entry
    from debate_tui.record.redis.lease import Lease
    from debate_tui.record.summary import Summary

GATHER_S: Final = 0.01
"""How long the first event of a batch waits for others: far below the 100 ms the log has."""

RETRY_S: Final = 1.0
"""How long to wait before asking a Redis that was away or refused."""

CLOSING_S: Final = 3.0
"""How long a log that is being closed waits for a Redis that is away."""

KEPT: Final = 16 * 2**20
"""Bytes of acknowledged events, roughly, that are kept in memory to put back what Redis may lose."""

AT_ONCE: Final = 1000
"""Events that are sent together at most: what Redis does with them keeps all others waiting."""


class RedisLog(LocalLog):
    """A debate's log in the Redis of a `RedisStore`, which makes these.

    Every event is with Redis within 100 ms, where Redis answers within some 80 ms. Where it is slow, full
    or away, the debate goes on: `on_trouble` is called once, on the loop's thread; events wait in memory
    (up to 64 MiB) and are written when that becomes possible again, together with what Redis had
    acknowledged and lost (the last 16 MiB at least). Where that is not enough, or somebody else took the
    debate over (`TakenOver`), the record ends for good, and `on_trouble` is told that as well.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        last: Event | None,
        summary: Summary,
        clock: Callable[[], float],
        on_trouble: Callable[[DebateError], None],
    ) -> None:
        super().__init__(last, clock=clock)
        self.on_closed: Callable[[RedisLog], None] = lambda _: None
        self._lease = lease
        self._summary = summary
        self._on_trouble = on_trouble
        self._trouble: DebateError | None = None
        self._told = False
        self._end: DebateError | None = None
        self._unsure = False
        self._durable = self.seq
        self._kept: list[Event] = []
        self._kept_after = self.seq
        self._kept_weight = 0
        self._unsent_weight = 0
        self._stirred = asyncio.Event()
        self._hurried = asyncio.Event()
        self._rounds: list[asyncio.Future[bool]] = []
        self._writer = asyncio.create_task(self._run(), name=f"record {lease.debate}")

    @property
    def epoch(self) -> str:
        """See `WatchedLog.epoch`."""
        return self._lease.epoch

    @property
    def durable(self) -> int:
        """See `RecordedLog.durable`; falls for a while where Redis lost what it had acknowledged."""
        return self._durable

    @property
    def trouble(self) -> DebateError | None:
        """See `RecordedLog.trouble`."""
        return self._end or self._trouble

    @property
    def lost(self) -> bool:
        """See `RecordedLog.lost`."""
        return self._end is not None

    async def read(self, after: int = 0, limit: int = BATCH) -> Sequence[Event]:
        """See `ReadableLog.read`; raises `DebateError` where Redis cannot be asked, or lost it."""
        if after >= self._kept_after:
            start = after - self._kept_after
            return self._kept[start : start + limit]
        link = self._lease.link
        with link.explained():
            entries = await link.entries(self._lease.debate, after, min(limit, self._kept_after - after))
        if not entries or entries[0].seq != after + 1:
            raise DebateError(f"the events behind {after} of this debate are no longer in Redis")
        return [event_of(entry.data) for entry in entries]

    async def flush(self) -> None:
        """See `RecordedLog.flush`."""
        target = self.seq
        while self._durable < target and not self._writer.done():
            written = asyncio.get_running_loop().create_future()
            self._rounds.append(written)
            self._hurry()
            if not await written:
                break
        if self._durable < target and isinstance(self._end, TakenOver):
            raise self._end

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; others may continue the debate then."""
        await super().aclose()
        self._hurry()
        await asyncio.wait({self._writer})
        self.on_closed(self)
        if not self._writer.cancelled():
            self._writer.result()

    def _keep(self, event: Event) -> None:
        self._kept.append(event)
        size = weight(event)
        self._kept_weight += size
        self._unsent_weight += size
        if self._unsent_weight > BACKLOG and not self._end:
            self._end = DebateError(
                f"the record ends at event {self._durable}: Redis did not keep up",
                "the debate goes on unrecorded; export it before leaving",
            )
            self._hurry()
        self._trim()
        self._stirred.set()

    def _trim(self) -> None:
        """Forget events that Redis has, but for the newest; all but the newest once it takes no more."""
        if self._kept_weight < 2 * KEPT:
            return
        newest, spare = self.seq if self._end else self._durable, 0
        for event in self._kept:
            if self._kept_weight <= KEPT or event.seq > newest:
                break
            self._kept_weight -= weight(event)
            spare += 1
        del self._kept[:spare]
        self._kept_after += spare

    @property
    def _done(self) -> bool:
        return self._durable == self.seq and not self._unsure

    def _hurry(self) -> None:
        self._stirred.set()
        self._hurried.set()

    async def _run(self) -> None:
        """The one task that writes: what comes within 10 ms, or while the last batch is under way."""
        deadline = math.inf
        try:
            while not self._end and not (self._closed and self._done):
                await self._due()
                if self._closed:
                    deadline = min(deadline, time.monotonic() + CLOSING_S)
                await self._round()
                if self._trouble and time.monotonic() > deadline:
                    return
            if self._end:
                self._on_trouble(self._end)
            else:
                with contextlib.suppress(RedisError, OSError):
                    await self._lease.release()
        finally:
            self._settle(written=False)

    async def _due(self) -> None:
        """Wait until there is something to do, if it is only to renew the lease."""
        if self._trouble:
            await _either(self._hurried, RETRY_S)
        else:
            if self._done:
                await _either(self._stirred, self._lease.terms.lease_s / 3)
            if self._durable < self.seq < self._durable + AT_ONCE:
                await _either(self._hurried, GATHER_S)
        self._stirred.clear()
        self._hurried.clear()

    async def _round(self) -> None:
        try:
            if self._unsure:
                await self._restore()
            if not self._end:
                await self._send()
        except (RedisError, OSError) as error:
            self._unsure = True
            trouble = self._lease.link.explain(error)
            self._trouble = DebateError(
                trouble.message, f"{trouble.hint}; the debate goes on, and is written when that works again"
            )
            await self._lease.link.forget()
            if not self._told:
                self._told = True
                self._on_trouble(self._trouble)
        self._settle(written=not self._trouble)

    async def _send(self) -> None:
        start = self._durable - self._kept_after
        batch = self._kept[start : start + AT_ONCE]
        encoded, summary = [], self._summary
        for event in batch:
            stored, data = storable(event)
            encoded.append(data)
            summary = advance(summary, stored)
        if batch:
            summary = msgspec.structs.replace(summary, events=batch[-1].seq, updated=batch[-1].at)
        last = await self._lease.append(self._durable + 1, encoded, summary)
        self._trouble = None
        if last != self._durable + len(batch):
            self._unsure = True
            return
        self._summary = summary
        self._durable = last
        self._unsent_weight -= sum(map(weight, batch))

    async def _restore(self) -> None:
        """Find out what Redis still has, and go on behind that: the rest is written again."""
        try:
            newest = await self._lease.restore(self._summary)
        except DebateError as error:
            self._end = error
            return
        last = newest.seq if newest else 0
        if last < self._kept_after:
            self._end = DebateError(
                f"Redis lost events {last + 1} to {self._kept_after} of the debate {self._lease.debate}",
                "the debate goes on unrecorded; export it before leaving",
            )
        elif newest and not self._is_ours(newest):
            self._end = TakenOver(
                f"another process continued the debate {self._lease.debate}", "it ends here; watch it there"
            )
        else:
            self._durable = last
            self._unsent_weight = sum(map(weight, self._kept[last - self._kept_after :]))
            self._unsure = False

    def _is_ours(self, entry: Entry) -> bool:
        place = entry.seq - self._kept_after
        return place == 0 or (place <= len(self._kept) and storable(self._kept[place - 1])[1] == entry.data)

    def _settle(self, *, written: bool) -> None:
        rounds, self._rounds = self._rounds, []
        for done in rounds:
            if not done.done():
                done.set_result(written)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Return once the event is set, or the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
