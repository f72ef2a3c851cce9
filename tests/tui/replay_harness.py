"""A replay to be driven by hand: its clock goes on when told to."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from debate_tui.display.buffer import SharedBuffer
from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from debate_tui.record.player import Player
from debate_tui.tui.app import DebateApp
from debate_tui.tui.screen_options import ScreenOptions
from debate_tui.tui.screens.replay import ReplayScreen
from tests.record.fake_player_clock import FakePlayerClock
from tests.tui.debate_harness import DEBATERS, OXFORD, TOPIC, DebateHarness
from tests.tui.screen_harness import ScreenHarness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from debate_tui.display.buffer import PaneItem
    from debate_tui.domain.events import Event

SPEECH = (
    "A city centre is the one place where **everything is near everything else**. ",
    "The car takes that nearness away twice: once while it drives, and once while it *stands*.\n\n",
    "1. Meeting people, which needs quiet.\n",
    "2. Trade, which needs people on foot.\n\n",
    "> A street that is only a way to somewhere else has stopped being a place.\n",
)
PHASES = (("opening", 1, 1), ("rebuttal", 1, 2), ("rebuttal", 2, 2), ("closing", 1, 1))


def recorded_debate(panes: int = 2) -> Sequence[Event]:
    """The events of a debate with everything in it that can be seen; a turn every 20 s or so."""
    board = DebateHarness(panes).begin()
    reset = FaultReport(FaultKind.NETWORK, "Connection reset by peer")
    for phase, number, total in PHASES:
        board.phase(phase, number, total)
        for debater in board.debaters:
            board.status(debater.id, "streaming")
        board.say("ada", "Which of the three is the strongest?", reasoning=True)
        for piece in SPEECH:
            for debater in board.debaters:
                board.now += 1
                board.say(debater.id, f"{piece}")
            if phase == "opening":
                board.status("ben", "reconnecting", retry=1, wait_ms=1000, error=reset)
                board.status("ben", "streaming")
        if number == 2:
            turn = board.turns["ada"]
            board.log_events(ev.TurnSuperseded(turn=turn, debater="ada", attempt=2))
            board.log_events(
                ev.TurnDelta(turn=turn, debater="ada", attempt=2, offset=0, text="On second thought, no.")
            )
        board.now += 1
        for debater in board.debaters:
            reason = "length" if debater.id == "ben" and phase == "closing" else "complete"
            board.end(debater.id, reason, usage=Usage(output_tokens=99), cost=0.002, ttft_ms=640)
        board.log_events(ev.Interjection(text="Who pays for it?", to=None), after=1)
    return board.log_events(ev.DebateFinished(reason="complete"), after=1).log._events


class ReplayHarness(ScreenHarness):
    """A replay screen, its player and its clock."""

    def __init__(self, events: Sequence[Event], panes: int = 2, **options: Any) -> None:
        self.clock = FakePlayerClock()
        self.player = Player(events, clock=self.clock)
        self.buffer: SharedBuffer[PaneItem] = SharedBuffer([debater.id for debater in DEBATERS[:panes]])
        screen_options = ScreenOptions(topic=TOPIC, debaters=DEBATERS[:panes], format=OXFORD, **options)
        self.screen = ReplayScreen(self.player, self.buffer, screen_options)
        self.app = DebateApp(self.screen)

    @asynccontextmanager
    async def opened(self, width: int = 120, height: int = 35) -> AsyncIterator[ReplayHarness]:
        async with self.app.run_test(size=(width, height)) as self.pilot, self.running():
            yield self

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Play, for the length of a block."""
        playing = asyncio.create_task(self.player.run())
        await self.settle()
        yield
        await self.player.aclose()
        await playing

    async def pass_time(self, seconds: float) -> None:
        self.clock.until = self.clock.time + seconds
        await self.settle()

    async def settle(self) -> None:
        """Everything that is due is played and painted, and every message handled."""
        await self.pilot.pause()
        self.clock.idle.clear()
        self.player._state_changed.set()
        await self.clock.idle.wait()
        await self.pilot.pause()
        self.screen.debate_display.flush_all()
        self.screen.debate_display.tick(time.monotonic())
        await self.pilot.pause()
