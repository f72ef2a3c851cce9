"""Stream statistics on a real terminal: live over the debate, and as a table behind it."""

from __future__ import annotations

from tests.terminal.feeds import Feeds
from tests.terminal.running import opened


async def test_the_debate_goes_on_beneath_and_the_table_follows_the_screen() -> None:
    async with Feeds(*"ab") as feeds, opened("How fast?", "--stats", *feeds.debaters) as terminal:
        feeds.say("a", "one ")
        await terminal.shows("one", "streaming")
        terminal.press("s")
        await terminal.shows("Stream statistics", "tokens/s", "4 B · 1")
        feeds.say("a", "two ", "three")
        await terminal.shows("13 B · 3", "HTTP/1.1 · new", "one two three")
        terminal.press("s")
        await terminal.until(lambda display: "Stream statistics" not in display.text)
        await terminal.shows("one two three")
        feeds.end()
        await terminal.shows("over")
        terminal.press("q")
        assert await terminal.ended() == 0
        assert terminal.left_as_found()
        told = terminal.words_afterwards
    assert told.startswith("Stream statistics")
    assert "\x1b" not in told
    assert ["text,", "chunks", "13", "B,", "3", "0", "B,", "0"] in [
        line.split() for line in told.splitlines()
    ]
