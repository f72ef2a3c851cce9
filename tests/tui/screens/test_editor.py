"""The editor in which the user writes a debater's turn."""

from __future__ import annotations

import asyncio
import stat
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import events

from debate_tui import config
from debate_tui.domain.events import DebatePaused
from debate_tui.domain.stream import TurnRequest
from debate_tui.sources.person import TurnDraft
from debate_tui.tui.widgets.turn_editor import TurnEditor, TurnTextArea
from tests.tui.debate_harness import DebateHarness
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme, matches_snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class WrittenTurn:
    """A turn that the session has asked the user for, as it does: from a task of its own."""

    def __init__(self, board: DebateHarness, debater: str = "ada", draft: TurnDraft | None = None) -> None:
        self.draft = draft or TurnDraft()
        request = TurnRequest("Q?", "opening", board.turns[debater], ())
        self.task = asyncio.create_task(board.screen.editor.write_turn(debater, request, self.draft))


@asynccontextmanager
async def writing(
    panes: int = 2, *, width: int = 120, height: int = 35, draft: TurnDraft | None = None
) -> AsyncIterator[tuple[DebateHarness, WrittenTurn]]:
    """The opening, which the user writes for Ada."""
    async with DebateHarness(panes).opened(width, height) as board:
        board.begin().phase()
        await board.settle()
        turn = WrittenTurn(board, draft=draft)
        await board.settle()
        yield board, turn
        turn.task.cancel()
        await asyncio.wait([turn.task])


async def typed(board: DebateHarness, text: str) -> None:
    """Type a text as a terminal sends it."""
    await board.press(*("space" if char == " " else char for char in text))


def is_typing(board: DebateHarness) -> bool:
    return isinstance(board.screen.focused, TurnTextArea)


@pytest.mark.parametrize("key", ["ctrl+s", "ctrl+enter"])
async def test_pane_becomes_an_editor_and_sends_what_was_written(key: str) -> None:
    async with writing() as (board, turn):
        assert "your turn" in board.text
        assert "Open the debate for your side." in board.text
        assert "0/200 words" in board.text
        assert "ctrl+s send" in board.text
        await board.press(*"Tea", "enter", *"is")
        await typed(board, " calm")
        assert "3/200 words" in board.text
        await board.press(key)
        assert await turn.task == "Tea\nis calm"
        await board.settle()
        assert "your turn" not in board.text
        assert not is_typing(board)
        assert "pause" in board.text


async def test_every_key_types_until_escape_and_works_after_it() -> None:
    async with writing() as (board, turn):
        await typed(board, "q/zx?i p1")
        assert board.commands == []
        assert turn.draft.text == "q/zx?i p1"
        await board.press("escape")
        assert "enter write" in board.text
        await board.press("z")
        assert board.panes.is_zoomed
        assert "q/zx?i p1" in board.text
        await board.press("x")
        assert len(board.commands) == 1
        await board.press("enter")
        await typed(board, "!")
        assert turn.draft.text == "q/zx?i p1!"


async def test_click_returns_to_the_editor() -> None:
    async with writing() as (board, turn):
        await board.press("escape", "tab")
        assert board.panes.current.state.id == "ben"
        await board.pilot.click(TurnTextArea)
        await board.settle()
        assert board.panes.current.state.id == "ada"
        await typed(board, "a")
        assert turn.draft.text == "a"


async def test_other_panes_are_read_while_the_editor_stays_open() -> None:
    async with writing() as (board, turn):
        await typed(board, "a")
        await board.press("tab")
        assert not is_typing(board)
        await board.press("shift+tab")
        assert is_typing(board)
        board.say("ben", "He answers meanwhile.")
        await board.settle()
        assert "He answers meanwhile." in board.text
        assert turn.draft.text == "a"


async def test_undo_is_the_editors_own() -> None:
    async with writing() as (board, turn):
        await typed(board, "a")
        await board.press("ctrl+z")
        assert turn.draft.text == ""
        assert board.app.is_running


async def test_help_opens_while_the_user_types() -> None:
    async with writing() as (board, turn):
        await board.press("question_mark", "f1")
        assert "send the turn you write" in board.text
        await board.press("escape")
        assert is_typing(board)
        assert turn.draft.text == "?"


async def test_nothing_is_not_sent() -> None:
    async with writing() as (board, turn):
        await board.press("space", "enter", "ctrl+s")
        assert "Write something first" in board.text
        assert not turn.task.done()
        assert is_typing(board)


async def test_too_many_words_are_shown_and_sent() -> None:
    long = TurnDraft()
    long.text = "word " * 203
    async with writing(draft=long) as (board, turn):
        assert "203/200 words: 3 too many" in board.text
        await board.press("ctrl+s")
        assert await turn.task == ("word " * 203).strip()


