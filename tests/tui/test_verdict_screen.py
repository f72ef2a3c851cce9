"""The verdict over the debate, and the votes before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from tests.tui.board import Board
from tests.tui.still import everywhere, stop_clocks
from tests.tui.verdicts import agreed, judged, ranked

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    Snap = Callable[..., bool]
    Play = Callable[[Board], Board]


@pytest.fixture
def _clocks_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_clocks(monkeypatch)


def compare(snap: Snap, board: Board, size: tuple[int, int], play: Play, *keys: str) -> bool:
    """The screen after a debate was judged and keys were pressed."""

    async def run(pilot: Pilot[None]) -> None:
        board.pilot = pilot
        await board.settled()
        play(board).tell(ev.DebateFinished(reason="complete"))
        await board.settled()
        await board.press(*keys)

    return snap(board.app, terminal_size=size, run_before=run)


@everywhere
@pytest.mark.usefixtures("_clocks_stand_still")
def test_picture(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert compare(snap_compare, Board(2, theme=theme, commands=False), size, judged)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_four(snap_compare: Snap) -> None:
    assert compare(snap_compare, Board(4, commands=False), (120, 35), judged)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_further_down(snap_compare: Snap) -> None:
    assert compare(snap_compare, Board(2, commands=False), (80, 24), judged, "pagedown", "down")


@pytest.mark.usefixtures("_clocks_stand_still")
def test_ascii(snap_compare: Snap) -> None:
    assert compare(snap_compare, Board(2, ascii=True, commands=False), (80, 24), judged)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_consensus(snap_compare: Snap) -> None:
    assert compare(snap_compare, Board(4, commands=False), (120, 35), agreed)


@pytest.mark.usefixtures("_clocks_stand_still")
def test_ranking(snap_compare: Snap) -> None:
    assert compare(snap_compare, Board(4, commands=False), (80, 24), ranked)
