"""Commands that are given before there is a debate to take them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.cli.tui_runner import CommandQueue
from debate_tui.domain.events import DebateStarted, Interjection
from debate_tui.record.log import MemoryLog
from debate_tui.session.commands import AddRound, EndDebate, Pause, Retry

if TYPE_CHECKING:
    from debate_tui.session.commands import Command


@pytest.mark.parametrize("early", [True, False])
async def test_nothing_is_lost_and_nothing_comes_before_the_debate_has_begun(early: bool) -> None:
    queue, log = CommandQueue(), MemoryLog()
    handled: list[Command] = []
    asked: list[Command] = [Pause(), Retry("d2"), AddRound()]
    for command in asked if early else ():
        queue.handle(command)
    queue.start_on_first_event(handled.append, log)
    for command in () if early else asked:
        queue.handle(command)
    assert handled == []
    log.append(DebateStarted(debate="d", topic="t", format="f", debaters=()))
    assert handled == []
    await asyncio.sleep(0)
    assert handled == asked
    log.append(Interjection(text="Louder.", to=None))
    queue.handle(EndDebate())
    await asyncio.sleep(0)
    assert handled == [*asked, EndDebate()]
