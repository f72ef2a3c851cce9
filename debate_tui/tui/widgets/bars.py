"""Bars: a speed over time, with the faults that broke into it marked on its axis."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from debate_tui.display.statistics import HEALED, LOST
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.display.statistics import Curve
    from debate_tui.tui.glyphs import Glyphs

_TONES = {0: Tone.STREAMING, HEALED: Tone.RECONNECTING, LOST: Tone.FAILED}


def bars(curve: Curve, height: int, top: float, glyphs: Glyphs) -> list[tuple[Piece, ...]]:
    """The curve as rows of equal width, the highest first; a rate of `top` fills them all.

    Whatever came at all can be seen.
    """
    steps = len(glyphs.levels) - 1
    full = height * steps
    heights = [max(1, round(rate / top * full)) if rate > 0 and top > 0 else 0 for rate in curve.rates]
    return [
        joined(
            (glyphs.levels[min(max(tall - below * steps, 0), steps)], _TONES[fault])
            for tall, fault in zip(heights, curve.faults, strict=True)
        )
        for below in reversed(range(height))
    ]


def axis(curve: Curve, glyphs: Glyphs) -> tuple[Piece, ...]:
    """The line that the bars stand on."""
    marks = {0: glyphs.thin, HEALED: glyphs.reconnecting, LOST: glyphs.failed}
    tones = _TONES | {0: Tone.FAINT}
    return joined((marks[fault], tones[fault]) for fault in curve.faults)


def joined(cells: Iterable[tuple[str, Tone]]) -> tuple[Piece, ...]:
    """Cells as runs of one tone."""
    return tuple(_runs(cells))


def _runs(cells: Iterable[tuple[str, Tone]]) -> Iterator[Piece]:
    for tone, run in groupby(cells, key=lambda cell: cell[1]):
        yield Piece("".join(sign for sign, _ in run), tone)
