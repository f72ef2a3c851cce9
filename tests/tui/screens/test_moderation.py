"""What a moderator can do beside remarks: rounds, phases, words, sources, the end."""

from __future__ import annotations

import pytest

from debate_tui.domain import events as ev
from debate_tui.session.commands import AddRound, Command, Decide, EndDebate, SetWords, SkipPhase
from tests.tui.debate_harness import DebateHarness, SourceSwaps
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot


async def opened_menu(board: DebateHarness) -> None:
    board.begin_rebuttal()
    await board.settle()
    await board.press("M")


@pytest.mark.parametrize(
    ("key", "request_made", "said"),
    [
        ("n", AddRound(), "Added another rebuttal round"),
        ("s", SkipPhase(), "Skipped the rest of the rebuttal phase"),
        ("e", EndDebate(), "Ending the debate"),
    ],
)
async def test_menu_item_sends_its_command_and_confirms_it(
    key: str, request_made: Command, said: str
) -> None:
    async with DebateHarness(2).opened() as board:
        await opened_menu(board)
        await board.press(key)
        assert board.commands == [request_made]
        assert said in board.text


async def test_word_limit_is_asked_for_until_it_is_valid() -> None:
    async with DebateHarness(2).opened() as board:
        await opened_menu(board)
        assert "now 150" in board.text
        await board.press("w", *"many", "enter")
        assert "Enter a whole number from 10 to 5,000" in board.text
        await board.press(*["backspace"] * 4, *"80", "enter")
        assert board.commands == [SetWords(80)]
        assert "80 words per turn from the next round" in board.text


async def test_new_source_is_asked_for_until_it_is_valid() -> None:
    swaps = SourceSwaps()
    async with DebateHarness(2, swap_source=swaps).opened() as board:
        board.begin_rebuttal()
        await board.settle()
        await board.press("tab", "M", "o", *"opanai:x", "enter")
        assert "Did you mean openai:" in board.text
        await board.press(*["backspace"] * 8, *"openai:x", "enter")
        assert swaps.made == [("ben", "openai:x")]
        assert board.commands == []
        assert "Ben continues with" in board.text
        assert [worker.name for worker in board.app.workers if worker.is_running] == ["frame loop"]


async def test_fault_can_be_resolved_by_another_source() -> None:
    swaps = SourceSwaps()
    async with DebateHarness(2, swap_source=swaps).opened() as board:
        board.begin_rebuttal().log_events(ev.DebatePaused(reason="wrong key (401)", debater="ben"))
        await board.settle()
        assert "Switch to another model" in board.text
        await board.press("down", "enter", *"openai:x", "enter")
        assert swaps.made == [("ben", "openai:x")]
        assert board.commands == [Decide("ben", "replace")]


async def test_swap_is_not_offered_if_sources_cannot_be_swapped() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal().log_events(ev.DebatePaused(reason="wrong key (401)", debater="ben"))
        await board.settle()
        assert "another model" not in board.text
        await board.press("escape", "M")
        assert "another model" not in board.text


async def test_streams_continue_during_a_question_which_can_be_cancelled() -> None:
    async with DebateHarness(2).opened() as board:
        await opened_menu(board)
        await board.press("w")
        board.say("ada", "meanwhile")
        await board.settle()
        assert "meanwhile" in board.pane_text("ada")
        await board.press("escape", "i")
        assert "to all" in board.text
        assert board.commands == []


async def test_only_ending_is_offered_before_the_first_phase_and_while_judging() -> None:
    async with DebateHarness(2, swap_source=SourceSwaps()).opened() as board:
        await board.press("M")
        assert "End the debate" in board.text
        assert "Add another" not in board.text
        await board.press("escape")
        board.begin().phase().log_events(ev.PhaseStarted(phase="verdict", round=1, rounds=1))
        await board.settle()
        await board.press("M")
        assert "Add another" not in board.text


async def test_no_interjections_while_judging() -> None:
    async with DebateHarness(2).opened(160, 35) as board:
        board.begin().phase().log_events(ev.PhaseStarted(phase="verdict", round=1, rounds=1))
        await board.settle()
        hints = board.rows[-1]
        assert "M moderate" in hints
        assert not any(word in hints for word in ("interject", "pause", "stop turn"))
        await board.press("i")
        assert "No turns left" in board.text
        assert "to all" not in board.text


async def test_menu_needs_a_debate_that_takes_commands() -> None:
    async with DebateHarness(2, commands=False).opened() as board:
        board.begin_rebuttal()
        await board.press("M")
        assert "does not take commands" in board.text


@at_every_size_and_theme
@pytest.mark.usefixtures("frozen_clocks")
def test_menu(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    board = DebateHarness(2, theme=theme, swap_source=SourceSwaps())
    assert matches_snapshot(snap_compare, board, size, DebateHarness.begin_rebuttal, "M")


@at_every_size_and_theme
@pytest.mark.usefixtures("frozen_clocks")
def test_question(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    board = DebateHarness(2, theme=theme, swap_source=SourceSwaps())
    assert matches_snapshot(snap_compare, board, size, DebateHarness.begin_rebuttal, "M", "o", *"openai:g")
