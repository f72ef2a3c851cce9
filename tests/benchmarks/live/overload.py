"""More than the machine can take, whatever machine it is: the load is found first, and then doubled."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.benchmarks.live.run import run
from tests.benchmarks.live.sender import Load
from tests.benchmarks.report import Figure, at_least, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.live.run import LoadResult

MODE = "hybrid"
SEARCH, BRIEF, LONG = 12.0, 12.0, 32.0
"""Seconds of a load; two of them are not measured."""
KEEPS_UP = 0.2
"""The lag, in seconds, below which the program keeps up with a load."""
LOWEST, HIGHEST = 125.0, 16_000.0
"""Deltas a second of each stream, between which the highest rate is looked for."""
PRECISION = 1.15
SEND_BUFFER = 1 << 13
"""Bytes the sender's system keeps; whatever else was sent is with the program, or not sent at all."""
MAX_LAG = 3.0
"""Seconds of the load that may be on their way."""
GROWTH = 1.25
"""How much more lag there may be after thirty seconds than after ten: chance aside, it does not grow."""
BUSY_LOOPS = 2


def figures(size: str) -> Iterator[Figure]:
    """Twice the highest rate at which text is not late; and that rate beside two busy loops."""
    highest = highest_rate(size)
    yield Figure(
        "highest rate with a lag below 200 ms, deltas/s of each of 4", f"{highest:,.0f}", "–", met=True
    )
    load = f"4 × {2 * highest:,.0f} deltas/s, twice that"
    brief, long = (overload(2 * highest, seconds, size) for seconds in (BRIEF, LONG))
    yield at_most(f"key p95, {load}", long.key(95), 100, "{:.0f} ms")
    yield at_most(f"key p99, {load}", long.key(99), 200, "{:.0f} ms")
    yield at_least(f"frames a second, {load}", len(long.frames) / long.seconds, 5, "{:.1f}")
    yield at_most(f"lag after 30 s, {load}", long.lag, MAX_LAG, "{:.2f} s")
    yield at_most(
        f"lag after 30 s beside that after 10 s ({brief.lag:.2f} s), {load}",
        long.lag / max(brief.lag, KEEPS_UP),
        GROWTH,
        "{:.2f} ×",
    )
    with busy_loops():
        seen = overload(highest, BRIEF, size)
    yield at_most(
        f"key p95 beside two busy loops, 4 × {highest:,.0f} deltas/s", seen.key(95), 200, "{:.0f} ms"
    )


def highest_rate(size: str) -> float:
    """Deltas a second of each stream that the program keeps up with, found by bisection."""
    low, high = LOWEST, HIGHEST
    while high / low > PRECISION:
        rate = (low * high) ** 0.5
        if overload(rate, SEARCH, size, keys=False).lag < KEEPS_UP:
            low = rate
        else:
            high = rate
    return low


def overload(rate: float, seconds: float, size: str, *, keys: bool = True) -> LoadResult:
    """Hold a debate under a load, whose sender is held back where it is too much."""
    return run(Load("sse", rate, 4, seconds, SEND_BUFFER), MODE, size, keys=keys)


@contextmanager
def busy_loops() -> Iterator[None]:
    """Have other programs want the processor, too."""
    processes = [
        multiprocessing.get_context("fork").Process(target=_be_busy, daemon=True) for _ in range(BUSY_LOOPS)
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _be_busy() -> None:
    while True:
        pass
