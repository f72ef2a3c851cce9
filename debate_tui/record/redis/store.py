"""All debates of a Redis server."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, cast

from debate_tui.domain.errors import UsageError
from debate_tui.record.redis.client import (
    INDEX_KEY,
    RedisConnection,
    debate_keys,
    decode_event,
    decode_summary,
    pop_query_option,
)
from debate_tui.record.redis.lease import Lease, LeaseTerms
from debate_tui.record.redis.log import RedisLog
from debate_tui.record.redis.tail import RedisTail
from debate_tui.record.summary import DebateSummary, find_summary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from urllib.parse import SplitResult

    from debate_tui.domain.errors import DebateError

DEFAULT_TTL_S: Final = 7 * 86_400
"""How long a debate is kept after its last event."""

LEASE_S: Final = 10.0
"""How long after its last sign of life a producer keeps its debate: another may take it over then."""


class RedisStore:
    """A `DebateStore` in Redis; nothing is connected before the first call.

    `url` is as in `RedisConnection`; its option ``ttl`` says for how many seconds a debate is kept after its
    last event, 0 for good. All its calls belong to one event loop.
    """

    def __init__(self, url: SplitResult, *, lease_s: float = LEASE_S) -> None:
        ttl, url = pop_query_option(url, "ttl")
        if ttl and not ttl.isdecimal():
            raise UsageError("the time to keep debates is not a number of seconds", "write ?ttl=604800")
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
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> RedisLog:
        """See `DebateStore.create`; raises `UsageError` if there is a debate of this id."""
        with self._connection.translate_errors():
            lease = await Lease.create(self._connection, debate, self._terms, setup=setup, started=clock())
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
        """See `DebateStore.resume`; raises `DebateError` while somebody holds the debate."""
        with self._connection.translate_errors():
            lease, summary, newest = await Lease.take_over(self._connection, debate, self._terms)
        last = decode_event(newest) if newest else None
        return self._track(
            RedisLog(lease, last=last, summary=summary, clock=clock, on_write_error=on_write_error)
        )

    async def watch(self, debate: str) -> RedisTail:
        """See `DebateStore.watch`; all who watch a debate here share a reader."""
        async with self._open_lock:
            tail = self._tails.get(debate)
            if tail is None:
                tail = RedisTail(self._connection, debate, self._drop_tail)
                with self._connection.translate_errors():
                    await tail.start()
                self._tails[debate] = tail
            tail.open_count += 1
        return tail

    async def debates(self, words: str = "") -> list[DebateSummary]:
        """See `DebateStore.debates`."""
        return [summary for summary in await self._summaries() if summary.matches(words)]

    async def find(self, debate: str = "") -> DebateSummary:
        """See `DebateStore.find`."""
        with self._connection.translate_errors():
            exact = await self._get_head_field(debate, "summary")
        found = [summary] if exact and (summary := decode_summary(exact)).events else await self._summaries()
        return find_summary(found, debate)

    async def setup(self, debate: str) -> str:
        """See `DebateStore.setup`."""
        with self._connection.translate_errors():
            setup = await self._get_head_field(debate, "setup")
        return setup.decode() if setup else ""

    async def delete(self, *debates: str) -> int:
        """See `DebateStore.delete`; whoever holds one of them is told."""
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
        """See `DebateStore.aclose`."""
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
        """All debates with events, newest first; those that have expired are taken off the list."""
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
