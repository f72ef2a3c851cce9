"""Stream statistics on a real terminal: live over the debate, and as a table behind it."""

from __future__ import annotations

from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal


async def test_the_debate_goes_on_beneath_and_the_table_follows_the_screen() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("How fast?", "--stats", *feeds.debater_options) as terminal,
    ):
        feeds.say("a", "one ")
        await terminal.wait_for_text("one", "streaming")
        terminal.press("s")
        await terminal.wait_for_text("Stream statistics", "tokens/s", "~1")
        feeds.say("a", "two ", "three")
        await terminal.wait_for_text("~3", "HTTP/1.1", "one two three")
        terminal.press("s")
        await terminal.wait_until(lambda display: "Stream statistics" not in display.text)
        await terminal.wait_for_text("one two three")
        feeds.say("b", "ok")
        await terminal.wait_for_text("ok")
        feeds.end()
        await terminal.wait_for_text("✓ complete")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
        told = terminal.text_after_exit
    assert told.startswith("Stream statistics")
    assert "\x1b" not in told
    assert ["tokens", "~3", "~0"] in [line.split() for line in told.splitlines()]
