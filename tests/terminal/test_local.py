"""A debate on a model of this machine: what it waits for is said, and its server goes with it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run
from tests.fakes import llama_server
from tests.sources.test_local import TEXT, Machine, gone
from tests.terminal.running import opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_LLAMA", str(tmp_path))
    return Machine(tmp_path)


async def test_it_says_what_it_waits_for_and_then_no_more(machine: Machine) -> None:
    machine.is_moody("slow")
    async with opened("Tea?", "-f", "compare", "-d", machine.source, "-d", machine.source) as terminal:
        await terminal.shows("Loading Tiny-1B (2 MB)", "connecting")
        machine.is_moody("")
        await terminal.shows(TEXT.strip("."), "done")
        assert "Loading" not in terminal.display.text
        terminal.press("q")
        assert await terminal.ended() == 0
    (start,) = llama_server.notes(machine.folder, "started")
    await gone(int(str(start["pid"])))


async def test_a_killed_debate_takes_its_server_along(machine: Machine) -> None:
    async with opened("Tea?", "-f", "compare", "-d", machine.source, "-d", machine.source) as terminal:
        await terminal.shows("done")
        terminal.send(signal.SIGKILL)
        await terminal.ended()
    (pid,) = machine.pids
    await gone(pid)


async def test_in_a_pipe_it_is_said_once(machine: Machine) -> None:
    ended = await run("Tea?", "--json", "-f", "compare", "-d", machine.source, "-d", machine.source)
    assert ended.code == 0
    assert ended.err.count("Loading Tiny-1B (2 MB)") == 1
    (pid,) = machine.pids
    await gone(pid)
