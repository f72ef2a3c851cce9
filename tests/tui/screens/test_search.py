"""A search over all panes, while text streams."""

from __future__ import annotations

import pytest

from debate_tui.session.commands import Interject, StopTurn
from tests.tui.debate_harness import DebateHarness
from tests.tui.debate_states import all_states
from tests.tui.replay_harness import ReplayHarness, recorded_debate
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot

pytestmark = pytest.mark.usefixtures("frozen_clocks")


def count(board: DebateHarness | ReplayHarness) -> str:
    """What is said of the matches."""
    row = next(row for row in board.rows if row.startswith(" / "))
    return row.rsplit("  ", 1)[-1].strip()


def current(board: DebateHarness) -> list[str]:
    """The matches that are lit up brighter, pane by pane."""
    lit = []
    for pane in board.panes.panes:
        styles = pane.turn_text.page_view.style_resolver
        style = styles.style("match current") if styles else None
        for y in range(pane.turn_text.size.height):
            lit += [segment.text for segment in pane.turn_text.row(y) if style and segment.style == style]
    return lit


def started_board() -> DebateHarness:
    board = DebateHarness(2).begin().phase()
    board.say("ada", "Cars here.\n\nNo vehicle.\n\nA **car** there.")
    return board.say("ben", "A cart, not a CAR.")


async def test_matches_in_all_panes_are_counted_in_any_case_and_style() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"ca")
        assert count(board) == "4 matches"
        await board.press(*"rt")
        assert count(board) == "1 match"
        await board.press("s")
        assert count(board) == "no matches"


async def test_keys_cycle_through_the_matches_of_all_panes() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"car", "enter")
        seen = [(count(board), board.panes.current_index)]
        for key in ("n", "enter", "n", "n", "N", "N", "shift+enter"):
            await board.press(key)
            seen.append((count(board), board.panes.current_index))
        assert seen == [
            ("1 of 4", 0),
            ("2 of 4", 0),
            ("3 of 4", 1),
            ("4 of 4", 1),
            ("1 of 4", 0),
            ("4 of 4", 1),
            ("3 of 4", 1),
            ("2 of 4", 0),
        ]


async def test_current_match_is_brighter_than_the_others() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"cart", "enter")
        assert current(board) == ["cart"]
        await board.press("escape", "slash", *"not", "enter")
        assert current(board) == ["not"]


async def test_new_text_is_searched_as_it_arrives() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"car")
        board.say("ada", " And one more ca").say("ben", " Carthage.")
        await board.settle()
        assert count(board) == "5 matches"
        board.say("ada", "r.")
        await board.settle()
        assert count(board) == "6 matches"
        await board.press("enter", "n", "n")
        assert count(board) == "3 of 6"
        board.say("ada", " Car.")
        await board.settle()
        assert count(board) == "3 of 7"


async def test_first_match_is_the_next_one_after_the_reader() -> None:
    async with DebateHarness(2).opened(120, 24) as board:
        board.begin().phase()
        board.say("ada", "\n\n".join(f"Paragraph {number}." for number in range(40)))
        await board.settle()
        await board.press("slash", *"paragraph", "enter")
        first = int(count(board).split()[0])
        assert 20 < first < 40
        await board.press("escape", "g", "slash", *"paragraph", "enter")
        assert count(board) == "1 of 40"
        await board.press("N")
        assert count(board) == "40 of 40"
        assert "Paragraph 39." in board.pane_text("ada")


async def test_going_to_a_match_stops_following_only_in_its_pane() -> None:
    async with DebateHarness(2).opened(120, 24) as board:
        board.begin().phase()
        for debater in ("ada", "ben"):
            board.say(debater, "\n\n".join(f"Paragraph {number}." for number in range(40)))
        await board.settle()
        await board.press("slash", *"paragraph 3.", "enter")
        assert "Paragraph 3." in board.pane_text("ada")
        board.say("ada", "\n\nNew.").say("ben", "\n\nNew.")
        await board.settle()
        assert "Paragraph 3." in board.pane_text("ada")
        assert board.pane_text("ben").endswith("New.")


async def test_match_in_a_hidden_pane_is_brought_to_the_front() -> None:
    async with DebateHarness(4).opened(60, 20) as board:
        board.begin().phase().say("cleo", "The needle.")
        await board.settle()
        await board.press("slash", *"needle", "enter")
        assert count(board) == "1 of 1"
        assert "The needle." in board.text


async def test_escape_removes_the_highlights_and_returns_the_keys() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"car", "escape")
        assert not any(pane.turn_text.page_search.matches for pane in board.panes.panes)
        assert not any(row.startswith(" / ") for row in board.rows)
        await board.press("x")
        assert board.commands == [StopTurn("ada")]
        await board.press("slash", *"car", "enter", "escape", "n")
        assert "Press / to search all panes" in board.rows[-1]


async def test_keys_are_letters_in_the_search_bar() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"car", "enter", "slash", *"m/", "backspace")
        assert count(board) == "no matches"
        await board.press("backspace", *"x3", "backspace", "backspace", *"not")
        assert count(board) == "1 match"
        assert board.commands == []
        assert board.modes == []


async def test_slash_can_be_typed_in_an_interjection() -> None:
    async with started_board().opened() as board:
        await board.press("i", *"a/b", "enter")
        assert board.commands == [Interject("a/b")]


async def test_enter_shows_faults_again_after_the_search() -> None:
    async with started_board().opened() as board:
        await board.press("slash", *"car", "enter", "enter")
        assert count(board) == "2 of 4"
        await board.press("escape", "enter")
        assert len(board.app.screen_stack) == 1


async def test_patterns_are_searched_as_text() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "What (really) happened? [a-z].*")
        await board.press("slash", *"(", "enter")
        assert count(board) == "1 of 1"
        await board.press("slash", *"[a-z].*", "enter")
        assert count(board) == "1 of 1"


async def test_search_stays_open_when_a_replay_seeks_back() -> None:
    async with ReplayHarness(recorded_debate()).opened() as playback:
        await playback.pass_time(40)
        await playback.press("space", "slash", *"city", "enter")
        assert count(playback).endswith("of 7")
        await playback.press("1")
        assert count(playback) == "2 matches"
        await playback.press("n", "n", "n")
        assert count(playback).endswith("of 2")


@at_every_size_and_theme
def test_looks(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert matches_snapshot(
        snap_compare, DebateHarness(2, theme=theme), size, all_states, "slash", *"the", "enter", "n"
    )


def test_looks_while_typing(snap_compare: Snap) -> None:
    assert matches_snapshot(snap_compare, DebateHarness(4), (160, 40), all_states, "slash", *"near")
