"""Runs debate-tui in a terminal of its own: reads its screen, presses its keys, takes the terminal away."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.terminal.terminal_emulator import EmulatedDisplay

if TYPE_CHECKING:
    import signal
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable

DEADLINE = 90
"""Seconds after which what was waited for will not come any more; only a failing test ever waits as long."""

# The session's leader takes a terminal that it opens for its own. Then the program takes the shell's place.
_TAKE_TERMINAL = 'exec 3<>"$0"; exec 3>&-; exec "$@"'
_IGNORING_HANGUPS = "trap '' HUP; "

_CONTROL = re.compile(r"\x1b\[[?<>\d;]*[a-zA-Z]")

_OFF_AT_THE_END = (1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2048)
_ON_AT_THE_END = (7, 25)


class Terminal:
    """A pseudo-terminal with the program in it; see `run_in_terminal`."""

    def __init__(self, columns: int, rows: int) -> None:
        self.display = EmulatedDisplay(columns or 80, rows or 24)
        self._master, self._slave = pty.openpty()
        self.name = os.ttyname(self._slave)
        self.process: Process
        self.exit_task: asyncio.Task[int]
        self.attributes_at_the_start = termios.tcgetattr(self._slave)
        self._changed = asyncio.Event()
        self._ended = False
        os.set_blocking(self._master, False)
        self._set_size(columns, rows)

    @property
    def slave(self) -> int:
        """The program's side, as a file descriptor."""
        return self._slave

    # What the program shows

    async def wait_until(self, condition: Callable[[EmulatedDisplay], object]) -> EmulatedDisplay:
        """Wait until the display is as wanted."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not condition(self.display):
                    if self.exit_task.done():
                        await self.wait_for_exit()
                        if condition(self.display):
                            break
                        raise AssertionError(f"ended, and showed last:\n{self.display.text}")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain; the screen shows:\n{self.display.text}") from None
        return self.display

    async def wait_for_text(self, *texts: str) -> EmulatedDisplay:
        """Wait until all the texts are on the screen."""
        return await self.wait_until(lambda display: all(text in display.text for text in texts))

    def attach(self, process: Process) -> None:
        """Show what this process writes."""
        self.process = process
        self.exit_task = asyncio.create_task(process.wait())
        self.exit_task.add_done_callback(lambda _: self._changed.set())
        self.read()

    def read(self) -> None:
        """Take what the program writes, from now on."""
        asyncio.get_running_loop().add_reader(self._master, self._take)

    def stop_reading(self) -> None:
        """Take nothing that the program writes."""
        asyncio.get_running_loop().remove_reader(self._master)

    def fill_output(self) -> None:
        """Take nothing that the program writes, and have no room left for it either."""
        self.stop_reading()
        line = os.open(self.name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            while True:
                os.write(line, bytes(4096))
        except BlockingIOError:
            return
        finally:
            os.close(line)

    def _take(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            self._ended = True
            self.stop_reading()
        for answer in self.display.feed(data):
            os.write(self._master, answer)
        self._changed.set()

    # What is done to it

    def press(self, keys: str | bytes) -> None:
        """Type; bytes may be no text at all."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the system tells the program."""
        self.display.resize(columns, rows)
        self._set_size(columns, rows)

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal's window, as it were: the program's side of it is dead from now on."""
        self.stop_reading()
        os.close(self._slave)
        os.close(self._master)
        self._slave = self._master = -1

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    # How it ends

    async def wait_for_exit(self) -> int:
        """Wait for the program's end, and take all it has written; returns its exit code."""
        try:
            async with asyncio.timeout(DEADLINE):
                code = await asyncio.shield(self.exit_task)
        except TimeoutError:
            raise AssertionError(f"did not end; the screen shows:\n{self.display.text}") from None
        if self._slave >= 0:
            self.attributes_at_the_end = termios.tcgetattr(self._slave)
            os.close(self._slave)
            self._slave = -1
            self.read()
            while not self._ended:
                self._changed.clear()
                await self._changed.wait()
        return code

    def is_restored(self) -> bool:
        """Whether the terminal is in the state in which the program found it."""
        display = self.display
        assert not any(display.modes.get(mode, False) for mode in _OFF_AT_THE_END), display.modes
        assert all(display.modes.get(mode, True) for mode in _ON_AT_THE_END), display.modes
        assert display.keyboard_protocol_depth == 0
        assert self.attributes_at_the_end == self.attributes_at_the_start
        return True

    @property
    def text_after_exit(self) -> str:
        """What was written after the full screen was left, without what restores the terminal."""
        return _CONTROL.sub("", bytes(self.display.raw).rpartition(b"\x1b[?1049l")[2].decode()).strip()

    def close(self) -> None:
        """Give everything back; a program that still runs is killed."""
        if self.process.returncode is None:
            self.process.kill()
        for descriptor in (self._slave, self._master):
            if descriptor >= 0:
                asyncio.get_running_loop().remove_reader(descriptor)
                os.close(descriptor)
        self._slave = self._master = -1


@asynccontextmanager
async def run_in_terminal(
    *arguments: str,
    columns: int = 160,
    rows: int = 45,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    nohup: bool = False,
    program: tuple[str, ...] = ("-m", "debate_tui"),
    **environment: str,
) -> AsyncIterator[Terminal]:
    """Run debate-tui in a terminal of the given size; what is given as `PIPE` is none of the terminal's.

    With `nohup` the program is started with hang-ups ignored.
    """
    terminal = Terminal(columns, rows)
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        _IGNORING_HANGUPS + _TAKE_TERMINAL if nohup else _TAKE_TERMINAL,
        terminal.name,
        sys.executable,
        *program,
        *arguments,
        stdin=terminal.slave if stdin is None else stdin,
        stdout=terminal.slave if stdout is None else stdout,
        stderr=terminal.slave if stderr is None else stderr,
        env={
            # A size in the environment, such as pytest-xdist's, would go before the terminal's own.
            **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            **environment,
        },
        start_new_session=True,
    )
    terminal.attach(process)
    try:
        yield terminal
    finally:
        terminal.close()
        await terminal.exit_task
