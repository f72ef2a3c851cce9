"""How the panes share the screen: side by side, in two rows, or one at a time behind tabs."""

from __future__ import annotations

import enum

from msgspec import Struct

MIN_PANE_WIDTH = 40
MIN_PANE_HEIGHT = 7
CHROME_HEIGHT = 3
"""The header's two lines and the footer's one."""


class Arrangement(enum.StrEnum):
    COLUMNS = "columns"
    ROWS = "rows"
    TABS = "tabs"


class Fit(Struct, frozen=True):
    """How panes are arranged; `needs` says what a terminal too small for more than tabs would need."""

    arrangement: Arrangement
    columns: int
    needs: str = ""


def fit(panes: int, width: int, height: int, times: str = "×") -> Fit:
    """Arrange `panes` panes on a terminal of `width` × `height` cells."""
    if width >= panes * MIN_PANE_WIDTH and height >= CHROME_HEIGHT + MIN_PANE_HEIGHT:
        return Fit(Arrangement.COLUMNS, panes)
    columns = (panes + 1) // 2
    needed_height = CHROME_HEIGHT + 2 * MIN_PANE_HEIGHT
    if width >= columns * MIN_PANE_WIDTH and height >= needed_height:
        return Fit(Arrangement.ROWS, columns)
    by_rows, has = f"{columns * MIN_PANE_WIDTH}{times}{needed_height}", f"{width}{times}{height}"
    return Fit(
        Arrangement.TABS,
        1,
        f"{panes} panes need {by_rows} cells, and this terminal has {has}: tab shows the next",
    )
