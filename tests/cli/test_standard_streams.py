"""Standard streams that are closed, full, or read by nobody: one line, and never a traceback."""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import signal
import sys
import termios
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest

from debate_tui.record.stores import list_debates
from tests.cli.process import run_program
from tests.fakes.sse_server import DONE_EVENT, Reply, SseServer, reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sse_server import ReceivedRequest

COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "command's help": ["serve", "--help"],
    "formats": ["formats"],
    "format": ["formats", "oxford"],
    "doctor": ["doctor"],
    "history": ["history"],
    "export": ["export"],
    "export as html": ["export", "--to", "html"],
    "replay": ["replay", "--plain"],
    "replay as json": ["replay", "--json"],
    "plain": ["Q?", "--plain"],
    "json": ["Q?", "--json"],
    "serve": ["serve", "--port", "0", "Q?"],
}


async def run_shell(redirection: str, *arguments: str) -> tuple[int, str, str]:
    """Run it with a shell's redirection; the exit code, and both outputs."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        f'exec "$@" {redirection}',
        "sh",
        sys.executable,
        "-m",
        "debate_tui",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def hold_debate(*arguments: str, redirection: str) -> tuple[int, str, str]:
    """Run a command that needs debaters, or a record, and has both."""
    async with SseServer(reply(b'data: {"delta": "said"}\n\n' + DONE_EVENT)) as server:
        debaters = [part for name in "ab" for part in ("-d", f"{name}={server.origin}/{name}")]
        if arguments[0] in ("export", "replay", "history"):
            assert (await run_program("Recorded?", "--plain", *debaters)).code == 0
        needs_debaters = "Q?" in arguments
        return await run_shell(redirection, *arguments, *(debaters if needs_debaters else ()))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("redirection", "message"),
    [
        (">/dev/full", "Cannot write the output: No space left on device."),
        (">&-", "Standard output is closed."),
    ],
    ids=["full", "closed"],
)
async def test_an_output_that_takes_nothing_is_one_line(command: str, redirection: str, message: str) -> None:
    code, out, err = await hold_debate(*COMMANDS[command], redirection=redirection)
    lines = [line for line in err.splitlines() if not line.startswith(("a:", "b:"))]
    assert lines == [f"debate-tui: {message}"]
    assert (code, out) == (1, "")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2>&- 0<&-"])
@pytest.mark.parametrize("command", ["formats", "history", "export", "plain", "json"])
async def test_errors_that_nobody_can_read_change_nothing_else(command: str, redirection: str) -> None:
    code, out, _ = await hold_debate(*COMMANDS[command], redirection=redirection)
    assert code == 0
    assert out


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
async def test_what_is_wrong_has_its_exit_code_though_nobody_can_read_it(redirection: str) -> None:
    assert await run_shell(redirection, "Q?", "--nonsense") == (2, "", "")


async def test_the_files_of_a_program_are_never_its_standard_streams(own_folders: Path) -> None:
    """A record that got the number of a closed stream would be written all over."""
    code, out, _ = await hold_debate("Q?", "--plain", redirection="2>&- 0<&-")
    assert code == 0
    assert "said" in out
    assert recorded_ending(own_folders) == "complete"


def recorded_ending(own_folders: Path) -> str | None:
    (summary,) = list_debates(own_folders / "data" / "debate-tui" / "debates.sqlite3")
    return summary.finished


@pytest.mark.parametrize("command", ["formats", "config", "doctor"])
async def test_characters_that_an_encoding_lacks_are_replaced(command: str) -> None:
    run = await run_program(command, PYTHONIOENCODING="ascii", DEBATE_TUI_TOPIC="Is π real?")
    assert (run.code, run.err) == (0, "")
    assert run.out.isascii()
    assert command != "config" or "Is ? real?" in run.out


# A reader that does not read


def flood(request: ReceivedRequest) -> Reply:
    return Reply(itertools.repeat(b'data: {"delta": "on and on and on "}\n\n' * 1000))


PIPE_SIZE = 60_000
"""Almost all that a pipe takes."""


def unread_bytes(pipe: int) -> int:
    """How much a pipe holds."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda by: by.name)
@pytest.mark.parametrize("options", [["--json"], ["--json", "--stats"]], ids=" ".join)
async def test_one_signal_ends_a_debate_whose_output_nobody_reads(
    by: signal.Signals, options: list[str], own_folders: Path
) -> None:
    async with SseServer(script=flood) as server:
        debaters = [part for name in "ab" for part in ("-d", f"{name}={server.origin}/{name}")]
        unread, output = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "debate_tui", "Q?", *options, *debaters),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.DEVNULL,
                env=os.environ,
            )
            os.close(output)
            while unread_bytes(unread) < PIPE_SIZE:
                await asyncio.sleep(0)
            process.send_signal(by)
            async with asyncio.timeout(30):
                assert await process.wait() == 128 + by
        finally:
            os.close(unread)
    assert recorded_ending(own_folders) == "stopped"


async def test_one_signal_ends_a_server_whose_output_nobody_reads(own_folders: Path) -> None:
    asked = asyncio.Event()

    def note(request: ReceivedRequest) -> Reply:
        asked.set()
        return flood(request)

    unread, output = os.pipe()
    fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, 4096)
    os.write(output, bytes(4096))
    try:
        async with SseServer(script=note) as server:
            debaters = [part for name in "ab" for part in ("-d", f"{name}={server.origin}/{name}")]
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "debate_tui", "serve", "Q?", "--port", "0", *debaters),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.DEVNULL,
                env=os.environ,
            )
            try:
                async with asyncio.timeout(30):
                    await asked.wait()
                    process.send_signal(signal.SIGTERM)
                    assert await process.wait() == 128 + signal.SIGTERM
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    finally:
        os.close(unread)
        os.close(output)
    assert recorded_ending(own_folders) == "stopped"
