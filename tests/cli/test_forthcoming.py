"""Commands that are given before there is a debate to take them."""

from __future__ import annotations

import asyncio

import pytest

from debate_tui.cli.tui_runner import QueuedCommands
from debate_tui.domain.events import DebateStarted, Interjection
from debate_tui.record.log import MemoryLog
from tests.tui.debate_harness import RecordedCommands


def send_every_command(commands: QueuedCommands) -> list[tuple[object, ...]]:
    commands.pause(None)
    commands.resume("d1")
    commands.stop("d1")
    commands.retry("d2")
    commands.interject("Briefly.", None)
    commands.vote("before", "d1")
    commands.add_round()
    commands.skip_phase()
    commands.set_words(30)
    commands.decide("d1", "end")
    commands.end()
    return [
        ("pause", None),
        ("resume", "d1"),
        ("stop", "d1"),
        ("retry", "d2"),
        ("interject", "Briefly.", None),
        ("vote", "before", "d1"),
        ("add_round",),
        ("skip_phase",),
        ("set_words", 30),
        ("decide", "d1", "end"),
        ("end",),
    ]


@pytest.mark.parametrize("early", [True, False])
async def test_nothing_is_lost_and_nothing_comes_before_the_debate_has_begun(early: bool) -> None:
    commands, debate, log = QueuedCommands(), RecordedCommands(), MemoryLog()
    asked = send_every_command(commands) if early else []
    commands.send_on_first_event(debate, log)
    asked += send_every_command(commands)
    assert debate.calls == []
    log.append(DebateStarted(debate="d", topic="t", format="f", debaters=()))
    assert debate.calls == []
    await asyncio.sleep(0)
    assert debate.calls == asked
    log.append(Interjection(text="Louder.", to=None))
    commands.end()
    await asyncio.sleep(0)
    assert debate.calls == [*asked, ("end",)]
