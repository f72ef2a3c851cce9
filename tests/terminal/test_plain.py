"""``--plain`` on a terminal streams; a dumb terminal gets whole turns without escape codes."""

from __future__ import annotations

from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal

WORDS = "one two three four five six seven eight nine ten eleven twelve "


async def test_turns_stream_wrapped_above_a_status_line() -> None:
    async with (
        ControlledEndpoints("ada", "ben") as endpoints,
        run_in_terminal("Q?", "--plain", *endpoints.debater_options, columns=40, rows=20) as terminal,
    ):
        endpoints.say("ada", WORDS)
        await terminal.wait_for_text("### ada", "one two three", "[", "ada: streaming")
        endpoints.say("ben", "Not now, later. ")
        await terminal.wait_for_text("ben: streaming")
        assert "Not now" not in terminal.display.text
        endpoints.say("ada", "the end")
        endpoints.end()
        assert await terminal.wait_for_exit() == 0
        text = terminal.display.text
    assert "eleven twelve the end" in text
    assert text.index("the end") < text.index("Not now, later.") < text.index("The debate is over.")
    assert "streaming" not in text
    assert all(len(line) < 40 for line in text.splitlines())
    assert b"\x1b[?1049h" not in terminal.display.raw


async def test_a_dumb_terminal_gets_whole_turns_without_escape_codes() -> None:
    async with (
        ControlledEndpoints("ada", "ben") as endpoints,
        run_in_terminal("Q?", "--plain", *endpoints.debater_options, TERM="dumb") as terminal,
    ):
        endpoints.say("ada", WORDS)
        await terminal.wait_for_text("ada: streaming")
        assert "### ada" not in terminal.display.text
        endpoints.say("ben", "No.")
        endpoints.end()
        assert await terminal.wait_for_exit() == 0
    assert b"\x1b" not in terminal.display.raw
    assert WORDS.strip() in terminal.display.text
