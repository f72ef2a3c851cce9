"""The verdict over the debate, and the votes before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events as ev
from debate_tui.tui.screens.verdict import VerdictScreen
from tests.tui.debate_harness import DebateHarness
from tests.tui.judged_debates import REPORT, add_consensus, add_judged_debate, add_ranking, add_report
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


# The report, on a page of its own


@pytest.mark.parametrize("size", [(80, 24), (40, 15), (120, 35)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.usefixtures("frozen_clocks")
def test_report(snap_compare: Snap, size: tuple[int, int]) -> None:
    board = DebateHarness(2, commands=False)
    assert matches_snapshot(snap_compare, board, size, finished(add_report), "tab")


@pytest.mark.usefixtures("frozen_clocks")
def test_report_in_ascii(snap_compare: Snap) -> None:
    board = DebateHarness(2, ascii=True, commands=False)
    assert matches_snapshot(snap_compare, board, (80, 24), finished(add_report), "tab", "pagedown")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 15), (120, 35)])
async def test_whole_report_can_be_read_at_every_size(width: int, height: int) -> None:
    async with DebateHarness(2, commands=False).opened(width, height) as board:
        finished(add_report)(board)
        await board.settle()
        assert "tab report" in board.text
        await board.press("tab")
        seen = set(board.rows)
        while "more" in board.rows[-1] or any("↓" in row and "more" in row for row in board.rows):
            before = board.text
            await board.press("down")
            seen |= set(board.rows)
            assert board.text != before
        shown = " ".join(" ".join(row.split()) for row in seen)
        for text in ("What they agree on", "Who changed their mind", "Who pays for the trams?"):
            assert text in shown
        assert "not found" in shown


async def test_tab_switches_between_verdict_and_report_and_back_to_the_top() -> None:
    async with DebateHarness(2, commands=False).opened(80, 24) as board:
        finished(add_report)(board)
        await board.settle()
        assert "Best speaker" in board.text
        await board.press("end", "tab")
        assert "Written by openai:gpt-5.6-terra." in board.text
        assert "tab verdict" in board.text
        await board.press("end", "left", "end")
        assert "tab report" in board.text
        assert "mistral:large" in board.text


async def test_report_without_a_verdict_is_the_only_page() -> None:
    async with DebateHarness(2, commands=False).opened(80, 24) as board:
        board.begin().phase().end("ada").end("ben").log_events(REPORT, ev.DebateFinished(reason="complete"))
        await board.settle()
        assert isinstance(board.app.screen, VerdictScreen)
        assert "The report" in board.text
        assert "What they agree on" in board.text
        assert "tab" not in board.text.replace("table", "")
        before = board.text
        await board.press("tab")
        assert board.text == before


async def test_report_that_failed_says_why() -> None:
    failed = ev.Report(judge="openai:x", model="x", problem="its answer could not be read")
    async with DebateHarness(2, commands=False).opened(80, 24) as board:
        add_judged_debate(board).log_events(failed, ev.DebateFinished(reason="complete"))
        await board.settle()
        await board.press("tab")
        assert "No report from openai:x: its answer could not be read." in board.text


async def test_judge_and_its_problem_are_both_shown_in_full() -> None:
    problem = "127.0.0.1:9000 returned a web page instead of an event stream"
    async with DebateHarness(2, commands=False).opened(80, 24) as board:
        board.begin().phase().end("ada").end("ben")
        board.log_events(
            ev.Verdict(
                judge="groq:gpt", model="gpt", winner=None, agreed=False, controlled=False, problem=problem
            ),
            ev.DebateFinished(reason="complete"),
        )
        await board.settle()
        assert "groq:gpt ───" in board.text
        assert f"no verdict ({problem})" in " ".join(board.text.split())
