"""A search in a real terminal, while text streams."""

from __future__ import annotations

from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal


async def test_matches_are_counted_as_they_come_and_gone_to() -> None:
    async with (
        ControlledEndpoints("Ada", "Ben") as feeds,
        run_in_terminal("Where?", *feeds.debater_options) as terminal,
    ):
        feeds.say("Ada", "A needle here. ")
        await terminal.wait_for_text("A needle here.")
        terminal.press("/needle")
        await terminal.wait_for_text("/ needle", "1 match")
        feeds.say("Ben", "A needle there. ")
        await terminal.wait_for_text("2 matches")
        terminal.press("\r")
        await terminal.wait_for_text("1 of 2", "n next")
        feeds.say("Ada", "And needles.")
        await terminal.wait_for_text("1 of 3", "And needles.")
        terminal.press("nn")
        await terminal.wait_for_text("3 of 3")
        terminal.press("\x1b")
        await terminal.wait_until(lambda display: "3 of 3" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
