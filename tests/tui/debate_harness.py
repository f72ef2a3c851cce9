"""A debate screen to be driven by hand: events go in, what is on the screen comes out."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from contextvars import Context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from debate_tui.display.buffer import SharedBuffer
from debate_tui.domain import events as ev
from debate_tui.domain import formats
from debate_tui.domain.briefs import Chair, StoredSetup
from debate_tui.domain.debate import Debater
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebaterInfo
from debate_tui.record.log import MemoryLog
from debate_tui.tui.app import DebateApp
from debate_tui.tui.screen_options import ScreenOptions
from debate_tui.tui.screens.debate import DebateScreen
from tests.tui.screen_harness import ScreenHarness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.display.buffer import PaneItem
    from debate_tui.display.statistics import Statistics
    from debate_tui.domain.stream import FaultReport, FinishReason, StreamState, Usage
    from debate_tui.session.commands import Command, CommandHandler
    from debate_tui.tui.widgets.pane import Pane
    from debate_tui.tui.widgets.pane_grid import PaneGrid

TOPIC = "Should cities ban private cars from their centres?"
DEBATERS = (
    DebaterInfo("ada", "Ada", "for", "openai:gpt-5.2", "gpt-5.2"),
    DebaterInfo("ben", "Ben", "against", "anthropic:claude-opus-5", "claude-opus-5"),
    DebaterInfo("cleo", "Cleo", "for, with exceptions", "ollama:qwen3:32b", "qwen3:32b"),
    DebaterInfo("dara", "Dara", "undecided", "https://debate.example/dara", "debate.example"),
)
OXFORD = formats.parse_format(
    (Path(formats.__file__).parent / "oxford.toml").read_text("utf-8"), "oxford.toml"
)
SETUP = msgspec.json.encode(
    StoredSetup(
        OXFORD,
        tuple(Chair(Debater(id=i.id, name=i.name, side=i.side, source=i.source)) for i in DEBATERS),
        ("demo",),
    )
).decode()
"""The setup as stored with a debate."""
START = 1_763_791_200.0


class DebateHarness(ScreenHarness):
    """The app with its log, and the debate so far; times of the log are made up."""

    def __init__(
        self,
        panes: int = 2,
        *,
        commands: bool = True,
        statistics: Statistics | None = None,
        attached: bool = True,
        debaters: tuple[DebaterInfo, ...] = DEBATERS,
        **options: Any,
    ) -> None:
        self.debaters = debaters[:panes]
        self.now = START
        self.log = self.make_log()
        self.buffer: SharedBuffer[PaneItem] = SharedBuffer([debater.id for debater in self.debaters])
        self.commands: list[Command] = []
        self.handle: CommandHandler = self.commands.append
        self.modes: list[str] = []
        self.ready = 0
        options.setdefault("format", OXFORD)
        self.options = ScreenOptions(
            topic=TOPIC, debaters=self.debaters, on_mode=self.modes.append, **options
        )
        self.screen = self.make_screen(
            self.log if attached else None,
            (lambda command: self.handle(command)) if commands else None,
            statistics,
        )
        self.app = DebateApp(self.screen)
        self.turns: dict[str, int] = {}
        self.lengths: dict[tuple[int, bool], int] = {}

    def make_log(self) -> MemoryLog:
        return MemoryLog(clock=lambda: self.now)

    def make_screen(
        self, log: MemoryLog | None, handle: CommandHandler | None, statistics: Statistics | None
    ) -> DebateScreen:
        return DebateScreen(
            log, self.buffer, handle, self.options, statistics=statistics, on_ready=self._count
        )

    def _count(self) -> None:
        self.ready += 1

    @asynccontextmanager
    async def opened(self, width: int = 120, height: int = 35) -> AsyncIterator[DebateHarness]:
        async with self.app.run_test(size=(width, height)) as self.pilot:
            while not self.ready:  # what waits for the first frame is done, too
                await self.pilot.pause()
            await self.settle()
            yield self

    @property
    def panes(self) -> PaneGrid:
        return self.screen.view.panes

    def pane(self, debater: str) -> Pane:
        pane = self.panes.find(debater)
        assert pane is not None
        return pane

    async def settle(self) -> None:
        await self.pilot.pause()
        self.screen.debate_display.flush_all()
        self.screen.debate_display.tick(time.monotonic())
        await self.pilot.pause()

    async def finish_workers(self, name: str) -> None:
        """Wait until the workers of this name are done, and what they show is there."""
        if workers := [each for each in self.app.workers if each.name == name]:
            await self.app.workers.wait_for_complete(workers)
            await self.settle()

    def pane_text(self, debater: str) -> str:
        """What a pane shows, as one line."""
        prose = self.pane(debater).turn_text
        lines = (prose.row(y).text.rstrip("▐ ") for y in range(prose.size.height))
        return " ".join(" ".join(lines).split())

    # The debate

    def log_events(self, *happened: ev.Event, after: float = 0.0) -> DebateHarness:
        """Append events as a session does: from a task of its own, which knows of no app."""
        self.now += after
        for event in happened:
            Context().run(self.log.append, event)
        return self

    def begin(self) -> DebateHarness:
        return self.log_events(
            ev.DebateStarted(
                debate="d", topic=TOPIC, format="oxford", debaters=self.debaters, outcome=OXFORD.outcome
            ),
            *(ev.StreamStatus(debater=debater.id, state="waiting", attempt=1) for debater in self.debaters),
        )

    def phase(self, phase: str = "opening", number: int = 1, total: int = 1) -> DebateHarness:
        words = next((each.words for each in OXFORD.phases if each.name == phase), 0)
        self.log_events(ev.PhaseStarted(phase=phase, round=number, rounds=total, words=words))
        for debater in self.debaters:
            self.turns[debater.id] = max(self.turns.values(), default=0) + 1
            self.log_events(ev.TurnStarted(turn=self.turns[debater.id], debater=debater.id, phase=phase))
        return self

    def begin_rebuttal(self) -> DebateHarness:
        """Begin a debate at the first of its two rebuttals."""
        return self.begin().phase("rebuttal", 1, 2)

    def status(
        self,
        debater: str,
        state: StreamState,
        *,
        retry: int = 0,
        wait_ms: int | None = None,
        error: FaultReport | None = None,
    ) -> DebateHarness:
        return self.log_events(
            ev.StreamStatus(
                debater=debater,
                state=state,
                attempt=1,
                retry=retry,
                max_retries=5 if retry else 0,
                retry_in_ms=wait_ms,
                error=error,
            )
        )

    def say(self, debater: str, text: str, *, reasoning: bool = False) -> DebateHarness:
        turn = self.turns[debater]
        offset = self.lengths.get((turn, reasoning), 0)
        self.lengths[turn, reasoning] = offset + len(text)
        return self.log_events(
            ev.TurnDelta(turn=turn, debater=debater, attempt=1, offset=offset, text=text, reasoning=reasoning)
        )

    def end(
        self, debater: str, reason: FinishReason = "complete", usage: Usage | None = None, **more: Any
    ) -> DebateHarness:
        self.status(debater, "failed" if reason == "failed" else "finished", error=more.pop("error", None))
        turn = self.turns[debater]
        return self.log_events(
            ev.TurnFinished(turn=turn, debater=debater, reason=reason, usage=usage, **more)
        )


class SourceSwaps:
    """Takes sources that are spelled right."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    async def __call__(self, debater: str, text: str) -> None:
        if not text.startswith("openai:"):
            raise UsageError(f"No provider named '{text}'.", "Did you mean openai:…?")
        self.made.append((debater, text))
