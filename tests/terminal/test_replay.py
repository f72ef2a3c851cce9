"""A debate played back in a real terminal."""

from __future__ import annotations

import signal

import pytest

from debate_tui.domain import events as ev
from tests.stored_debate import store_debate
from tests.terminal.pty_terminal import run_in_terminal
from tests.tui.replay_harness import recorded_debate


async def test_a_debate_is_played_and_left_as_it_was_found() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("replay", "--speed", "64") as terminal:
        await terminal.wait_for_text("replay", "64×", "■ ended", "✓ complete", "On second thought, no.")
        terminal.press("  ")
        await terminal.wait_for_text("‖ paused", "0:0", "Opening")
        await terminal.wait_until(lambda display: "On second thought" not in display.text)
        terminal.press("9")
        await terminal.wait_for_text("Closing")
        terminal.press("[[")
        await terminal.wait_until(lambda display: "Closing" not in display.text)
        terminal.press(",,,,,,")
        await terminal.wait_for_text("1×")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


async def test_it_can_begin_with_a_later_round() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("replay", "cafe", "--from", "4") as terminal:
        await terminal.wait_for_text("Closing", "On second thought, no.", "▸ playing  0:3")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


async def test_a_round_that_is_not_there_is_said_before_the_screen_is_taken() -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("replay", "--from", "5") as terminal:
        assert await terminal.wait_for_exit() == 2
        assert "has no round 5" in terminal.display.text
        assert b"\x1b[?1049h" not in terminal.display.raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_signals_end_it_and_restore_the_terminal(number: signal.Signals) -> None:
    await store_debate(recorded_debate())
    async with run_in_terminal("replay") as terminal:
        await terminal.wait_for_text("▸ playing")
        terminal.send(number)
        assert await terminal.wait_for_exit() == 128 + number
        assert terminal.is_restored()


async def test_hostile_text_is_as_harmless_as_it_was() -> None:
    events = [
        ev.TurnDelta(**{**event_fields(event), "text": "\x1b[2J\x1b]0;pwned\x07Fine.", "offset": 0})
        if isinstance(event, ev.TurnDelta)
        else event
        for event in recorded_debate()
    ]
    await store_debate(events)
    async with run_in_terminal("replay", "--speed", "64") as terminal:
        await terminal.wait_for_text("■ ended", "Fine.")
        assert b"pwned" not in terminal.display.raw.replace(b"Fine.", b"")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


def event_fields(event: ev.TurnDelta) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
