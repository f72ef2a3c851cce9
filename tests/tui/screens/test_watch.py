"""The screen of somebody who watches: pausing is nobody else's business, and the line is explained."""

from __future__ import annotations

import pytest

from debate_tui.domain.events import DebateFinished, DebatePaused, DebateResumed
from tests.tui.watch_board import watch_board


async def test_text_received_while_paused_is_shown_on_resume() -> None:
    board = watch_board()
    async with board.opened():
        board.say("ada", "First. ").say("ben", "Also. ")
        await board.settle()
        await board.press("space")
        assert board.text.count("‖ paused") == 3, "header and both panes"
        board.say("ada", "Second. ").say("ben", "Too. ").end("ben")
        await board.settle()
        assert "First." in board.text
        assert "Second." not in board.text
        assert "Too." not in board.text
        assert "resume" in board.rows[-1] or "the debate continues" in board.rows[-1]
        await board.press("space")
        assert "First. Second." in board.pane_text("ada")
        assert "Also. Too." in board.pane_text("ben")
        assert "paused" not in board.text
        assert "✓ done" in board.text


async def test_one_pane_can_be_paused() -> None:
    board = watch_board()
    async with board.opened():
        await board.press("p")
        board.say("ada", "Held. ").say("ben", "Shown. ")
        await board.settle()
        assert "Held." not in board.text
        assert "Shown." in board.text
        await board.press("space")
        board.say("ada", "More. ").say("ben", "Held, too. ")
        await board.settle()
        assert "Held" not in board.text
        await board.press("space")
        assert "Held. More." in board.pane_text("ada")
        assert "Shown. Held, too." in board.pane_text("ben")


async def test_viewer_cannot_resume_what_the_host_paused() -> None:
    board = watch_board()
    async with board.opened():
        board.log_events(DebatePaused(reason="user", debater=None))
        await board.settle()
        assert "‖ paused" in board.rows[0]
        assert "space pause" in board.rows[-1]
        await board.press("space")
        board.log_events(DebateResumed(reason="user", debater=None)).say("ada", "Said since. ")
        await board.settle()
        assert "Said since." not in board.text
        assert "‖ paused" in board.rows[0]
        await board.press("space")
        assert "Said since." in board.text
        assert "paused" not in board.text


async def test_debate_may_end_while_paused() -> None:
    board = watch_board()
    async with board.opened():
        await board.press("space")
        board.say("ada", "Last words.").end("ada").end("ben").log_events(DebateFinished(reason="complete"))
        await board.settle()
        assert "Last words." not in board.text
        await board.press("space")
        assert "Last words." in board.text
        await board.press("space")
        assert "The debate is over" in board.text
        assert "paused" not in board.text


async def test_rewind_discards_held_items() -> None:
    board = watch_board()
    async with board.opened():
        await board.press("space")
        board.say("ada", "Held. ")
        await board.settle()
        board.log.on_rewind()
        await board.settle()
        assert board.pane_text("ada").count("Held.") == 1
        assert "paused" not in board.text


@pytest.mark.parametrize("transport", ["HTTP/1.1", "WebSocket"])
async def test_statistics_show_the_transport(transport: str) -> None:
    board = watch_board()
    board.log.transport = transport
    async with board.opened(160, 45):
        await board.press("s")
        assert board.text.count(transport) == 2


async def test_connection_notice_is_shown_until_reconnected() -> None:
    board = watch_board()
    async with board.opened():
        board.log.on_connection_notice("The host is away. Reconnecting in 3 s.")
        await board.settle()
        assert "The host is away." in board.text
        board.log.on_connection_notice("")
        await board.settle()
        assert "The host is away." not in board.text


async def test_help_lists_the_keys_of_a_viewer() -> None:
    board = watch_board()
    async with board.opened():
        await board.press("question_mark")
        assert "pause or resume all (here)" in board.text
        assert "interject" not in board.text
