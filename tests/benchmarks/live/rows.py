"""The figures of a program under load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.benchmarks.live.run import LoadResult, percentile, run
from tests.benchmarks.live.sender import STREAMS, Load
from tests.benchmarks.live.terminal import Pace
from tests.benchmarks.report import Figure, at_most

if TYPE_CHECKING:
    from collections.abc import Iterator

MODES = ("synchronized", "staggered", "hybrid")
PATHS = ("sse", "chat", "responses", "messages")
WINDOW = 0.1
FRAME = 1 / 60
SLOW = Pace(4096, 0.02)
BRIEF, LONG = 12.0, 30.0
LEAST_RATE, MOST_RATE = 55, 60
ABOVE, BELOW = 5, 2
"""Rows of titles over the panes' text, and of meters and keys under it."""

_HOME = b"\x1b[1;1H"
"""Where Textual leaves the cursor at the end of a frame."""

_PLACE = re.compile(rb"\x1b\[(\d+);(\d+)H")


def figures(size: str) -> Iterator[Figure]:
    """Loads from a slow model's to three thousand tokens a second, in a terminal of this size."""
    seen = run(Load("sse", 50, 4, BRIEF), "synchronized", size)
    yield at_most("CPU per stream at 50 tokens/s, of a core", seen.share / STREAMS, 5, "{:.1f} %")
    yield _frames(run(Load("sse", 200, 4, BRIEF), "synchronized", size), size)
    seen = run(Load("sse", 78, 6, BRIEF), "synchronized", size)
    yield at_most(
        "CPU per delta, socket to screen, 4 × 78 deltas/s of 6 characters", seen.per_delta, 0.5, "{:.2f} ms"
    )
    for path in PATHS:
        seen = run(Load(path, 1000, 4, BRIEF), "synchronized", size)
        yield at_most(f"CPU at 4 × 1,000 tokens/s, `{path}`, of a core", seen.share, 40, "{:.0f} %")
    for mode in MODES:
        seen = run(Load("sse", 3000, 4, LONG), mode, size, keys=True)
        yield from _flood(seen, mode, size)
    for rate in (200, 1000):
        seen = run(Load("sse", rate, 4, BRIEF), "synchronized", size, keys=True, pace=SLOW)
        what = f"key p95 on a terminal that takes 4 KB per 20 ms, 4 × {rate:,} tokens/s"
        yield at_most(what, seen.key(95), 60, "{:.0f} ms")


def _flood(seen: LoadResult, mode: str, size: str) -> Iterator[Figure]:
    load = f"4 × 3,000 tokens/s, {mode}"
    yield at_most(
        f"lag behind the network after {LONG:.0f} s, {load}",
        seen.lag * 1000,
        (WINDOW + 2 * FRAME) * 1000,
        "{:.0f} ms",
    )
    keys, targets = (seen.key(95), seen.key(99)), (15, 30)
    yield Figure(
        f"key to visible change p95 / p99, {load}",
        f"{keys[0]:.0f} / {keys[1]:.0f} ms",
        f"≤ {targets[0]} / {targets[1]} ms",
        keys[0] <= targets[0] and keys[1] <= targets[1],
    )
    if mode == "staggered":
        flushes = sum(_has_text(frame.data, size) for frame in seen.frames) / seen.seconds
        others = len(seen.frames) / seen.seconds - flushes
        yield Figure(
            f"frames with text a second (others: keys, meters), {load}",
            f"{flushes:.0f} ({others:.0f})",
            f"≥ {LEAST_RATE}, ≤ {MOST_RATE}",
            LEAST_RATE <= round(flushes) <= MOST_RATE,
        )
    else:
        yield at_most(f"frame gap p95, {load}", percentile(seen.gaps, 95) * 1000, 110, "{:.0f} ms")


def _frames(seen: LoadResult, size: str) -> Figure:
    """Whether a flush is one frame: every window has one that changes the text of all panes."""
    columns, rows = map(int, size.split("x"))
    panes = [_panes(frame.data, columns, rows) for frame in seen.frames]
    flushes = [touched for touched in panes if touched]
    per_flush = len(flushes) / (seen.seconds / WINDOW)
    torn = sum(len(touched) < STREAMS for touched in flushes) + seen.torn
    met = abs(per_flush - 1) < 0.02 and not torn
    return Figure("frames per synchronized flush; torn frames", f"{per_flush:.2f}; {torn}", "1; 0", met)


def _places(frame: bytes) -> list[tuple[int, int]]:
    """Rows and columns at which a frame writes, from 1."""
    return [(int(row), int(column)) for row, column in _PLACE.findall(frame.removesuffix(_HOME))]


def _has_text(frame: bytes, size: str) -> bool:
    """Whether a frame changes what is said, whatever else it changes."""
    return bool(_panes(frame, *map(int, size.split("x"))))


def _panes(frame: bytes, columns: int, rows: int) -> set[int]:
    """The panes, side by side, whose text a frame changes, whatever else it changes."""
    return {
        (column - 1) * STREAMS // columns for row, column in _places(frame) if ABOVE < row <= rows - BELOW
    }
