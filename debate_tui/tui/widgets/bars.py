"""Bars: a speed over time, with the faults that broke into it marked on its axis."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from debate_tui.display.statistics import FAULT_FATAL, FAULT_RECOVERED
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.display.statistics import RateCurve
    from debate_tui.tui.glyphs import Glyphs

_FAULT_TONES = {0: Tone.STREAMING, FAULT_RECOVERED: Tone.RECONNECTING, FAULT_FATAL: Tone.FAILED}


def rate_bars(curve: RateCurve, height: int, max_rate: float, glyphs: Glyphs) -> list[tuple[Piece, ...]]:
    """The curve as rows of equal width, the highest first; a rate of `max_rate` fills them all.

    Whatever came at all can be seen.
    """
    steps = len(glyphs.fill_levels) - 1
    full = height * steps
    heights = [
        max(1, round(rate / max_rate * full)) if rate > 0 and max_rate > 0 else 0 for rate in curve.rates
    ]
    return [
        merge_cells(
            (glyphs.fill_levels[min(max(tall - below * steps, 0), steps)], _FAULT_TONES[fault])
            for tall, fault in zip(heights, curve.faults, strict=True)
        )
        for below in reversed(range(height))
    ]


def fault_axis(curve: RateCurve, glyphs: Glyphs) -> tuple[Piece, ...]:
    """The line that the bars stand on."""
    marks = {0: glyphs.thin_line, FAULT_RECOVERED: glyphs.reconnecting, FAULT_FATAL: glyphs.failed}
    tones = _FAULT_TONES | {0: Tone.FAINT}
    return merge_cells((marks[fault], tones[fault]) for fault in curve.faults)


def merge_cells(cells: Iterable[tuple[str, Tone]]) -> tuple[Piece, ...]:
    """Cells as runs of one tone."""
    return tuple(_merge_cell_runs(cells))


def _merge_cell_runs(cells: Iterable[tuple[str, Tone]]) -> Iterator[Piece]:
    for tone, run in groupby(cells, key=lambda cell: cell[1]):
        yield Piece("".join(sign for sign, _ in run), tone)
