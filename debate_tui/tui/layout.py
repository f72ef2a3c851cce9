"""How the panes share the screen: side by side, in two rows, or one at a time behind tabs."""

from __future__ import annotations

import enum

from msgspec import Struct

MIN_PANE_WIDTH = 40
MIN_PANE_HEIGHT = 7
COMPACT_PANE_ROWS = 18
"""Rows of a pane under which its title is one line instead of three."""

CHROME_HEIGHT = 3
"""The header's two lines and the footer's one."""


class LayoutKind(enum.StrEnum):
    COLUMNS = "columns"
    ROWS = "rows"
    TABS = "tabs"


class PaneLayout(Struct, frozen=True):
    """How panes are arranged; `needs` says what a terminal too small for more than tabs would need.

    `compact` panes are low: their titles have to be, too.
    """

    kind: LayoutKind
    columns: int
    compact: bool = False
    too_small_message: str = ""


def choose_layout(panes: int, width: int, height: int, times_sign: str = "×") -> PaneLayout:
    """Arrange panes on a terminal of `width` × `height` cells; `times_sign` is the sign between the two."""
    room = height - CHROME_HEIGHT
    if width >= panes * MIN_PANE_WIDTH and room >= MIN_PANE_HEIGHT:
        return PaneLayout(LayoutKind.COLUMNS, panes, compact=room < COMPACT_PANE_ROWS)
    columns = (panes + 1) // 2
    if width >= columns * MIN_PANE_WIDTH and room >= 2 * MIN_PANE_HEIGHT:
        return PaneLayout(LayoutKind.ROWS, columns, compact=room // 2 < COMPACT_PANE_ROWS)
    needed = f"{columns * MIN_PANE_WIDTH}{times_sign}{CHROME_HEIGHT + 2 * MIN_PANE_HEIGHT}"
    size = f"{width}{times_sign}{height}"
    needs = f"{panes} panes need {needed} cells, and this terminal has {size}: tab shows the next"
    return PaneLayout(LayoutKind.TABS, 1, compact=room < COMPACT_PANE_ROWS, too_small_message=needs)
