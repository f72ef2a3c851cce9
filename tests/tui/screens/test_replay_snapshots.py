"""Pictures of a replay, looked at once and held to since."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from debate_tui.tui.screens import debate_display, debate_view
from debate_tui.tui.widgets import pane, pane_grid
from tests.tui.replay_harness import ReplayHarness, recorded_debate
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme

if TYPE_CHECKING:
    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def _clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    still = time.monotonic()
    for module in (debate_display, debate_view, pane, pane_grid):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: still))


def compare(snap: Snap, playback: ReplayHarness, size: tuple[int, int], *keys: str) -> bool:
    """The screen after 20 s were played and keys were pressed."""

    async def run(pilot: Pilot[None]) -> None:
        playback.pilot = pilot
        async with playback.running():
            await playback.pass_time(20)
            await playback.press(*keys)

    return snap(playback.app, terminal_size=size, run_before=run)


@at_every_size_and_theme
def test_playing(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert compare(snap_compare, ReplayHarness(recorded_debate(), theme=theme), size)


def test_paused_and_fast(snap_compare: Snap) -> None:
    assert compare(
        snap_compare, ReplayHarness(recorded_debate(4), 4), (160, 40), "full_stop", "full_stop", "space"
    )


def test_at_the_end_in_ascii(snap_compare: Snap) -> None:
    assert compare(
        snap_compare, ReplayHarness(recorded_debate(), ascii=True), (80, 24), *("right_square_bracket",) * 9
    )


@at_every_size_and_theme
def test_help(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert compare(snap_compare, ReplayHarness(recorded_debate(), theme=theme), size, "question_mark")
