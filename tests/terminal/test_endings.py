"""However a debate on the full screen ends: the terminal is as it was, and the record is complete."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import termios
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from debate_tui.config import record_file
from debate_tui.record.stores import list_debates
from tests.fakes.sse_server import Reply, SseServer
from tests.stored_debate import stored_texts
from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sse_server import ReceivedRequest

CTRL_C = "\x03"
CTRL_Z = "\x1a"
ZOOM = "z"


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("q", 0),
        (CTRL_C, 0),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGINT, 130),
    ],
)
async def test_terminal_and_record_are_in_order(by: str | signal.Signals, code: int) -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Enough?", *feeds.debater_options) as terminal,
    ):
        feeds.say("a", "one two")
        feeds.say("b", "drei vier")
        await terminal.wait_for_text("one two", "drei vier")
        if isinstance(by, str):
            terminal.press(by)
        else:
            terminal.send(by)
        assert await terminal.wait_for_exit() == code
        assert terminal.is_restored()
        told = terminal.text_after_exit
    if isinstance(by, str):
        (debate,) = list_debates(record_file())
        name = debate.debate
        assert told == (
            f"Debate {name} | read: debate-tui history {name} | resume: debate-tui --continue {name}"
            f" | export: debate-tui export {name}"
        )
    else:
        assert told == ""
    assert stored_texts(reason="stopped") == {"a": "one two", "b": "drei vier"}


async def test_a_debate_that_is_over_stays_on_the_screen_until_it_is_left() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Over?", *feeds.debater_options) as terminal,
    ):
        feeds.say("a", "last word")
        feeds.say("b", "none")
        feeds.end()
        await terminal.wait_for_text("✓ complete", "last word")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
    assert stored_texts(reason="complete") == {"a": "last word", "b": "none"}


async def test_a_screen_that_has_grown_is_given_back_empty() -> None:
    """Or tmux leaves some of it behind."""
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Wider?", *feeds.debater_options, columns=80, rows=24) as terminal,
    ):
        await terminal.wait_for_text("connected")
        terminal.resize(160, 45)
        feeds.say("a", "a word")
        await terminal.wait_until(lambda display: "a word" in display.text and "quit" in display.row(44))
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    painted, left, _ = bytes(terminal.display.raw).rpartition(b"\x1b[?1049l")
    assert left
    assert painted.rindex(b"\x1b[2J") > painted.rindex(b"a word")


async def test_a_piped_topic_leaves_the_keyboard_to_the_screen() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal(*feeds.debater_options, stdin=PIPE) as terminal,
    ):
        assert terminal.process.stdin is not None
        terminal.process.stdin.write(b"Are pipes\nbetter than arguments?\n")
        terminal.process.stdin.close()
        await terminal.wait_for_text("Are pipes better than arguments?", "hybrid")
        terminal.press("1")
        await terminal.wait_until(lambda display: "synchronized" in display.row(0))
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


@pytest.mark.parametrize("nohup", [False, True], ids=["hang-up", "nohup"])
async def test_a_terminal_that_vanishes_ends_the_debate_with_its_record_complete(nohup: bool) -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Gone?", *feeds.debater_options, nohup=nohup) as terminal,
    ):
        feeds.say("a", "said")
        feeds.say("b", "and done")
        await terminal.wait_for_text("said", "and done")
        terminal.hang_up()
        assert await terminal.wait_for_exit() == 128 + signal.SIGHUP
    assert stored_texts(reason="stopped") == {"a": "said", "b": "and done"}


async def test_without_a_screen_a_debate_goes_on_after_hangups_that_are_ignored() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("On?", "--json", *feeds.debater_options, nohup=True, stdout=PIPE) as terminal,
    ):
        await feeds.server.received(2)
        terminal.send(signal.SIGHUP)
        feeds.say("a", "still here")
        feeds.say("b", "here, too")
        feeds.end()
        assert await terminal.wait_for_exit() == 0
    assert stored_texts(reason="complete") == {"a": "still here", "b": "here, too"}


async def test_a_second_hangup_does_not_spoil_the_ending() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Again?", *feeds.debater_options) as terminal,
    ):
        feeds.say("a", "said")
        await terminal.wait_for_text("said")
        terminal.send(signal.SIGHUP)
        await terminal.wait_until(lambda display: display.modes[2004] is False)
        terminal.send(signal.SIGHUP)
        assert await terminal.wait_for_exit() == 128 + signal.SIGHUP
        assert terminal.is_restored()
    assert stored_texts(reason="stopped")["a"] == "said"


def flood(request: ReceivedRequest) -> Reply:
    """More than any terminal can show."""
    return Reply(itertools.repeat(b'data: {"delta": "on and on and on "}\n\n' * 2000))


def flooded(server: SseServer, names: str) -> list[str]:
    return [part for name in names for part in ("-d", f"{name}={server.origin}/{name}")]


async def test_quitting_while_every_reader_waits() -> None:
    async with (
        SseServer(script=flood) as server,
        run_in_terminal("Too much?", *flooded(server, "abcd")) as terminal,
    ):
        await terminal.wait_until(lambda display: display.text.count("on and on") > 4)
        terminal.fill_output()
        await server.stalled(4)
        terminal.press("q")
        terminal.read()
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()
    assert set(stored_texts(reason="stopped")) == {"a", "b", "c", "d"}


async def test_a_terminal_that_takes_nothing_any_more_does_not_keep_the_program() -> None:
    async with (
        SseServer(script=flood) as server,
        run_in_terminal("Stuck?", *flooded(server, "ab")) as terminal,
    ):
        await terminal.wait_until(lambda display: display.text.count("on and on") > 2)
        terminal.fill_output()
        terminal.press(ZOOM * 40)
        await server.stalled(2)
        terminal.send(signal.SIGTERM)
        assert await terminal.exit_task == 128 + signal.SIGTERM
    assert set(stored_texts(reason="stopped")) == {"a", "b"}


async def test_going_on_without_having_been_stopped_changes_nothing() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Go on?", *feeds.debater_options) as terminal,
    ):
        await terminal.wait_for_text("hybrid")
        terminal.send(signal.SIGCONT)
        terminal.press("1")
        await terminal.wait_for_text("synchronized")
        terminal.send(signal.SIGTERM)
        terminal.send(signal.SIGCONT)
        assert await terminal.wait_for_exit() == 128 + signal.SIGTERM
        assert terminal.is_restored()


async def test_a_stopped_program_that_continues_paints_its_whole_screen() -> None:
    async with (
        ControlledEndpoints(*"ab") as feeds,
        run_in_terminal("Stopped?", *feeds.debater_options) as terminal,
    ):
        feeds.say("a", "one two")
        await terminal.wait_for_text("one two", "Stopped?", "│", "quit")
        terminal.press(CTRL_Z)
        await asyncio.to_thread(os.waitid, os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        terminal.send(signal.SIGCONT)
        await terminal.wait_for_text("one two", "Stopped?", "│", "quit")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


BROKEN = """
from debate_tui.tui.widgets.pane_grid import PaneGrid

