"""A search in a real terminal, while text streams."""

from __future__ import annotations

from tests.terminal.feeds import Feeds
from tests.terminal.running import opened


async def test_matches_are_counted_as_they_come_and_gone_to() -> None:
    async with Feeds("Ada", "Ben") as feeds, opened("Where?", *feeds.debaters) as terminal:
        feeds.say("Ada", "A needle here. ")
        await terminal.shows("A needle here.")
        terminal.press("/needle")
        await terminal.shows("/ needle", "1 match")
        feeds.say("Ben", "A needle there. ")
        await terminal.shows("2 matches")
        terminal.press("\r")
        await terminal.shows("1 of 2", "n next")
        feeds.say("Ada", "And needles.")
        await terminal.shows("1 of 3", "And needles.")
        terminal.press("nn")
        await terminal.shows("3 of 3")
        terminal.press("\x1b")
        await terminal.until(lambda display: "3 of 3" not in display.text)
        terminal.press("q")
        assert await terminal.ended() == 0
