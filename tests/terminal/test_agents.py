"""A debate of two agents on the full screen: what they say, stopping one, and leaving in any way."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.fakes.agent_machine import AgentMachine
from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AgentMachine, AgentMachine]]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    made = AgentMachine(tmp_path / "ada"), AgentMachine(tmp_path / "ben")
    yield made
    for machine in made:
        machine.close()


def options(machines: tuple[AgentMachine, AgentMachine]) -> list[str]:
    ada, ben = machines
    return ["Tea?", "-f", "compare", "-d", f"Ada={ada.source}", "-d", f"Ben={ben.source}"]


async def test_two_agents_debate_side_by_side(machines: tuple[AgentMachine, AgentMachine]) -> None:
    async with run_in_terminal(*options(machines)) as terminal:
        await terminal.wait_until(lambda display: display.text.count("Coffee only wakes you.") == 2)
        await terminal.wait_until(lambda display: display.text.count("done") == 2)
        terminal.press("t")
        await terminal.wait_for_text("Tool: Search the web")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    for machine in machines:
        await machine.wait_until_gone()


async def test_a_stopped_turn_is_cancelled_and_the_debate_ends(
    machines: tuple[AgentMachine, AgentMachine],
) -> None:
    machines[0].behave(point="answer", mode="stall")
    async with run_in_terminal(*options(machines)) as terminal:
        await machines[0].wait_until_stalled()
        await terminal.wait_until(lambda display: display.text.count("Coffee only wakes you.") == 2)
        terminal.press("x")
        await terminal.wait_for_text("stopped")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    for machine in machines:
        await machine.wait_until_gone()


async def test_a_login_that_is_needed_pauses_and_asks(machines: tuple[AgentMachine, AgentMachine]) -> None:
    machines[0].behave(needs_login=True)
    async with run_in_terminal(*options(machines)) as terminal:
        await terminal.wait_for_text("login needed", "needs a login:", "Retry after fixing it")
        (machines[0].folder / "login").touch()
        terminal.press("\r")
        await terminal.wait_until(lambda display: display.text.count("Coffee only wakes you.") == 2)
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
    for machine in machines:
        await machine.wait_until_gone()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
async def test_nothing_is_left_behind(
    machines: tuple[AgentMachine, AgentMachine], number: signal.Signals
) -> None:
    for machine in machines:
        machine.behave(point="answer", mode="stall")
    async with run_in_terminal(*options(machines)) as terminal:
        for machine in machines:
            await machine.wait_until_stalled()
        terminal.send(number)
        await terminal.wait_for_exit()
    for machine in machines:
        await machine.wait_until_gone()
