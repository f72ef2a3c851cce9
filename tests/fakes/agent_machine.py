"""A scripted agent: how it behaves, what it was sent, and whether any of it is still running."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shlex
import stat
import sys
from typing import TYPE_CHECKING, Any

from tests.fakes import acp_agent

if TYPE_CHECKING:
    from pathlib import Path

GONE_WITHIN = 30


class AgentMachine:
    """A scripted agent in a folder; the owner closes it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        os.mkfifo(folder / "alive")
        self._alive = os.open(folder / "alive", os.O_RDONLY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._alive)

    @property
    def command(self) -> str:
        return shlex.join([sys.executable, "-IS", acp_agent.__file__, str(self.folder)])

    @property
    def source(self) -> str:
        return f"acp:{self.command}"

    def install(self, name: str) -> Path:
        """Put it into its folder as a program; returns the folder, which is to be on PATH."""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\nexec {self.command}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return self.folder

    def search_path(self, name: str) -> str:
        """PATH with this agent as a program on it."""
        return f"{self.install(name)}{os.pathsep}{os.environ['PATH']}"

    def behave(self, **behaviour: object) -> None:
        (self.folder / "behaviour").write_text(json.dumps(behaviour))

    def notes(self, about: str) -> list[dict[str, Any]]:
        file = self.folder / about
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    @property
    def started(self) -> list[dict[str, Any]]:
        return self.notes("started")

    def received(self, method: str) -> list[dict[str, Any]]:
        """The parameters of the messages with this method."""
        return [each["params"] for each in self.notes("received") if each.get("method") == method]

    @property
    def prompts(self) -> list[str]:
        return [each["prompt"][0]["text"] for each in self.received("session/prompt")]

    async def wait_until_stalled(self) -> None:
        """Wait until the agent begins to stall."""
        assert await asyncio.to_thread(self._read) == b"s"

    async def wait_until_gone(self) -> None:
        """Wait until the agent, which has been started, and all its children have ended."""
        while await asyncio.to_thread(self._read):
            pass

    def _read(self) -> bytes:
        """Return the next byte that an agent writes, nothing once none is left."""
        poll = select.poll()
        poll.register(self._alive, select.POLLIN)
        assert poll.poll(GONE_WITHIN * 1000), "an agent or a child of it is still running"
        return os.read(self._alive, 1)
