"""Keys that come in one heap, as they do over a slow line: each goes to what those before it opened."""

from __future__ import annotations

import pytest
from textual.events import Key, Paste

from debate_tui.session.commands import AddRound, Interject, SetWords
from debate_tui.tui.widgets.input_bars import LineInput
from tests.tui.debate_harness import DebateHarness


def key_event(key: str) -> Key:
    return Key(key, None)


async def press_at_once(board: DebateHarness, *keys: str) -> None:
    """Press keys without letting anything happen in between."""
    for key in keys:
        board.app.post_message(key_event(key))
    for _ in keys:
        await board.settle()


async def test_keys_after_one_that_opens_an_input_are_text() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        await press_at_once(board, "i", *"exit", "enter")
        assert board.commands == [Interject("exit")]


async def test_letter_after_the_key_that_opens_a_menu_chooses_from_it() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        await press_at_once(board, "M", "n")
        assert board.commands == [AddRound()]


async def test_search_gets_all_letters_typed_at_once() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal().say("ada", "expert witness")
        await press_at_once(board, "slash", *"exp")
        assert "1 match" in board.text
        assert board.commands == []


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["ctrl+u", *"new"], "new"),
        (["home", *"an "], "an old one"),
        (["left", "backspace", *"am"], "old oame"),
        (["ctrl+w", *"two"], "old two"),
    ],
)
async def test_editing_keys_take_effect_in_order(keys: list[str], left: str) -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        await board.press("i", *"old one")
        await press_at_once(board, *keys)
        assert board.app.screen.query_one(LineInput).value == left


async def test_paste_keeps_its_place_between_keys() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        for event in (*map(key_event, "iab"), Paste("cd"), *map(key_event, "ef")):
            board.app.post_message(event)
        for _ in range(6):
            await board.settle()
        assert board.app.screen.query_one(LineInput).value == "abcdef"


async def test_keys_after_enter_are_not_part_of_the_interjection() -> None:
    """They are commands again."""
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        await press_at_once(board, "i", *"abc", "enter", "m", "m")
        assert board.commands == [Interject("abc")]
        assert "staggered" in board.text


async def test_keys_after_escape_are_commands_again() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        await press_at_once(board, "i", *"abc", "escape", "m")
        assert board.commands == []
        assert "synchronized" in board.text


async def test_keys_after_a_menu_choice_answer_its_question() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal()
        await press_at_once(board, "M", "w", *["backspace"] * 6, *"80", "enter", "z")
        assert board.commands == [SetWords(80)]


async def test_enter_after_search_text_goes_to_the_first_match() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin_rebuttal().say("ada", "expert witness, and one more expert")
        await press_at_once(board, "slash", *"exp", "enter")
        assert "1 of 2" in board.text
