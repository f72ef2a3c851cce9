"""The arrangement of the panes: side by side, in two rows, or as tabs."""

from __future__ import annotations

import enum

from msgspec import Struct

MIN_PANE_WIDTH = 40
MIN_PANE_HEIGHT = 7
COMPACT_PANE_ROWS = 18
"""A pane with fewer rows than this has a one-line title instead of three lines."""

CHROME_HEIGHT = 3
"""Two lines for the header and one for the footer."""


class LayoutKind(enum.StrEnum):
    COLUMNS = "columns"
    ROWS = "rows"
    TABS = "tabs"


class PaneLayout(Struct, frozen=True):
    """The arrangement of the panes.

    `too_small_message` is set if the terminal is too small for anything but tabs. `compact` panes have few
    rows and need short titles.
    """

    kind: LayoutKind
    columns: int
    compact: bool = False
    too_small_message: str = ""


def choose_layout(panes: int, width: int, height: int, times_sign: str = "×") -> PaneLayout:
    """Arrange panes on a terminal of `width` by `height` cells.

    `times_sign` stands between the two numbers in messages.
    """
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
