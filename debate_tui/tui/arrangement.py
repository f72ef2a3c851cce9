"""How the panes share the screen: side by side, in two rows, or one at a time behind tabs."""

from __future__ import annotations

import enum

from msgspec import Struct

MIN_PANE_WIDTH = 40
MIN_PANE_HEIGHT = 7
COMPACT_BELOW = 18
"""Rows of a pane under which its title is one line instead of three."""

CHROME_HEIGHT = 3
"""The header's two lines and the footer's one."""


class Arrangement(enum.StrEnum):
    COLUMNS = "columns"
    ROWS = "rows"
    TABS = "tabs"


class Fit(Struct, frozen=True):
    """How panes are arranged; `needs` says what a terminal too small for more than tabs would need.

    `compact` panes are low: their titles have to be, too.
    """

    arrangement: Arrangement
    columns: int
    compact: bool = False
    needs: str = ""


def fit(panes: int, width: int, height: int, times: str = "×") -> Fit:
    """Arrange panes on a terminal of `width` × `height` cells; `times` is the sign between the two."""
    room = height - CHROME_HEIGHT
    if width >= panes * MIN_PANE_WIDTH and room >= MIN_PANE_HEIGHT:
        return Fit(Arrangement.COLUMNS, panes, compact=room < COMPACT_BELOW)
    columns = (panes + 1) // 2
    if width >= columns * MIN_PANE_WIDTH and room >= 2 * MIN_PANE_HEIGHT:
        return Fit(Arrangement.ROWS, columns, compact=room // 2 < COMPACT_BELOW)
    needed = f"{columns * MIN_PANE_WIDTH}{times}{CHROME_HEIGHT + 2 * MIN_PANE_HEIGHT}"
    needs = (
        f"{panes} panes need {needed} cells, and this terminal has {width}{times}{height}: tab shows the next"
    )
    return Fit(Arrangement.TABS, 1, compact=room < COMPACT_BELOW, needs=needs)
