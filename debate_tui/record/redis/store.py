"""All debates of a Redis server."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, cast

from debate_tui.domain.errors import UsageError
from debate_tui.record.redis.client import INDEX, Link, event_of, keys, option, summary_of
from debate_tui.record.redis.lease import Lease, Terms
from debate_tui.record.redis.log import RedisLog
from debate_tui.record.redis.tail import Tail
from debate_tui.record.summary import Summary, pick

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from urllib.parse import SplitResult

    from debate_tui.domain.errors import DebateError

TTL_S: Final = 7 * 86_400
"""How long a debate is kept after its last event."""

LEASE_S: Final = 10.0
"""How long after its last sign of life a producer keeps its debate: another may take it over then."""


class RedisStore:
    """A `DebateStore` in Redis; nothing is connected before the first call.

    `url` is as in `Link`; its option ``ttl`` says for how many seconds a debate is kept after its last
    event, 0 for good. All its calls belong to one event loop.
    """

    def __init__(self, url: SplitResult, *, lease_s: float = LEASE_S) -> None:
        ttl, url = option(url, "ttl")
        if ttl and not ttl.isdecimal():
            raise UsageError("the time to keep debates is not a number of seconds", "write ?ttl=604800")
        self._link = Link(url)
        self._terms = Terms(lease_s, int(ttl) if ttl else TTL_S)
        self._logs: set[RedisLog] = set()
        self._tails: dict[str, Tail] = {}
        self._opening = asyncio.Lock()

    async def create(
        self,
        debate: str,
        *,
        setup: str = "",
        clock: Callable[[], float] = time.time,
        on_trouble: Callable[[DebateError], None] = lambda _: None,
    ) -> RedisLog:
        """See `DebateStore.create`; raises `UsageError` if there is a debate of this id."""
        with self._link.explained():
            lease = await Lease.create(self._link, debate, self._terms, setup=setup, started=clock())
        return self._log(
            RedisLog(lease, last=None, summary=Summary(debate), clock=clock, on_trouble=on_trouble)
        )

    async def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_trouble: Callable[[DebateError], None] = lambda _: None,
    ) -> RedisLog:
        """See `DebateStore.resume`; raises `DebateError` while somebody holds the debate."""
        with self._link.explained():
            lease, summary, newest = await Lease.take_over(self._link, debate, self._terms)
        last = event_of(newest) if newest else None
        return self._log(RedisLog(lease, last=last, summary=summary, clock=clock, on_trouble=on_trouble))

    async def watch(self, debate: str) -> Tail:
        """See `DebateStore.watch`; all who watch a debate here share a reader."""
        async with self._opening:
            tail = self._tails.get(debate)
            if tail is None:
                tail = Tail(self._link, debate, self._forget)
                with self._link.explained():
                    await tail.start()
                self._tails[debate] = tail
            tail.opened += 1
        return tail

    async def debates(self, words: str = "") -> list[Summary]:
        """See `DebateStore.debates`."""
        return [summary for summary in await self._summaries() if summary.matches(words)]

    async def find(self, debate: str = "") -> Summary:
        """See `DebateStore.find`."""
        with self._link.explained():
            exact = await self._head(debate, "summary")
        found = [summary] if exact and (summary := summary_of(exact)).events else await self._summaries()
        return pick(found, debate)

    async def setup(self, debate: str) -> str:
        """See `DebateStore.setup`."""
        with self._link.explained():
            setup = await self._head(debate, "setup")
        return setup.decode() if setup else ""

    async def delete(self, *debates: str) -> int:
        """See `DebateStore.delete`; whoever holds one of them is told."""
        gone = 0
        with self._link.explained():
            for debate in debates:
                events, head, lease = keys(debate)
                async with self._link.client.pipeline() as all_of_it:
                    all_of_it.exists(head)
                    all_of_it.delete(events, head, lease)
                    all_of_it.zrem(INDEX, debate)
                    existed, *_ = await all_of_it.execute()
                gone += existed
        return gone

    async def aclose(self) -> None:
        """See `DebateStore.aclose`."""
        await asyncio.gather(*(log.aclose() for log in tuple(self._logs)))
        for tail in list(self._tails.values()):
            tail.opened = 0
            await tail.aclose()
        with self._link.explained():
            await self._link.client.aclose()

    def _log(self, log: RedisLog) -> RedisLog:
        """Remember a log for as long as it writes."""
        self._logs.add(log)
        log.on_closed = self._logs.discard
        return log

    def _forget(self, tail: Tail) -> None:
        if self._tails.get(tail.debate) is tail:
            del self._tails[tail.debate]

    def _head(self, debate: str, field: str) -> Awaitable[bytes | None]:
        _, head, _ = keys(debate)
        return cast("Awaitable[bytes | None]", self._link.client.hget(head, field))

    async def _summaries(self) -> list[Summary]:
        """All debates with events, newest first; those that have expired are taken off the list."""
        with self._link.explained():
            listed = cast("list[bytes]", await self._link.client.zrevrange(INDEX, 0, -1))
            names = [name.decode() for name in listed]
            async with self._link.client.pipeline(transaction=False) as each:
                for name in names:
                    _, head, _ = keys(name)
                    each.hget(head, "summary")
                found = dict(zip(names, await each.execute(), strict=True))
            if expired := [name for name, summary in found.items() if summary is None]:
                await self._link.client.zrem(INDEX, *expired)
        summaries = [summary_of(summary) for summary in found.values() if summary]
        return [summary for summary in summaries if summary.events]
