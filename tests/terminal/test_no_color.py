"""``NO_COLOR`` in a real terminal: not one colour, and everything can be told apart all the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from tests.terminal.pty_terminal import Terminal

SGR = re.compile(rb"\x1b\[([\d;:]*)m")
COLOURS = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
BOLD, DIM, REVERSE = 1, 2, 7


def codes(terminal: Terminal) -> set[int]:
    """The attributes and colours that were ever asked for."""
    numbers = re.findall(rb"\d+", b";".join(SGR.findall(bytes(terminal.display.raw))))
    return {int(number) for number in numbers}


def reversed_text(terminal: Terminal) -> str:
    """What stands out on the screen now."""
    cells = terminal.display.cells
    rows = (cells.buffer[y] for y in range(cells.lines))
    return "".join(row[x].data for row in rows for x in range(cells.columns) if row[x].reverse)


@pytest.mark.parametrize("theme", ["vigil", "gallery", "ansi-dark", "nord"])
async def test_no_screen_sends_a_colour(theme: str) -> None:
    async with run_in_terminal("--theme", theme, "--judge", "demo", rows=45, NO_COLOR="1") as terminal:
        await terminal.wait_for_text("What should they debate?", "scripted")
        terminal.press("\t\r")
        await terminal.wait_for_text("another source")
        terminal.press("\x1b")
        await terminal.wait_until(lambda display: "another source" not in display.text)
        terminal.press("\tIs tea better?\r")
        await terminal.wait_for_text("▸ streaming")
        for key, shown in (
            ("?", "Keys and badges"),
            ("s", "Stream statistics"),
            ("M", "Moderate the debate"),
            ("e", "Markdown"),
        ):
            terminal.press(key)
            await terminal.wait_for_text(shown)
            terminal.press("\x1b")
            await terminal.wait_until(lambda display, shown=shown: shown not in display.text)
        terminal.press("i")
        await terminal.wait_for_text("to all")
        terminal.press("\x1b")
        await terminal.wait_until(lambda display: "to all" not in display.text)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
        assert not codes(terminal) & COLOURS
        assert {BOLD, REVERSE} < codes(terminal)


async def test_a_match_and_a_selection_stand_out_and_lines_do_not() -> None:
    async with (
        ControlledEndpoints("Ada", "Ben") as feeds,
        run_in_terminal("Where?", *feeds.debater_options, NO_COLOR="1") as terminal,
    ):
        feeds.say("Ada", "A needle here.")
        await terminal.wait_for_text("A needle here.")
        assert DIM in codes(terminal)
        terminal.press("/needle\r")
        await terminal.wait_until(lambda _: "needle" in reversed_text(terminal))
        terminal.press("\x1b")
        await terminal.wait_until(lambda _: "needle" not in reversed_text(terminal))
        row = next(y for y in range(45) if "A needle here." in terminal.display.row(y)) + 1
        terminal.press(f"\x1b[<0;4;{row}M\x1b[<32;10;{row}M")
        await terminal.wait_until(lambda _: "needle"[:5] in reversed_text(terminal))
        terminal.press(f"\x1b[<0;10;{row}m")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert not codes(terminal) & COLOURS
