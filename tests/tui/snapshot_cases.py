"""Pictures of screens whose clocks stand still: sizes, themes, and how one is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from debate_tui.tui import debate_state
from debate_tui.tui.screens import debate_display, debate_view
from debate_tui.tui.widgets import pane, pane_grid
from tests.tui.debate_harness import START, DebateHarness

if TYPE_CHECKING:
    from types import ModuleType

    from textual.pilot import Pilot

Test = Callable[..., None]
Snap = Callable[..., bool]
Play = Callable[[DebateHarness], object]

SIZES = [(80, 24), (120, 35), (200, 50)]
DARK, LIGHT = "vigil", "gallery"


def at_every_size_and_theme(test: Test) -> Test:
    """Run a test at every size, in the dark and in a light theme: it takes a `size` and a `theme`."""
    for name, values, ids in (
        ("size", SIZES, "{0[0]}x{0[1]}".format),
        ("theme", [DARK, LIGHT], str),
    ):
        test = pytest.mark.parametrize(name, values, ids=ids)(test)
    return test


def freeze_clocks(monkeypatch: pytest.MonkeyPatch, seconds: float = 83, *modules: ModuleType) -> None:
    """It is always so many seconds after the debate's beginning; in further modules, too."""
    still = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: still, time=lambda: START + seconds)
    for module in (debate_display, debate_view, pane, pane_grid, debate_state, *modules):
        monkeypatch.setattr(module, "time", clock)


def matches_snapshot(
    snap: Snap, board: DebateHarness, size: tuple[int, int], play: Play | None = None, *keys: str
) -> bool:
    """Compare the screen after a debate was played and keys were pressed, one after the other."""

    async def run(pilot: Pilot[None]) -> None:
        board.pilot = pilot
        await board.settle()
        if play:
            play(board)
            await board.settle()
        for key in keys:
            await board.press(key)
            await board.finish_workers("material")
        await board.finish_workers("facts")

    return snap(board.app, terminal_size=size, run_before=run)
