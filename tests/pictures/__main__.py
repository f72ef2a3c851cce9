"""Make the pictures of the README again: ``python -m tests.pictures [NAME …]``.

The program runs in a terminal and with folders of its own, against a server whose models speak like the demo.
Only the web page needs more: Chromium. Look at the pictures before you commit them.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.process import run_program
from tests.cli.serve_process import serve_process
from tests.pictures.scripted_models import FIRST, JUDGE, SECOND, serve_models
from tests.pictures.terminal_svg import Picture, SvgWriter, take_picture
from tests.server.chromium import Browser
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.terminal.pty_terminal import Terminal

FOLDER = Path(__file__).resolve().parents[2] / ".github" / "pictures"
COLUMNS, ROWS = 100, 30
TOPIC = "Should cities ban cars?"
DEBATERS = ("-d", f"Ada={FIRST}", "-d", f"Ben={SECOND}")
DEBATE = (*DEBATERS, "-f", "assigned-sides", "-r", "1", "--judge", JUDGE)


class Camera:
    """Takes a picture of a terminal several times a second."""

    def __init__(self, terminal: Terminal, *, speed: float = 1.0, rate: float = 5.0) -> None:
        self._terminal = terminal
        self._speed = speed
        self._interval = speed / rate
        self.frames: list[tuple[float, Picture]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take pictures while the block runs."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    async def _run(self) -> None:
        while True:
            start = time.monotonic()
            self.shoot(self._interval / self._speed)
            await asyncio.sleep(max(0.0, start + self._interval - time.monotonic()))

    def shoot(self, seconds: float) -> None:
        """Take a picture that is shown for some seconds; one like the last makes that one longer."""
        picture = take_picture(self._terminal.display)
        if self.frames and self.frames[-1][1] == picture:
            seconds += self.frames.pop()[0]
        self.frames.append((seconds, picture))


async def debate() -> str:
    """The film: a topic is typed, two debaters stream, one is cut off and resumes, the verdict."""
    async with (
        serve_models(breaks=True) as environment,
        run_in_terminal("--no-record", *DEBATE, columns=COLUMNS, rows=ROWS, **environment) as terminal,
    ):
        camera = Camera(terminal, speed=1.5)
        await terminal.wait_for_text("What should they debate?")
        for letter in TOPIC:
            camera.shoot(0.09)
            terminal.press(letter)
            await asyncio.sleep(0.1)
        camera.shoot(0.8)
        terminal.press("\r")
        await terminal.wait_for_text("streaming")
        async with camera.running():
            await vote(terminal, "Before it starts", "u")
            await terminal.wait_for_text("complete")
            await vote(terminal, "It's over", "b")
            await terminal.wait_for_text("The verdict")
            await asyncio.sleep(1)
        camera.shoot(5)
    return SvgWriter(COLUMNS, ROWS, "debate-tui").film(
        camera.frames,
        "Two debaters stream side by side; one is cut off and resumes; a judge gives a verdict",
    )


async def vote(terminal: Terminal, question: str, choice: str) -> None:
    """Open the ballot, and take a moment to choose."""
    await terminal.wait_for_text(question)
    await asyncio.sleep(0.5)
    terminal.press("v")
    await terminal.wait_for_text("n  not now")
    await asyncio.sleep(1)
    terminal.press(choice)


async def replay() -> str:
    """A recorded debate that goes well, in its middle, with the playback bar."""
    async with recorded_debate() as terminal:
        terminal.press(" 6")
        await terminal.wait_for_text("paused", "Round 2/3", "streaming")
        return still(terminal, "A recorded debate, paused in its middle, with the playback bar")


async def verdict() -> str:
    """The verdict of a recorded debate."""
    async with recorded_debate() as terminal:
        terminal.press("9]]]]")
        await terminal.wait_for_text("v verdict", "ended")
        terminal.press("v")
        await terminal.wait_for_text("The verdict")
        return still(terminal, "The verdict: scores as bars, how opinion moved, a quote for each score")


async def page() -> bytes:
    """The same debate on the web page."""
    async with serve_process() as server, Browser(Path(os.environ["HOME"]) / "browser") as browser:
        debate = (await server.client.get("/debates")).json()["debates"][0]["debate"]
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=1000, height=640, deviceScaleFactor=1, mobile=False
        )
        await browser.go(f"{server.url}/debates/{debate}")
        await browser.until("document.body.innerText.includes('done')")
        picture = await browser.call("Page.captureScreenshot", format="png")
        return base64.b64decode(picture["data"])


@asynccontextmanager
async def recorded_debate() -> AsyncIterator[Terminal]:
    """The recorded debate, on the screen of a replay."""
    async with run_in_terminal("replay", columns=COLUMNS, rows=ROWS) as terminal:
        await terminal.wait_for_text("playing")
        yield terminal


def still(terminal: Terminal, alternative: str) -> str:
    """What the terminal shows now."""
    return SvgWriter(COLUMNS, ROWS, "debate-tui").still(take_picture(terminal.display), alternative)


PICTURES = {"debate.svg": debate, "replay.svg": replay, "verdict.svg": verdict, "page.png": page}
"""What makes each picture, by the name of its file."""


async def main() -> None:
    """Make the pictures named on the command line, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            HOME=home, XDG_CONFIG_HOME=f"{home}/c", XDG_DATA_HOME=f"{home}/d", XDG_STATE_HOME=f"{home}/s"
        )
        async with serve_models() as environment:
            options = (*DEBATERS, "-f", "assigned-sides", "--judge", JUDGE, "--plain")
            run = await run_program(TOPIC, *options, **environment)
        assert run.code == 0, run.err
        for name in sys.argv[1:] or PICTURES:
            file, picture = FOLDER / name, await PICTURES[name]()
            file.write_bytes(picture.encode() if isinstance(picture, str) else picture)
            print(f"{file.relative_to(FOLDER.parents[1])}: {file.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    asyncio.run(main())
