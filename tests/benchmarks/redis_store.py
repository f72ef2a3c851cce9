"""What keeping and watching a debate in Redis costs: ``python -m tests.benchmarks.redis_store``.

A real redis-server with an append-only file, on this machine. For each rate: the producer's CPU for an
event, how long events were not durable, and how long after it was appended another store's reader had each.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from urllib.parse import urlsplit

from debate_tui.record.log import MemoryLog
from debate_tui.record.redis.store import RedisStore
from tests.benchmarks.record import pace, watch
from tests.fakes.redis_server import RedisServer

FOLLOWERS = 100


def percentile(sorted_values: list[float], part: float) -> float:
    """The value below which that part of them lies."""
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]


async def produce(store: RedisStore, rate: int) -> None:
    """A log in memory and one in Redis at the same rate: the difference is what recording costs."""
    for name, log in (("memory", MemoryLog()), ("redis", await store.create(f"p{rate}"))):
        ages: list[float] = []
        watcher = asyncio.create_task(watch(log, ages))
        cpu = time.process_time()
        said = await pace(log, rate)
        cpu = time.process_time() - cpu
        watcher.cancel()
        await log.aclose()
        print(
            f"{name:6} {said / 5:8.0f} events/s: {cpu / said * 1e6:6.1f} µs an event in all, "
            f"not durable for at most {max(ages, default=0) * 1000:5.1f} ms"
        )


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
    ages.sort()
    print(
        f"watch  {said / 5:8.0f} events/s, {FOLLOWERS} followers: ms old at p50, p99, and at most:"
        f" {' '.join(f'{percentile(ages, part) * 1000:.1f}' for part in (0.5, 0.99, 1.0))}; each got {counts}"
    )


async def main() -> None:
    """Print everything."""
    with RedisServer("--appendonly", "yes", "--appendfsync", "everysec") as server:
        url = urlsplit(server.url)
        async with aclosing(RedisStore(url)) as store, aclosing(RedisStore(url)) as elsewhere:
            for rate in (200, 3000, 12_000):
                await produce(store, rate)
                await follow_elsewhere(store, elsewhere, rate)
        memory = server.admin.memory_usage("debate-tui:{p12000}:events", samples=0)
        print(f"{memory / server.admin.xlen('debate-tui:{p12000}:events'):.0f} bytes an event in Redis")


if __name__ == "__main__":
    asyncio.run(main())
