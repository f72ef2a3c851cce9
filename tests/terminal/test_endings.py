"""However a debate on the full screen ends: the terminal is as it was, and the record is complete."""

from __future__ import annotations

import itertools
import signal
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from tests.fakes.sse_server import Reply, SseServer
from tests.terminal.feeds import Feeds
from tests.terminal.recorded import said
from tests.terminal.running import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sse_server import Received

CTRL_C = "\x03"
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
async def test_terminal_and_record_are_in_order(
    by: str | signal.Signals, code: int, own_folders: Path
) -> None:
    async with Feeds(*"ab") as feeds, opened("Enough?", *feeds.debaters) as terminal:
        feeds.say("a", "one two")
        feeds.say("b", "drei vier")
        await terminal.shows("one two", "drei vier")
        if isinstance(by, str):
            terminal.press(by)
        else:
            terminal.send(by)
        assert await terminal.ended() == code
        assert terminal.left_as_found()
        assert terminal.words_afterwards == ""
    assert said(own_folders, reason="stopped") == {"a": "one two", "b": "drei vier"}


async def test_a_debate_that_is_over_stays_on_the_screen_until_it_is_left(own_folders: Path) -> None:
    async with Feeds(*"ab") as feeds, opened("Over?", *feeds.debaters) as terminal:
        feeds.say("a", "last word")
        feeds.end()
        await terminal.shows("over", "last word")
        terminal.press("q")
        assert await terminal.ended() == 0
        assert terminal.left_as_found()
    assert said(own_folders, reason="complete") == {"a": "last word", "b": ""}


async def test_a_screen_that_has_grown_is_given_back_empty() -> None:
    """Or tmux leaves some of it behind."""
    async with Feeds(*"ab") as feeds, opened("Wider?", *feeds.debaters, columns=80, rows=24) as terminal:
        await terminal.shows("connected")
        terminal.resize(160, 45)
        feeds.say("a", "a word")
        await terminal.until(lambda display: "a word" in display.text and "quit" in display.row(44))
        terminal.press("q")
        assert await terminal.ended() == 0
    painted, left, _ = bytes(terminal.display.raw).rpartition(b"\x1b[?1049l")
    assert left
    assert painted.rindex(b"\x1b[2J") > painted.rindex(b"a word")


async def test_a_piped_topic_leaves_the_keyboard_to_the_screen() -> None:
    async with Feeds(*"ab") as feeds, opened(*feeds.debaters, stdin=PIPE) as terminal:
        assert terminal.process.stdin is not None
        terminal.process.stdin.write(b"Are pipes\nbetter than arguments?\n")
        terminal.process.stdin.close()
        await terminal.shows("Are pipes better than arguments?", "hybrid")
        terminal.press("1")
        await terminal.until(lambda display: "synchronized" in display.row(0))
        terminal.press("q")
        assert await terminal.ended() == 0
        assert terminal.left_as_found()


@pytest.mark.parametrize("nohup", [False, True], ids=["hang-up", "nohup"])
async def test_a_terminal_that_vanishes_ends_the_debate_with_its_record_complete(
    nohup: bool, own_folders: Path
) -> None:
    async with Feeds(*"ab") as feeds, opened("Gone?", *feeds.debaters, nohup=nohup) as terminal:
        feeds.say("a", "said")
        feeds.say("b", "and done")
        await terminal.shows("said", "and done")
        terminal.vanish()
        assert await terminal.ended() == 128 + signal.SIGHUP
    assert said(own_folders, reason="stopped") == {"a": "said", "b": "and done"}


async def test_without_a_screen_a_debate_goes_on_after_hangups_that_are_ignored(own_folders: Path) -> None:
    async with (
        Feeds(*"ab") as feeds,
        opened("On?", "--json", *feeds.debaters, nohup=True, stdout=PIPE) as terminal,
    ):
        await feeds.server.received(2)
        terminal.send(signal.SIGHUP)
        feeds.say("a", "still here")
        feeds.end()
        assert await terminal.ended() == 0
    assert said(own_folders, reason="complete") == {"a": "still here", "b": ""}


async def test_a_second_hangup_does_not_spoil_the_ending(own_folders: Path) -> None:
    async with Feeds(*"ab") as feeds, opened("Again?", *feeds.debaters) as terminal:
        feeds.say("a", "said")
        await terminal.shows("said")
        terminal.send(signal.SIGHUP)
        await terminal.until(lambda display: display.modes[2004] is False)
        terminal.send(signal.SIGHUP)
        assert await terminal.ended() == 128 + signal.SIGHUP
        assert terminal.left_as_found()
    assert said(own_folders, reason="stopped")["a"] == "said"


def flood(request: Received) -> Reply:
    """More than any terminal can show."""
    return Reply(itertools.repeat(b'data: {"delta": "on and on and on "}\n\n' * 2000))


def flooded(server: SseServer, names: str) -> list[str]:
    return [part for name in names for part in ("-d", f"{name}={server.origin}/{name}")]


async def test_quitting_while_every_reader_waits(own_folders: Path) -> None:
    async with SseServer(script=flood) as server, opened("Too much?", *flooded(server, "abcd")) as terminal:
        await terminal.until(lambda display: display.text.count("on and on") > 4)
        terminal.jam()
        await server.stalled(4)
        terminal.press("q")
        terminal.read()
        assert await terminal.ended() == 0
        assert terminal.left_as_found()
    assert set(said(own_folders, reason="stopped")) == {"a", "b", "c", "d"}


async def test_a_terminal_that_takes_nothing_any_more_does_not_keep_the_program(own_folders: Path) -> None:
    async with SseServer(script=flood) as server, opened("Stuck?", *flooded(server, "ab")) as terminal:
        await terminal.until(lambda display: display.text.count("on and on") > 2)
        terminal.jam()
        terminal.press(ZOOM * 40)
        await server.stalled(2)
        terminal.send(signal.SIGTERM)
        assert await terminal.over == 128 + signal.SIGTERM
    assert set(said(own_folders, reason="stopped")) == {"a", "b"}


async def test_going_on_without_having_been_stopped_changes_nothing(own_folders: Path) -> None:
    async with Feeds(*"ab") as feeds, opened("Go on?", *feeds.debaters) as terminal:
        await terminal.shows("hybrid")
        terminal.send(signal.SIGCONT)
        terminal.press("1")
        await terminal.shows("synchronized")
        terminal.send(signal.SIGTERM)
        terminal.send(signal.SIGCONT)
        assert await terminal.ended() == 128 + signal.SIGTERM
        assert terminal.left_as_found()


BROKEN = """
from debate_tui.tui.screens.debate import DebateScreen

def broken(self):
    secret = "in memory"
    raise RuntimeError("nobody foresaw this")

DebateScreen.action_zoom = broken
from debate_tui.__main__ import main
main()
"""


async def test_what_nobody_foresaw_is_told_in_two_lines_and_kept_in_a_file(own_folders: Path) -> None:
    async with opened("Q?", "-d", "demo", "-d", "demo", program=("-c", BROKEN)) as terminal:
        await terminal.shows("waiting", "zoom")
        terminal.press("z")
        assert await terminal.ended() == 1
        assert terminal.left_as_found()
        raw = terminal.display.raw.rpartition(b"\x1b[?1049l")[2].decode()
    assert "This should not have happened: RuntimeError." in raw
    assert "in memory" not in raw
    report = next(own_folders.rglob("crash.txt"))
    assert "nobody foresaw this" in report.read_text("utf-8")