def test_words_without_a_target_are_counted() -> None:
    counted = [TurnEditor("", text, 0, on_change=print, on_focus=print) for text in ("Tea", "Tea time")]
    assert [editor.length_pieces[0].text for editor in counted] == ["1 word", "2 words"]


async def test_pasted_text_is_cleaned_and_keeps_its_lines() -> None:
    async with writing() as (board, turn):
        board.app.post_message(events.Paste("one\n\x1b[31mtwo\x1b[0m\x07"))
        await board.settle()
        assert turn.draft.text == "one\ntwo"


async def test_stopped_turn_closes_the_editor_and_keeps_the_draft() -> None:
    async with writing() as (board, turn):
        await typed(board, "half a")
        turn.task.cancel()
        await asyncio.wait([turn.task])
        await board.settle()
        assert "your turn" not in board.text
        assert not is_typing(board)
        again = WrittenTurn(board, draft=turn.draft)
        await board.settle()
        await typed(board, "!")
        await board.press("ctrl+s")
        assert await again.task == "half a!"


async def test_turn_that_ended_before_its_editor_opened_leaves_none() -> None:
    async with writing() as (board, _):
        turn = WrittenTurn(board, "ben")
        await asyncio.sleep(0)
        turn.task.cancel()
        await asyncio.wait([turn.task])
        await board.settle()
        assert board.pane("ben").editor is None


async def test_two_people_write_in_turn() -> None:
    async with writing() as (board, first):
        second = WrittenTurn(board, "ben")
        await board.settle()
        await typed(board, "a")
        await board.press("ctrl+s")
        assert await first.task == "a"
        assert board.panes.current.state.id == "ben"
        await typed(board, "b")
        await board.press("ctrl+s")
        assert await second.task == "b"


async def test_open_input_keeps_the_focus() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.settle()
        await board.press("i")
        turn = WrittenTurn(board)
        await board.settle()
        assert "your turn" in board.text
        assert not is_typing(board)
        await board.press("escape")
        assert is_typing(board)
        turn.task.cancel()


async def test_paused_debater_is_shown_as_paused() -> None:
    async with writing() as (board, _):
        board.log_events(DebatePaused(reason="user", debater="ada"))
        await board.settle()
        assert "paused" in board.text
        assert "your turn" not in board.text


async def test_draft_is_saved_privately_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "drafts" / "d-1.txt"
    async with writing(draft=TurnDraft(file, config.write_private_file)) as (board, _):
        await typed(board, "caf\u00e9")
        while not file.exists():
            await board.pilot.pause()
        assert file.read_text("utf-8") == "café"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        await board.press("backspace", "backspace")
    assert file.read_text("utf-8") == "ca", "also when the debate ends"
    assert TurnDraft(file).text == "ca"


async def test_draft_that_cannot_be_saved_is_reported() -> None:
    def refuse(_file: object, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    async with writing(draft=TurnDraft(Path("/nowhere/d-1.txt"), refuse)) as (board, turn):
        await typed(board, "a")
        while "The draft could not be saved" not in board.text:
            await board.settle()
        await board.press("ctrl+s")
        assert await turn.task == "a"


async def test_text_is_wrapped_again_for_another_width_also_without_the_focus() -> None:
    words = "one two three four five six seven eight nine ten eleven twelve"  # two lines in both widths
    async with writing() as (board, _):
        await typed(board, words)
        await board.press("escape")
        await board.pilot.resize_terminal(80, 24)
        await board.settle()
        left_column = " ".join(line.partition("│")[0] for line in board.text.splitlines())
        assert words in " ".join(left_column.split())


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 45), (60, 16), (90, 60)])
async def test_editor_fits_whatever_the_size(width: int, height: int) -> None:
    async with writing(4, width=width, height=height) as (board, _):
        await typed(board, "seen")
        assert "seen" in board.text
        assert "1/200 words" in board.text
        await board.pilot.resize_terminal(120, 35)
        await board.settle()
        assert "seen" in board.text


@at_every_size_and_theme
@pytest.mark.usefixtures("frozen_clocks")
def test_writing(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    def write(board: DebateHarness) -> None:
        board.begin().phase().status("ben", "streaming")
        board.say("ben", "Cars take the room that people need, and give back noise.")
        draft = TurnDraft()
        draft.text = "A city centre is a place to be, not one to drive through.\n\nFirst, "
        WrittenTurn(board, draft=draft)

    assert matches_snapshot(snap_compare, DebateHarness(2, theme=theme), size, write)
