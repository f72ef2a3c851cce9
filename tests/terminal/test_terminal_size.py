"""What happens where the terminal is too small for the panes, or is none."""

from __future__ import annotations

from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from tests.fakes.sse_server import DONE_EVENT, SseServer, reply
from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from typing import Any


@pytest.mark.parametrize(
    "without", [{"TERM": "dumb"}, {"stdout": PIPE}, {"stderr": PIPE}], ids=["dumb", "stdout", "stderr"]
)
async def test_without_a_fit_terminal_there_is_plain_text(without: dict[str, Any]) -> None:
    async with SseServer(reply(b'data: {"delta": "plainly said"}\n\n' + DONE_EVENT)) as server:
        debaters = [part for name in "ab" for part in ("-d", f"{name}={server.origin}/{name}")]
        async with run_in_terminal("Plain?", *debaters, **without) as terminal:
            assert await terminal.wait_for_exit() == 0
            piped = [
                (await pipe.read()).decode()
                for pipe in (terminal.process.stdout, terminal.process.stderr)
                if pipe is not None
            ]
    shown = terminal.display.raw.decode()
    assert "".join([terminal.display.text, *piped]).count("plainly said") == 2
    assert "\x1b" not in "".join(piped)
    if "stderr" in without:  # standard output is a terminal: it has a line for the state, painted over
        assert "\x1b[?1049h" not in shown
    else:
        assert "\x1b" not in shown
    assert terminal.is_restored()


async def test_a_terminal_that_is_too_small_says_what_it_needs_and_shows_tabs() -> None:
    async with (
        ControlledEndpoints("ann", "bob", "cem", "dor") as feeds,
        run_in_terminal("Room?", *feeds.debater_options, columns=60, rows=12) as terminal,
    ):
        for name in feeds.names:
            feeds.say(name, f"here is {name}")
        await terminal.wait_for_text("need 80×", "60×12", *feeds.names, "here is ann")
        assert "here is bob" not in terminal.display.text
        terminal.press("\t")
        await terminal.wait_for_text("here is bob")
        terminal.resize(160, 30)
        await terminal.wait_for_text(*(f"here is {name}" for name in feeds.names))
        await terminal.wait_until(lambda display: "need" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


@pytest.mark.parametrize(("columns", "rows"), [(0, 0), (0, 24), (80, 0)])
async def test_a_terminal_of_no_size_is_an_ordinary_one_until_it_has_a_size(columns: int, rows: int) -> None:
    """As in containers and on serial lines: painted once, and quick to obey."""
    async with (
        ControlledEndpoints("ann", "bob") as feeds,
        run_in_terminal("Sized?", *feeds.debater_options, columns=columns, rows=rows) as terminal,
    ):
        feeds.say("ann", "here is ann")
        await terminal.wait_for_text("here is ann", "hybrid")
        terminal.press("1")
        await terminal.wait_for_text("synchronized")
        terminal.press("2")
        await terminal.wait_for_text("staggered")
        assert len(terminal.display.raw) < 100_000
        terminal.resize(160, 45)
        await terminal.wait_until(lambda display: "quit" in display.row(44))
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


async def test_the_start_screen_has_a_size_too() -> None:
    async with run_in_terminal(columns=0, rows=0) as terminal:
        await terminal.wait_for_text("Start the debate", "quit")
        terminal.press("\x11")
        assert await terminal.wait_for_exit() == 0
        assert len(terminal.display.raw) < 100_000


async def test_the_start_screen_is_usable_again_after_a_tiny_size() -> None:
    async with run_in_terminal(columns=1, rows=1) as terminal:
        await terminal.wait_until(lambda display: display.raw)
        terminal.resize(160, 45)
        await terminal.wait_for_text("Start the debate", "quit")
        terminal.press("\x11")
        assert await terminal.wait_for_exit() == 0
