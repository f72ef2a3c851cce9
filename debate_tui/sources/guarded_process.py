"""Processes that end with this program, however it ends, and take along what they have started."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from debate_tui.sources import process_guard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO, Self

STOP_TIMEOUT = 5.0
"""Seconds to wait for the end of a killed program and its pipes, which a process outside may hold open."""


class GuardedProcess:
    """A program under `process_guard`, in a session of its own: Ctrl+C is meant for the debate only."""

    def __init__(self, process: asyncio.subprocess.Process, control: int) -> None:
        self._process = process
        self._control = control

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
        env: Mapping[str, str],
        cwd: Path | None = None,
        limit: int = 1 << 16,
    ) -> Self:
        """Start a program, given by its path and arguments; `limit` is the longest line of its output."""
        control_read, control = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-IS", process_guard.__file__, str(control_read)),
                *command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=env,
                cwd=cwd,
                limit=limit,
                pass_fds=(control_read,),
                start_new_session=True,
            )
        except BaseException:
            os.close(control)
            raise
        finally:
            os.close(control_read)
        return cls(process, control)

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """The pipe to its standard input, if there is one."""
        return self._process.stdin

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """The pipe from its standard output, if there is one."""
        return self._process.stdout

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        """The pipe from its standard error, if there is one."""
        return self._process.stderr

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; `None` as long as it is not known to have ended."""
        return self._process.returncode

    async def wait(self) -> None:
        """Wait until the program and all it has started have ended."""
        await self._process.wait()

    def kill(self) -> None:
        """Kill the program and all it has started."""
        if self._control >= 0:
            os.close(self._control)
            self._control = -1

    async def stop(self) -> None:
        """Kill it, and wait for its end, but not for ever."""
        self.kill()
        if self.stdin is not None:
            self.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_TIMEOUT):
                # asyncio reports the end only after its pipes have ended, and a full one is not read.
                while self.stdout is not None and await self.stdout.read(1 << 16):
                    pass
                await self.wait()
