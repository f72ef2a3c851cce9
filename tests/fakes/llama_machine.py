"""A machine that can run models: a fake llama-server on PATH, and a model file."""

from __future__ import annotations

import asyncio
import os
import select
from contextlib import suppress
from typing import TYPE_CHECKING

from debate_tui.sources.registry import SourceFactory
from tests.fakes import llama_server

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEXT = "".join(llama_server.SAYS)


GONE_WITHIN = 30


class LlamaMachine:
    """A machine with a ``llama-server`` on PATH and a model file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = folder / "Tiny-1B.gguf"
        self.model.write_bytes(b"GGUF" + bytes(2_000_000))
        llama_server.install(folder)
        self.progress: list[tuple[str, str]] = []

    @property
    def source(self) -> str:
        return f"local:{self.model}"

    def sources(self) -> SourceFactory:
        return SourceFactory(report_progress=lambda what, how_far: self.progress.append((what, how_far)))

    def set_failure_mode(self, mood: str) -> None:
        (self.folder / "mood").write_text(mood)

    @property
    def started(self) -> list[dict[str, object]]:
        return llama_server.notes(self.folder, "started")

    @property
    def asked(self) -> list[dict[str, object]]:
        return llama_server.notes(self.folder, "asked")

    @property
    def pids(self) -> list[int]:
        return [int(str(start["pid"])) for start in self.started]


def is_running(pid: int) -> bool:
    """Whether there is such a process and it has not ended; its parent may not have taken note of it yet."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return not select.select([watched], [], [], 0)[0]
    finally:
        os.close(watched)


async def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended."""
    with suppress(ProcessLookupError):
        watched = os.pidfd_open(pid)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(watched, ended.set)
        try:
            async with asyncio.timeout(GONE_WITHIN):
                await ended.wait()
        finally:
            loop.remove_reader(watched)
            os.close(watched)


def llama_machine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> LlamaMachine:
    """Make this machine one for the length of a test."""
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_LLAMA", str(folder))
    return LlamaMachine(folder)
