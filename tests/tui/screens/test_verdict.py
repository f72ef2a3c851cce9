"""The verdict over the debate, and the votes before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from tests.tui.debate_harness import DebateHarness
from tests.tui.judged_debates import add_consensus, add_judged_debate, add_ranking
from tests.tui.snapshot_cases import at_every_size_and_theme, freeze_clocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    Snap = Callable[..., bool]
    Play = Callable[[DebateHarness], DebateHarness]


@pytest.fixture
def _clocks_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_clocks(monkeypatch)


def compare(snap: Snap, board: DebateHarness, size: tuple[int, int], play: Play, *keys: str) -> bool:
    """The screen after a debate was judged and keys were pressed."""

    async def run(pilot: Pilot[None]) -> None:
        board.pilot = pilot
        await board.settle()
        play(board).log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        await board.press(*keys)

    return snap(board.app, terminal_size=size, run_before=run)


@at_every_size_and_theme
@pytest.mark.usefixtures("_clocks_stand_still")
def test_picture(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert compare(snap_compare, DebateHarness(2, theme=theme, commands=False), size, add_judged_debate)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_four(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4, commands=False), (120, 35), add_judged_debate)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_further_down(snap_compare: Snap) -> None:
    assert compare(
        snap_compare, DebateHarness(2, commands=False), (80, 24), add_judged_debate, "pagedown", "down"
    )


@pytest.mark.usefixtures("_clocks_stand_still")
def test_ascii(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(2, ascii=True, commands=False), (80, 24), add_judged_debate)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_consensus(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4, commands=False), (120, 35), add_consensus)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_ranking(snap_compare: Snap) -> None:
    assert compare(snap_compare, DebateHarness(4, commands=False), (80, 24), add_ranking)
