"""The history in a real terminal: what is opened from it, and the way back."""

from __future__ import annotations

import asyncio
import signal

from debate_tui.config import record_file
from debate_tui.domain.transcript import Transcript
from debate_tui.record.stores import list_debates
from tests.fakes.sse_server import SseServer, reply
from tests.stored_debate import store_debate, stored_events, wait_until_durable
from tests.terminal.pty_terminal import run_in_terminal
from tests.tui.replay_harness import recorded_debate


async def test_a_debate_is_opened_and_the_list_comes_back_as_it_was() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("history") as terminal:
        await terminal.wait_for_text("Recorded debates", "1 debate, newest first", "✓ complete")
        terminal.press("/cars")
        await terminal.wait_for_text("/ cars")
        terminal.press("\r")
        await terminal.wait_for_text("replay", "■ ended", "On second thought, no.", "space play")
        terminal.press("q")
        await terminal.wait_for_text("Recorded debates", "/ cars")
        terminal.press("\t ")
        await terminal.wait_for_text("replay", "▸ playing")
        terminal.press("q")
        await terminal.wait_for_text("Recorded debates", "/ cars")
        terminal.press("\x1b")
        await terminal.wait_for_text("Filter by topic")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
        assert terminal.text_after_exit == ""


async def test_a_killed_debate_is_continued_in_the_same_program() -> None:
    half = b'data: {"delta": "The first half, "}\n\n'
    whole = half + b'data: {"delta": "and the second."}\n\nevent: done\ndata: {}\n\n'
    async with SseServer(reply(half, asyncio.Event()), reply(half, asyncio.Event()), reply(whole)) as server:
        debaters = [part for name in ("Ada", "Ben") for part in ("-d", f"{name}={server.origin}/{name}")]
        async with run_in_terminal("Which half?", *debaters) as terminal:
            await asyncio.wait_for(wait_until_durable(2), timeout=60)
            terminal.send(signal.SIGKILL)
            await terminal.wait_for_exit()
        async with run_in_terminal("history") as terminal:
            await terminal.wait_for_text("Which half?", "✂ interrupted", "c resume")
            terminal.press("c")
            await terminal.wait_for_text("The first half, and the second.", "✓ complete")
            terminal.press("q")
            await terminal.wait_for_text("Recorded debates", "Which half?", "✓ complete")
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0
            assert terminal.is_restored()
    transcript = Transcript(stored_events())
    assert [turn.text for turn in transcript.turns.values()] == ["The first half, and the second."] * 2


async def test_a_deleted_debate_is_gone() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("history", "cars") as terminal:
        await terminal.wait_for_text("/ cars", "✓ complete")
        terminal.press("d")
        await terminal.wait_for_text("Delete it permanently")
        terminal.press("y")
        await terminal.wait_for_text("No debate matches", "Deleted")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    assert list_debates(record_file()) == []


async def test_signals_end_it_wherever_it_is() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("history") as terminal:
        await terminal.wait_for_text("✓ complete")
        terminal.press(" ")
        await terminal.wait_for_text("▸ playing")
        terminal.send(signal.SIGTERM)
        assert await terminal.wait_for_exit() == 128 + signal.SIGTERM
        assert terminal.is_restored()


async def test_a_plain_list_is_to_be_had_on_a_terminal_too() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("history", "--plain") as terminal:
        assert await terminal.wait_for_exit() == 0
        assert "cafe" in terminal.display.text
        assert b"\x1b[?1049h" not in terminal.display.raw


async def test_an_empty_record_opens_no_screen() -> None:
    async with run_in_terminal("history") as terminal:
        assert await terminal.wait_for_exit() == 0
        assert "No debates are recorded." in terminal.display.text


async def test_a_debate_that_is_named_is_opened_whole_and_played_from_its_start() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("history", "cafe") as terminal:
        await terminal.wait_for_text("replay", "■ ended", "On second thought, no.")
        terminal.press(" ")
        await terminal.wait_for_text("▸ playing")
        terminal.press("q")
        await terminal.wait_for_text("Recorded debates", "not judged", "cafe")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
