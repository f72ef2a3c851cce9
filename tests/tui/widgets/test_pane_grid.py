"""How panes share the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.tui.widgets.pane_grid import MIN_PANE_WIDTH, LayoutKind, choose_layout


@pytest.mark.parametrize(
    ("panes", "width", "height", "arrangement", "columns"),
    [
        (2, 80, 24, LayoutKind.COLUMNS, 2),
        (3, 120, 35, LayoutKind.COLUMNS, 3),
        (4, 160, 45, LayoutKind.COLUMNS, 4),
        (4, 159, 45, LayoutKind.ROWS, 2),
        (4, 80, 24, LayoutKind.ROWS, 2),
        (3, 80, 24, LayoutKind.ROWS, 2),
        (2, 79, 24, LayoutKind.ROWS, 1),
        (2, 79, 16, LayoutKind.TABS, 1),
        (4, 79, 50, LayoutKind.TABS, 1),
        (2, 30, 50, LayoutKind.TABS, 1),
    ],
)
def test_layout_depends_on_width_and_height(
    panes: int, width: int, height: int, arrangement: LayoutKind, columns: int
) -> None:
    found = choose_layout(panes, width, height)
    assert (found.kind, found.columns) == (arrangement, columns)


@given(st.integers(2, 4), st.integers(1, 400), st.integers(1, 200))
def test_panes_have_their_minimum_width_or_tabs_explain_why_not(panes: int, width: int, height: int) -> None:
    found = choose_layout(panes, width, height)
    if found.kind is LayoutKind.TABS:
        assert f"{width}×{height}" in found.too_small_message
    else:
        assert width // found.columns >= MIN_PANE_WIDTH
        assert not found.too_small_message
