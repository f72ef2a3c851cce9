"""Help: what the keys do, on every screen and at every size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from tests.tui.debate_harness import DebateHarness
from tests.tui.history_harness import HistoryHarness
from tests.tui.judged_debates import add_judged_debate
from tests.tui.replay_harness import ReplayHarness, recorded_debate
from tests.tui.start_harness import StartHarness
from tests.tui.watch_board import WatchHarness

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tui.screen_harness import ScreenHarness

SCREENS: dict[str, tuple[Callable[[], ScreenHarness], tuple[str, ...], str]] = {
    "debate": (lambda: DebateHarness(2), (), "The debate"),
    "replay": (lambda: ReplayHarness(recorded_debate()), (), "The replay"),
    "watch": (lambda: WatchHarness(2), (), "Watching"),
    "start": (StartHarness, ("f1",), "The start screen"),
    "start list": (StartHarness, ("down",), "The start screen"),
    "history": (HistoryHarness, (), "Recorded debates"),
    "history filter": (HistoryHarness, ("slash", "f1"), "Recorded debates"),
    "statistics": (lambda: DebateHarness(2), ("s",), "Stream statistics"),
    "menu": (lambda: DebateHarness(2), ("e",), "This menu"),
    "theme": (lambda: DebateHarness(2), ("T",), "This menu"),
}


def help_key(keys: tuple[str, ...]) -> tuple[str, ...]:
    return keys if "f1" in keys else (*keys, "question_mark")


@pytest.mark.parametrize("screen", list(SCREENS))
@pytest.mark.parametrize("size", [(40, 15), (80, 24)], ids=str)
async def test_help_opens_on_every_screen_and_closes(screen: str, size: tuple[int, int]) -> None:
    make, keys, title = SCREENS[screen]
    async with make().opened(*size) as board:
        await board.press(*help_key(keys))
        depth = len(board.app.screen_stack)
        assert "Keys" in board.text
        seen = board.text
        for _ in range(6):
            await board.press("pagedown")
            seen += board.text
        assert title in seen
        await board.press("question_mark")
        assert len(board.app.screen_stack) == depth - 1


@pytest.mark.parametrize("screen", list(SCREENS))
@pytest.mark.parametrize("size", [(1, 1), (10, 3)], ids=str)
async def test_every_screen_and_its_help_hold_in_a_tiny_terminal(screen: str, size: tuple[int, int]) -> None:
    make, keys, _ = SCREENS[screen]
    async with make().opened(*size) as board:
        await board.press(*help_key(keys))
        depth = len(board.app.screen_stack)
        await board.press("question_mark")
        assert len(board.app.screen_stack) == depth - 1


async def test_help_opens_over_the_verdict() -> None:
    async with DebateHarness(2, commands=False).opened(80, 24) as board:
        add_judged_debate(board).log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        await board.press("question_mark")
        assert "Keys" in board.text
        await board.press("escape")
        assert "The verdict" in board.text


@pytest.mark.parametrize("size", [(40, 15), (60, 20), (80, 24), (120, 35)], ids=str)
async def test_every_row_of_the_help_can_be_read(size: tuple[int, int]) -> None:
    async with DebateHarness(2).opened(*size) as board:
        await board.press("question_mark")
        seen = board.text
        for _ in range(60):
            await board.press("down")
            seen += board.text
        for words in (
            "Keys and badges",
            "next pane",
            "hybrid",
            "moderate: rounds, words",
            "quit; the debate is saved",
            "⊘ refused",
        ):
            assert words in seen
