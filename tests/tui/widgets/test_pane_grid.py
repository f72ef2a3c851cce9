"""How panes share the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport
from debate_tui.tui.widgets.pane_grid import MIN_PANE_WIDTH, LayoutKind, choose_layout
from tests.tui.debate_harness import DebateHarness


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


# Debaters who leave.

GONE = FaultReport(FaultKind.BAD_REQUEST, "The model 'x' does not exist", 404)


def leave(board: DebateHarness, debater: str) -> None:
    board.end(debater, "failed", error=GONE)
    board.log_events(ev.DebaterRemoved(debater=debater, reason=GONE.message, remaining=()))


def title_row(board: DebateHarness, name: str) -> int:
    return next(y for y, row in enumerate(board.rows) if name in row and y > 1)


async def test_debater_who_left_frees_its_space_and_its_text_stays_reachable() -> None:
    async with DebateHarness(3).opened(120, 24) as board:
        board.begin().phase().say("ben", "Words of Ben.")
        leave(board, "ben")
        await board.settle()
        assert "Words of Ben." not in board.text
        assert title_row(board, "Ben") == 22
        assert "✗ model not found" in board.rows[22]
        assert board.pane("ada").size.width == board.pane("cleo").size.width + 1 == 60
        await board.press("tab")
        assert "Words of Ben." in board.pane_text("ben")
        assert board.screen.focused is board.pane("ben").turn_text
        await board.press("tab")
        assert title_row(board, "Ben") == 22
        await board.pilot.click(offset=(5, 22))
        await board.settle()
        assert "Words of Ben." in board.pane_text("ben")
        await board.press("z")
        assert "Words of Ben." in board.pane_text("ben")


async def test_debater_who_returns_has_its_place_again() -> None:
    async with DebateHarness(4).opened(160, 24) as board:
        board.begin().phase()
        before = board.rows[2:5]
        leave(board, "ben")
        await board.settle()
        assert board.rows[2:5] != before
        back = ev.DebaterReturned(debater="ben", reason="retry", remaining=(), source="demo", model="gpt")
        board.log_events(back)
        board.log_events(ev.StreamStatus(debater="ben", state="waiting", attempt=1))
        await board.settle()
        assert [pane.region.x for pane in board.panes.panes] == [0, 40, 80, 120]


async def test_two_who_left_take_a_row_each() -> None:
    async with DebateHarness(4).opened(80, 24) as board:
        board.begin().phase()
        for debater in ("ben", "dara"):
            leave(board, debater)
        await board.settle()
        assert [pane.region.height for pane in board.panes.panes] == [19, 1, 19, 1]


@pytest.mark.parametrize(
    ("panes", "size", "plain", "joint"),
    [
        (4, (80, 60), False, "┼"),
        (4, (80, 24), False, "┼"),
        (4, (80, 60), True, "+"),
        (3, (80, 60), False, "┴"),
        (3, (80, 60), True, "+"),
    ],
)
async def test_borders_of_panes_are_joined(
    panes: int, size: tuple[int, int], plain: bool, joint: str
) -> None:
    async with DebateHarness(panes, ascii=plain).opened(*size) as board:
        below = board.panes.panes[-1].region.y
        column = board.panes.panes[1].region.x
        assert board.rows[below][column] == joint
        assert board.rows[below - 1][column] == ("|" if plain else "│")
