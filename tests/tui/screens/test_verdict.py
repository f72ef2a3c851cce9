"""The verdict over the debate, and the votes before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from tests.tui.debate_harness import DebateHarness
from tests.tui.judged_debates import add_consensus, add_judged_debate, add_ranking
from tests.tui.snapshot_cases import Play, Snap, at_every_size_and_theme, matches_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable


def finished(play: Callable[[DebateHarness], DebateHarness]) -> Play:
    """The debate, and its end."""
    return lambda board: play(board).log_events(ev.DebateFinished(reason="complete"))


@at_every_size_and_theme
@pytest.mark.usefixtures("frozen_clocks")
def test_picture(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert matches_snapshot(
        snap_compare, DebateHarness(2, theme=theme, commands=False), size, finished(add_judged_debate)
    )


@pytest.mark.usefixtures("frozen_clocks")
def test_four(snap_compare: Snap) -> None:
    assert matches_snapshot(
        snap_compare, DebateHarness(4, commands=False), (120, 35), finished(add_judged_debate)
    )


@pytest.mark.usefixtures("frozen_clocks")
def test_further_down(snap_compare: Snap) -> None:
    assert matches_snapshot(
        snap_compare,
        DebateHarness(2, commands=False),
        (80, 24),
        finished(add_judged_debate),
        "pagedown",
        "down",
    )


@pytest.mark.usefixtures("frozen_clocks")
def test_ascii(snap_compare: Snap) -> None:
    assert matches_snapshot(
        snap_compare, DebateHarness(2, ascii=True, commands=False), (80, 24), finished(add_judged_debate)
    )


@pytest.mark.usefixtures("frozen_clocks")
def test_consensus(snap_compare: Snap) -> None:
    assert matches_snapshot(
        snap_compare, DebateHarness(4, commands=False), (120, 35), finished(add_consensus)
    )


@pytest.mark.usefixtures("frozen_clocks")
def test_ranking(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(4, commands=False), (80, 24), finished(add_ranking))
