"""CPU time per delta on its way to the panes: ``python -m tests.benchmarks.pane_feed``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.display.buffer import PaneItem, SharedBuffer, merge_pane_text
from debate_tui.display.json_lines import encode_line
from debate_tui.domain.events import Event, TurnDelta, TurnStarted
from debate_tui.tui.log_follower import PaneFeed

if TYPE_CHECKING:
    from collections.abc import Callable

PANES = ("a", "b", "c", "d")
DELTAS = 120_000
PER_FLUSH = 1000
PIECES = ("word ", "— é\n", "a\x1b[31mred\x1b[0m")


def deltas(piece: str) -> list[TurnDelta]:
    """Deltas for all panes in turn, as they come from four streams of the same speed."""
    return [
        TurnDelta(
            seq=number + 10,
            turn=number % 4 + 1,
            debater=PANES[number % 4],
            attempt=1,
            offset=number // 4 * len(piece),
            text=piece,
        )
        for number in range(DELTAS)
    ]


def paint(events: list[TurnDelta]) -> None:
    """Feed everything, and take it in flushes."""
    buffer: SharedBuffer[PaneItem] = SharedBuffer(PANES)
    feed = PaneFeed(buffer)
    starts: list[Event] = [TurnStarted(turn=n, debater=pane, phase="") for n, pane in enumerate(PANES, 1)]
    for start in starts:
        feed.add_event(start)
    for first in range(0, DELTAS, PER_FLUSH):
        for event in events[first : first + PER_FLUSH]:
            feed.add_delta(event)
        for items in buffer.take().values():
            merge_pane_text(items)


def write(events: list[TurnDelta]) -> None:
    """Make JSON lines of everything."""
    for event in events:
        encode_line(event)


def microseconds(run: Callable[[list[TurnDelta]], None], events: list[TurnDelta]) -> float:
    """CPU time per event, the best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        run(events)
        best = min(best, time.process_time() - began)
    return best / len(events) * 1e6


if __name__ == "__main__":
    print(f"{'µs per delta':24} {'painted':>8} {'as JSON':>8}")
    for text in PIECES:
        events = deltas(text)
        print(f"{text!r:24} {microseconds(paint, events):8.2f} {microseconds(write, events):8.2f}")
