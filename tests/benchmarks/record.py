"""What recording costs, and how soon events are durable: ``python -m tests.benchmarks.record``.

The last part kills a recording process again and again, and says how old the newest lost event was.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.record.log import MemoryLog
from debate_tui.record.sqlite_log import read_events
from debate_tui.record.stores import SqliteStore
from tests.sample_debates import opening_events, turn_deltas

if TYPE_CHECKING:
    from debate_tui.record.log import DebateLog

SECONDS = 5.0
KILLS = 10


async def pace(log: DebateLog, rate: int) -> int:
    """Append words at `rate` a second for a while; returns how many."""
    for event in opening_events():
        log.append(event)
    words, said, begin = turn_deltas(), 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < SECONDS:
        for _ in range(int(elapsed * rate) - said):
            log.append(next(words))
            said += 1
        await asyncio.sleep(0.002)
    return said


async def watch(log: DebateLog, ages: list[float]) -> None:
    """Note how old the oldest event that is not durable yet is, every few milliseconds."""
    appended: dict[int, float] = {}
    log.subscribe(lambda event: appended.__setitem__(event.seq, time.perf_counter()))
    while True:
        if since := appended.get(getattr(log, "durable_seq", log.seq) + 1):
            ages.append(time.perf_counter() - since)
        await asyncio.sleep(0.001)


async def compare_with_memory(kind: str, durable: DebateLog, rate: int) -> None:
    """One log in memory and one that lasts at the same rate: the difference is what recording costs."""
    for name, log in (("memory", MemoryLog()), (kind, durable)):
        ages: list[float] = []
        watcher = asyncio.create_task(watch(log, ages))
        cpu = time.process_time()
        said = await pace(log, rate)
        cpu = time.process_time() - cpu
        watcher.cancel()
        await log.aclose()
        print(
            f"{name} {said / SECONDS:6.0f} events/s: {cpu / said * 1e6:6.1f} µs an event in all, "
            f"not durable for at most {max(ages, default=0) * 1000:5.1f} ms"
        )


async def measure(folder: Path, rate: int) -> None:
    async with aclosing(SqliteStore(folder / f"{rate}.sqlite")) as store:
        await compare_with_memory("sqlite", await store.create("d1"), rate)


def kill(path: Path, rate: int) -> float:
    """Kill a process that records at `rate`; how old its newest lost event was, in seconds."""
    victim = subprocess.Popen([sys.executable, "-m", __spec__.name, str(path), str(rate)])
    while not path.exists():
        time.sleep(0.01)
    time.sleep(random.uniform(0.5, 1.5))
    victim.kill()
    killed = time.time()
    victim.wait()
    events = read_events(path, "d1")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return killed - events[-1].at


async def record(path: Path, rate: int) -> None:
    """What the killed process does."""
    async with aclosing(SqliteStore(path)) as store:
        log = await store.create("d1")
        while True:
            await pace(log, rate)


def main() -> None:
    """Print everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rate in (200, 3000, 12_000):
            asyncio.run(measure(folder, rate))
        ages = [kill(folder / f"kill-{n}.sqlite", 12_000) for n in range(KILLS)]
        print(f"killed {KILLS} times at 12000 events/s: lost at most the last {max(ages) * 1000:.0f} ms")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(record(Path(sys.argv[1]), int(sys.argv[2])))
    else:
        main()
