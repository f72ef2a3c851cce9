"""Runs debate-tui as its users do: as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass

from debate_tui.domain.events import Event, event_from_json


@dataclass(frozen=True)
class ProcessResult:
    """What a finished process left behind."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[Event]:
        return [event_from_json(line) for line in self.out.splitlines()]


async def start_program(
    *arguments: str, stdin: int | None = asyncio.subprocess.DEVNULL, **env: str
) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "debate_tui",
        *arguments,
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **env},
    )


async def read_until(process: Process, words: str, count: int = 1) -> list[str]:
    """Read lines of standard output until `count` of them have these words, and return all that were read."""
    assert process.stdout is not None
    lines: list[str] = []
    while count:
        lines.append((await process.stdout.readline()).decode())
        assert lines[-1], "".join(lines)
        count -= words in lines[-1]
    return lines


async def run_program(*arguments: str, stdin: bytes | None = None, **env: str) -> ProcessResult:
    """Run to the end; `stdin` is piped in."""
    process = await start_program(
        *arguments, stdin=PIPE if stdin is not None else asyncio.subprocess.DEVNULL, **env
    )
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return ProcessResult(process.returncode, out.decode(), err.decode())
