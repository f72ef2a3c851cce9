"""What it costs to measure a stream: ``python -m tests.benchmarks.statistics``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.display.statistics import Statistics
from debate_tui.domain import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNKS = 20_000
ROUNDS = 15


def deltas(text: str, after: float) -> list[ev.TurnDelta]:
    return [
        ev.TurnDelta(turn=1, debater="a", attempt=1, offset=i, text=text, at=after + i / 100)
        for i in range(CHUNKS)
    ]


def best(work: Callable[[int], object]) -> float:
    """The least CPU time of all rounds, in seconds."""
    times = []
    for round_ in range(ROUNDS):
        start = time.process_time()
        work(round_)
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    for text in ("word ", "wörter ", "都市は"):
        statistics = Statistics()
        info = ev.DebaterInfo("a", "Ada", "", "", "")
        statistics(ev.DebateStarted(debate="d", topic="t", format="f", debaters=(info,), at=1000.0))
        statistics(ev.TurnStarted(turn=1, debater="a", phase="p", at=1000.0))
        rounds = [deltas(text, 1000 + CHUNKS / 100 * number) for number in range(ROUNDS)]
        measured = best(lambda number: [statistics(event) for event in rounds[number]])  # noqa: B023
        looped = best(lambda number: [bool(event) for event in rounds[number]])  # noqa: B023
        print(f"{text!r:10} {(measured - looped) / CHUNKS * 1e6:.2f} µs a chunk", end="")
        print(f", {best(lambda _: statistics.report()) * 1e6:.0f} µs a report")  # noqa: B023


if __name__ == "__main__":
    main()
