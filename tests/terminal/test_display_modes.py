"""Display modes, seen from the terminal: what is painted together, and what the header calls it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.terminal.controlled_endpoints import ControlledEndpoints
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from tests.terminal.terminal_emulator import EmulatedDisplay

WINDOW_MS = 2000
"""Long enough for what is sent to all panes to have come to all of them, however busy the machine."""

ROUNDS = 3


def named(mode: str, display: EmulatedDisplay) -> bool:
    """Whether the header names the mode."""
    return mode in display.row(0)


def painted_panes(display: EmulatedDisplay, *words: str) -> list[int]:
    """The frames in which the words came to the screen."""
    frames = [
        next((place for place, frame in enumerate(display.frames) if word.encode() in frame), None)
        for word in words
    ]
    assert None not in frames, frames
    return [place for place in frames if place is not None]


async def test_a_synchronized_flush_changes_all_panes_within_one_written_frame() -> None:
    async with ControlledEndpoints(*"abcd") as feeds:
        options = ["-m", "synchronized", "--window", str(WINDOW_MS), *feeds.debater_options]
        async with run_in_terminal("Together?", *options) as terminal:
            together = []
            for number in range(ROUNDS):
                words = [f"round-{number}-of-{name}" for name in feeds.names]
                for name, word in zip(feeds.names, words, strict=True):
                    feeds.say(name, f"{word} ")
                await terminal.wait_for_text(*words)
                together.append(set(painted_panes(terminal.display, *words)))
            # The first words also wait for their connections, each as long as it takes.
            assert [len(frames) for frames in together[1:]] == [1] * (ROUNDS - 1)
            assert len(set.union(*together[1:])) == ROUNDS - 1
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0


async def test_staggered_text_is_painted_for_each_pane_on_its_own() -> None:
    async with (
        ControlledEndpoints(*"abcd") as feeds,
        run_in_terminal("Apart?", "-m", "staggered", *feeds.debater_options) as terminal,
    ):
        for name in feeds.names:
            feeds.say(name, f"alone-{name} ")
            await terminal.wait_for_text(f"alone-{name}")
        frames = painted_panes(terminal.display, *(f"alone-{name}" for name in feeds.names))
        assert sorted(set(frames)) == frames
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0


async def test_the_mode_keys_work_and_the_next_run_begins_with_the_mode_of_the_last() -> None:
    async with ControlledEndpoints(*"ab") as feeds:
        async with run_in_terminal("Which mode?", *feeds.debater_options) as terminal:
            await terminal.wait_until(partial(named, "hybrid"))
            for key, mode in (
                ("1", "synchronized"),
                ("2", "staggered"),
                ("3", "hybrid"),
                ("m", "synchronized"),
                ("m", "staggered"),
            ):
                terminal.press(key)
                await terminal.wait_until(partial(named, mode))
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0
        async with run_in_terminal("Still?", *feeds.debater_options) as terminal:
            await terminal.wait_until(partial(named, "staggered"))
            assert "hybrid" not in terminal.display.text
            terminal.press("q")
            assert await terminal.wait_for_exit() == 0
