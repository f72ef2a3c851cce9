"""What the full screen does around a debate: commands before it has begun, a replay when it has ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.cli.plan import load_settings, make_plan
from debate_tui.cli.tui_runner import CommandQueue, run_fullscreen
from debate_tui.domain.events import DebateStarted, Interjection
from debate_tui.record.log import MemoryLog
from debate_tui.session.commands import AddRound, EndDebate, Pause, Retry
from debate_tui.tui.app import DebateApp
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.screens.replay import ReplayScreen
from debate_tui.tui.screens.verdict import VerdictScreen
from tests.fakes.judged_debate_server import ADA, BEN, JudgedDebateServer

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from textual.pilot import Pilot

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


async def test_replay_from_the_card_at_the_end_plays_the_debate_that_has_just_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    async def hold(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, DebateScreen)
        while not screen.view.is_over:
            await pilot.pause()
        await pilot.press("escape")
        while not isinstance(pilot.app.screen, VerdictScreen):
            await pilot.pause()
        await pilot.press("R")

    async def watch(pilot: Pilot[None]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, ReplayScreen)
        await pilot.press("9")
        while not screen.view.transcript.turns:
            await pilot.pause()
        seen.extend(turn.debater for turn in screen.view.transcript.turns.values())
        await pilot.press("q")

    pilots, run = [hold, watch], DebateApp.run_async

    def run_with_pilot(app: DebateApp) -> Awaitable[None]:
        return run(app, headless=True, size=(120, 35), auto_pilot=pilots.pop(0))

    monkeypatch.setattr(DebateApp, "run_async", run_with_pilot)
    async with JudgedDebateServer() as models:
        for name, value in models.environment.items():
            monkeypatch.setenv(name, value)
        debaters = [
            {"name": "Ada", "source": f"openai:{ADA}"},
            {"name": "Ben", "source": f"anthropic:{BEN}"},
        ]
        settings = load_settings({"debater": debaters})
        assert await run_fullscreen(make_plan("Should cities ban cars?", settings.debater, settings)) == 0
    assert pilots == []
    assert seen[:2] == ["d1", "d2"]
