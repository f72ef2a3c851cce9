"""``debate-tui serve`` as a process of its own."""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from tests.cli.process import start_program

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator


class ServeProcess:
    """A server process, what it printed, and a client for it."""

    def __init__(self, process: Process, url: str, printed: list[str]) -> None:
        self.process = process
        self.url = url
        self.printed = printed
        self.client = httpx.AsyncClient(base_url=url, timeout=20, trust_env=False)

    @property
    def debate(self) -> str:
        """The id of the debate it holds."""
        return next(line for line in self.printed if " watch " in line).rpartition("/")[2]


@asynccontextmanager
async def serve_process(*arguments: str, **env: str) -> AsyncIterator[ServeProcess]:
    """A server on any port, killed in the end if it still runs."""
    process = await start_program("serve", "--port", "0", *arguments, **env)
    assert process.stdout is not None
    try:
        printed: list[str] = []
        while not printed or not printed[-1].startswith("Each link works once"):
            line = (await process.stdout.readline()).decode()
            assert line, await process.stderr.read() if process.stderr else ""
            printed.append(line.rstrip())
        server = ServeProcess(process, printed[0].split()[-1], printed)
        async with server.client:
            yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
