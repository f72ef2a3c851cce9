"""Pictures of the screen's main states, looked at once and held to since; the clock stands still in them."""

from __future__ import annotations

import pytest

from debate_tui.domain import events as ev
from tests.tui.debate_harness import DebateHarness
from tests.tui.debate_states import all_states
from tests.tui.snapshot_cases import Play, Snap, at_every_size_and_theme, matches_snapshot

pytestmark = pytest.mark.usefixtures("frozen_clocks")

DEMO = "Scripted demo: no model is speaking. To hear one, set OPENAI_API_KEY, or name it: -d openai:MODEL."


def paused(board: DebateHarness) -> None:
    all_states(board)
    board.log_events(ev.DebatePaused(reason="user", debater=None))


def over(board: DebateHarness) -> None:
    all_states(board)
    board.end("ada").end("ben", "stopped").log_events(ev.DebateFinished(reason="stopped"))


def held(board: DebateHarness) -> None:
    all_states(board)
    board.log_events(ev.DebatePaused(reason="OpenAI refused the key (401): invalid_api_key", debater="ben"))


@at_every_size_and_theme
@pytest.mark.parametrize("panes", [2, 4])
def test_states(snap_compare: Snap, size: tuple[int, int], theme: str, panes: int) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(panes, notice=DEMO, theme=theme), size, all_states)


@at_every_size_and_theme
@pytest.mark.parametrize(
    ("panes", "play", "keys"),
    [
        pytest.param(2, all_states, ("question_mark",), id="help"),
        pytest.param(2, all_states, ("e", "down"), id="export"),
        pytest.param(2, all_states, ("i", *"Why?", "tab"), id="interjection"),
        pytest.param(4, all_states, ("shift+tab", "enter"), id="trouble"),
        pytest.param(2, held, (), id="decision"),
    ],
)
def test_asked(
    snap_compare: Snap, size: tuple[int, int], theme: str, panes: int, play: Play, keys: tuple[str, ...]
) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(panes, theme=theme), size, play, *keys)


def test_paused(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(2), (80, 24), paused)


def test_over(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(2), (80, 24), over)


def test_zoomed(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(4), (120, 35), all_states, "tab", "z")


def test_tabs(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(4), (60, 20), all_states, "tab")


def test_thinking_shown(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(4), (160, 30), all_states, "t")


def test_ascii(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(4, ascii=True), (120, 35), all_states)


def test_waiting(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(2, notice=DEMO), (80, 24))
