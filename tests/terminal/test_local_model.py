"""A debate on a model of this machine: what it waits for is said, and its server goes with it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import run_program
from tests.fakes import llama_server
from tests.fakes.llama_machine import TEXT, LlamaMachine, llama_machine, wait_until_gone
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LlamaMachine:
    return llama_machine(tmp_path, monkeypatch)


async def test_it_says_what_it_waits_for_and_then_no_more(machine: LlamaMachine) -> None:
    machine.set_failure_mode("slow")
    async with run_in_terminal(
        "Tea?", "-f", "compare", "-d", machine.source, "-d", machine.source
    ) as terminal:
        await terminal.wait_for_text("Loading Tiny-1B (2 MB)", "connecting")
        machine.set_failure_mode("")
        await terminal.wait_for_text(TEXT.strip("."), "done")
        assert "Loading" not in terminal.display.text
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    (start,) = llama_server.notes(machine.folder, "started")
    await wait_until_gone(int(str(start["pid"])))


async def test_a_killed_debate_takes_its_server_along(machine: LlamaMachine) -> None:
    async with run_in_terminal(
        "Tea?", "-f", "compare", "-d", machine.source, "-d", machine.source
    ) as terminal:
        await terminal.wait_for_text("done")
        terminal.send(signal.SIGKILL)
        await terminal.wait_for_exit()
    (pid,) = machine.pids
    await wait_until_gone(pid)


async def test_in_a_pipe_it_is_said_once(machine: LlamaMachine) -> None:
    ended = await run_program("Tea?", "--json", "-f", "compare", "-d", machine.source, "-d", machine.source)
    assert ended.code == 0
    assert ended.err.count("Loading Tiny-1B (2 MB)") == 1
    (pid,) = machine.pids
    await wait_until_gone(pid)
