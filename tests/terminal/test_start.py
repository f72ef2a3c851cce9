"""Without a topic, on a terminal: the start screen, and the debate that is begun there in its place."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from tests.fakes.provider_server import NO_LOCAL_SERVERS
from tests.stored_debate import store_debate
from tests.terminal.pty_terminal import run_in_terminal
from tests.tui.replay_harness import recorded_debate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terminal.terminal_emulator import EmulatedDisplay

ENTERED = b"\x1b[?1049h"


def saved_state(home: Path) -> dict[str, object]:
    kept: dict[str, object] = json.loads((home / "state" / "debate-tui" / "state.json").read_text())
    return kept


async def test_a_debate_is_begun_without_leaving_the_screen(own_folders: Path) -> None:
    async with run_in_terminal(**NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("What should they debate?", "Start the debate")
        terminal.press("Is tea better?")
        await terminal.wait_for_text("Is tea better?")
        seen = len(terminal.display.frames)
        terminal.press("\r")
        await terminal.wait_for_text("Opening", "Scripted demo")

        def blank(frame: bytes) -> bool:
            return b"\x1b[2J" in frame

        assert not any(blank(frame) for frame in terminal.display.frames[seen:])
        assert terminal.display.raw.count(ENTERED) == 1
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
    kept = saved_state(own_folders)
    assert kept["format"] == "oxford"
    assert "debaters" not in kept, "what is found by itself is found anew"


async def test_what_was_chosen_is_there_the_next_time(own_folders: Path) -> None:
    def chosen(display: EmulatedDisplay) -> bool:
        return "demo:sceptic" in display.text and "compare" in display.text

    async with run_in_terminal(
        "-d", "demo:sceptic", "-d", "demo", "-f", "compare", **NO_LOCAL_SERVERS
    ) as terminal:
        await terminal.wait_until(chosen)
        terminal.press("Is tea better?\r")
        await terminal.wait_for_text("Is tea better?", "Scripted demo")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    assert saved_state(own_folders)["debaters"] == ["demo:sceptic", "demo"]
    async with run_in_terminal(**NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_until(chosen)
        terminal.press("\x11")
        assert await terminal.wait_for_exit() == 0
    async with run_in_terminal("Is tea better?", **NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("scripted", "Ines")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


async def test_what_cannot_begin_is_said_on_the_start_screen() -> None:
    async with run_in_terminal("-d", "groq:x", "-d", "demo", **NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("groq:x")
        terminal.press("Is tea better?\r")
        await terminal.wait_for_text("No API key found for Groq.")
        terminal.press("\t\x1b[D\x1b[D\x1b[F\r")  # before groq:x come "me" and the demo
        await terminal.wait_for_text("Scripted demo")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


async def test_a_signal_ends_it_and_restores_the_terminal() -> None:
    async with run_in_terminal(**NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("What should they debate?")
        terminal.send(signal.SIGTERM)
        assert await terminal.wait_for_exit() == 128 + signal.SIGTERM
        assert terminal.is_restored()


async def test_what_cannot_be_a_source_is_said_at_once() -> None:
    async with run_in_terminal("-d", "nobody:x", "-d", "demo", **NO_LOCAL_SERVERS) as terminal:
        assert await terminal.wait_for_exit() == 2
        assert "No provider named 'nobody'" in terminal.text_after_exit


async def test_a_paste_is_text_even_with_escape_codes_and_lines_in_it() -> None:
    """Nothing of it is a key: neither does Enter begin a debate, nor is a letter lost."""
    async with run_in_terminal(**NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("What should they debate?", "Start the debate")
        terminal.press("\x1b[200~Should we \x1b[31mtrust\x1b[0m\rmachines?\x1b[201~")
        await terminal.wait_for_text("Should we trust machines?", "Start the debate")
        terminal.press("\x11")
        assert await terminal.wait_for_exit() == 0


async def test_keys_that_are_no_text_end_nothing() -> None:
    async with run_in_terminal(**NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("What should they debate?", "Start the debate")
        terminal.press(b"a\xff\xfeb\xc3")
        terminal.press(b"\xa9")
        await terminal.wait_until(lambda display: "a" in display.text and "é" in display.text)
        terminal.press("\x11")
        assert await terminal.wait_for_exit() == 0


async def test_the_history_is_looked_at_and_the_setup_is_there_again() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal(columns=120, rows=35, **NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("What should they debate?", "^r history")
        terminal.press("Is tea better?")
        await terminal.wait_for_text("Is tea better?")
        terminal.press("\x12")
        await terminal.wait_for_text("Recorded debates", "✓ complete", "esc new debate")
        terminal.press("\x1b")
        await terminal.wait_for_text("What should they debate?", "Is tea better?")
        terminal.press("\x12")
        await terminal.wait_for_text("Recorded debates")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


async def test_an_example_a_number_of_rounds_and_a_budget_are_those_of_the_debate() -> None:
    async with run_in_terminal("-r", "3", "--max-cost", "0.5", **NO_LOCAL_SERVERS) as terminal:
        await terminal.wait_for_text("Rebuttal × 3", "$0.50")
        terminal.press("\x1b[A")
        await terminal.wait_for_text("Example topics")
        terminal.press("\r")
        await terminal.wait_for_text("Should cities ban private cars?", "Start the debate")
        terminal.press("\t\x1b[B\x1b[B\x1b[B\x1b[B\x1b[D")
        await terminal.wait_for_text("Rebuttal × 2")
        terminal.press("\x1b[F\r")
        await terminal.wait_for_text("Scripted demo")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
