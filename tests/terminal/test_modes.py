"""Display modes, seen from the terminal: what is painted together, and what the header calls it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.terminal.feeds import Feeds
from tests.terminal.running import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terminal.display import Display

ROUNDS = 6
PIECES = 5


@pytest.fixture
def unhurried(tmp_path: Path) -> str:
    """Settings with which text is painted when so many pieces are there, however long they take."""
    file = tmp_path / "unhurried.toml"
    file.write_text(f"window = 5000\nmax_chunks = {4 * PIECES}\n")
    return str(file)


def named(mode: str, display: Display) -> bool:
    """Whether the header names the mode."""
    return mode in display.row(0)


def painted(display: Display, *words: str) -> list[int]:
    """The frames in which the words came to the screen."""
    frames = [
        next((place for place, frame in enumerate(display.frames) if word.encode() in frame), None)
        for word in words
    ]
    assert None not in frames, frames
    return [place for place in frames if place is not None]


async def test_a_synchronized_flush_changes_all_panes_within_one_written_frame(unhurried: str) -> None:
    async with Feeds(*"abcd") as feeds:
        options = ["-m", "synchronized", "--config", unhurried, *feeds.debaters]
        async with opened("Together?", *options) as terminal:
            for name in feeds.names:
                feeds.say(name, f"first-{name} ")
            await terminal.until(lambda display: display.text.count("tokens") == len(feeds.names))
            terminal.press("1")
            await terminal.shows(*(f"first-{name}" for name in feeds.names))
            together = []
            for number in range(ROUNDS):
                for name in feeds.names:
                    feeds.say(name, *(f"{name}{number}{piece} " for piece in range(PIECES)))
                words = [f"{name}{number}{piece}" for name in feeds.names for piece in range(PIECES)]
                await terminal.shows(*words)
                together.append(set(painted(terminal.display, *words)))
            assert [len(frames) for frames in together] == [1] * ROUNDS
            assert len(set.union(*together)) == ROUNDS
            terminal.press("q")
            assert await terminal.ended() == 0


async def test_staggered_text_is_painted_for_each_pane_on_its_own(unhurried: str) -> None:
    async with (
        Feeds(*"abcd") as feeds,
        opened("Apart?", "-m", "staggered", "--config", unhurried, *feeds.debaters) as terminal,
    ):
        for name in feeds.names:
            feeds.say(name, f"alone-{name} ")
            await terminal.shows(f"alone-{name}")
        frames = painted(terminal.display, *(f"alone-{name}" for name in feeds.names))
        assert sorted(set(frames)) == frames
        terminal.press("q")
        assert await terminal.ended() == 0


async def test_the_mode_keys_work_and_the_next_run_begins_with_the_mode_of_the_last() -> None:
    async with Feeds(*"ab") as feeds:
        async with opened("Which mode?", *feeds.debaters) as terminal:
            await terminal.until(partial(named, "hybrid"))
            for key, mode in (
                ("1", "synchronized"),
                ("2", "staggered"),
                ("3", "hybrid"),
                ("m", "synchronized"),
                ("m", "staggered"),
            ):
                terminal.press(key)
                await terminal.until(partial(named, mode))
            terminal.press("q")
            assert await terminal.ended() == 0
        async with opened("Still?", *feeds.debaters) as terminal:
            await terminal.until(partial(named, "staggered"))
            assert "hybrid" not in terminal.display.text
            terminal.press("q")
            assert await terminal.ended() == 0
