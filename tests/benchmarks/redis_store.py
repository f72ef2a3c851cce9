"""What keeping and watching a debate in Redis costs: ``python -m tests.benchmarks.redis_store``.

A real redis-server with an append-only file, on this machine. For each rate: the producer's CPU for an
event, how long events were not durable, and how long after it was appended another store's reader had each.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from urllib.parse import urlsplit

from debate_tui.record.redis.store import RedisStore
from tests.benchmarks.record import compare_with_memory, pace
from tests.benchmarks.report import percentile
from tests.fakes.redis_server import RedisServer

FOLLOWERS = 100


async def follow_elsewhere(store: RedisStore, elsewhere: RedisStore, rate: int) -> None:
    """One reader feeding many followers; how old events are when the reader has them."""
    log = await store.create(f"w{rate}")
    watched = await elsewhere.watch(f"w{rate}")
    ages: list[float] = []
    watched.subscribe(lambda event: ages.append(time.time() - event.at))

    async def follow() -> int:
        return sum([len(batch) async for batch in watched.follow()])

    followers = [asyncio.create_task(follow()) for _ in range(FOLLOWERS)]
    said = await pace(log, rate)
    await log.flush()
    while len(ages) < said:
        await asyncio.sleep(0.01)
    await watched.aclose()
    counts = {await follower for follower in followers}
    await log.aclose()
    print(
        f"watch  {said / 5:8.0f} events/s, {FOLLOWERS} followers: ms old at p50, p99, and at most:"
        f" {percentile(ages, 50) * 1000:.1f} {percentile(ages, 99) * 1000:.1f} {max(ages) * 1000:.1f};"
        f" each got {counts}"
    )


async def main() -> None:
    """Print everything."""
    with RedisServer("--appendonly", "yes", "--appendfsync", "everysec") as server:
        url = urlsplit(server.url)
        async with aclosing(RedisStore(url)) as store, aclosing(RedisStore(url)) as elsewhere:
            for rate in (200, 3000, 12_000):
                await compare_with_memory("redis", await store.create(f"p{rate}"), rate)
                await follow_elsewhere(store, elsewhere, rate)
        memory = server.admin.memory_usage("debate-tui:{p12000}:events", samples=0)
        print(f"{memory / server.admin.xlen('debate-tui:{p12000}:events'):.0f} bytes an event in Redis")


if __name__ == "__main__":
    asyncio.run(main())