def broken(self):
    secret = "in memory"
    raise RuntimeError("nobody foresaw this")

PaneGrid.action_zoom = broken
from debate_tui.__main__ import main
main()
"""


async def test_an_unexpected_error_prints_two_lines_and_is_saved_to_a_file(own_folders: Path) -> None:
    async with run_in_terminal("Q?", "-d", "demo", "-d", "demo", program=("-c", BROKEN)) as terminal:
        await terminal.wait_for_text("waiting", "zoom")
        terminal.press("z")
        assert await terminal.wait_for_exit() == 1
        assert terminal.is_restored()
        raw = terminal.display.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert "Unexpected error: RuntimeError." in raw
    assert "in memory" not in raw
    report = next(own_folders.rglob("crash.txt"))
    assert "nobody foresaw this" in report.read_text("utf-8")


@pytest.mark.parametrize(
    "number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name
)
async def test_a_terminal_that_takes_bytes_again_gets_its_modes_back(number: signal.Signals) -> None:
    async with (
        SseServer(script=flood) as server,
        run_in_terminal("Stuck?", *flooded(server, "ab")) as terminal,
    ):
        await terminal.wait_until(lambda display: display.text.count("on and on") > 2)
        terminal.fill_output()
        terminal.press(ZOOM * 40)
        await server.stalled(2)
        terminal.send(number)
        terminal.read()
        assert await terminal.wait_for_exit() == 128 + number
        assert terminal.is_restored()


@pytest.mark.parametrize(
    "number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name
)
async def test_a_terminal_that_is_given_up_has_its_attributes_back(number: signal.Signals) -> None:
    """Also where something is to be said at the end."""
    async with (
        SseServer(script=flood) as server,
        run_in_terminal("Stuck?", "--stats", *flooded(server, "ab")) as terminal,
    ):
        await terminal.wait_until(lambda display: display.text.count("on and on") > 2)
        terminal.fill_output()
        terminal.press(ZOOM * 40)
        await server.stalled(2)
        terminal.send(number)
        assert await terminal.exit_task == 128 + number
        assert termios.tcgetattr(terminal.slave) == terminal.attributes_at_the_start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_signals_end_the_manual_and_restore_the_terminal(number: signal.Signals) -> None:
    async with run_in_terminal("help") as terminal:
        await terminal.wait_for_text("The debate-tui manual", "quit")
        terminal.send(number)
        assert await terminal.wait_for_exit() == 128 + number
        assert terminal.is_restored()
