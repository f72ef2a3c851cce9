"""A history screen to be driven by hand, over a record in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from debate_tui.domain.events import DebateFinished
from debate_tui.record.summary import DebateSummary
from debate_tui.tui.screen_options import ScreenOptions
from debate_tui.tui.screens.history import HistoryOptions, HistoryScreen, HistorySelection
from debate_tui.tui.single_screen import SingleScreenApp
from debate_tui.tui.widgets.debate_list import DigestCache
from tests.tui.debate_harness import DEBATERS, SETUP, START, DebateHarness
from tests.tui.judged_debates import add_judged_debate
from tests.tui.replay_harness import recorded_debate
from tests.tui.screen_harness import ScreenHarness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material

    Snap = Callable[..., bool]


TOPICS = (
    ("Should cities ban private cars from their centres?", "complete", 2),
    ("Is Pluto a planet?", None, 3),
    ("Tabs or spaces, once and for all?", "stopped", 2),
    ("Would you rather fight one horse-sized duck or a hundred duck-sized horses, and why?", "failed", 4),
    ("我们应该禁止汽车吗？ [bold]真的[/]\x1b[31m吗", "complete", 2),
)


DAY = 86_400


def summaries(count: int = 5, live: int | None = None) -> list[DebateSummary]:
    found = []
    for place in range(count):
        topic, finished, panes = TOPICS[place % len(TOPICS)]
        begun = START - place * DAY * 0.7
        found.append(
            DebateSummary(
                f"{place:08x}",
                topic if place < len(TOPICS) else f"{topic} ({place})",
                "oxford",
                DEBATERS[:panes],
                begun,
                begun + 240,
                finished,
                1204,
                live=place == live,
            )
        )
    return found


def judged_debate() -> Sequence[Event]:
    return (
        add_judged_debate(DebateHarness(2)).log_events(DebateFinished(reason="complete"), after=1).log._events
    )


class FakeArchive:
    """A record in memory."""

    def __init__(self, kept: Sequence[DebateSummary]) -> None:
        self.kept = list(kept)
        self.trouble: DebateError | None = None

    async def debates(self) -> Sequence[DebateSummary]:
        return tuple(self.kept)

    async def events(self, debate: str, *, deltas: bool = True) -> Sequence[Event]:
        if self.trouble:
            raise self.trouble
        return judged_debate() if debate == "00000000" else recorded_debate()

    async def setup(self, debate: str) -> str:
        return SETUP

    async def material(self, debate: str) -> tuple[Material, ...]:
        return ()

    async def find(self, debate: str) -> DebateSummary:
        return next(summary for summary in self.kept if summary.debate == debate)

    async def delete(self, debate: str) -> None:
        if self.trouble:
            raise self.trouble
        self.kept = [summary for summary in self.kept if summary.debate != debate]

    async def check(self, debate: str) -> None:
        if self.trouble:
            raise self.trouble


class HistoryHarness(ScreenHarness):
    def __init__(
        self,
        count: int = 5,
        *,
        live: int | None = None,
        words: str = "",
        at: str = "",
        from_start: bool = False,
        **options: Any,
    ) -> None:
        self.archive = FakeArchive(summaries(count, live))
        screen_options = ScreenOptions(**options)
        screen = HistoryScreen(
            self.archive,  # type: ignore[arg-type]
            self.archive.check,
            self.archive.kept,
            screen_options.glyphs,
            options=HistoryOptions(words, at, from_start),
            digests=DigestCache(),
        )
        self.app = SingleScreenApp[HistorySelection](screen, screen_options)

    async def settle(self) -> None:
        """What is read about the debates is shown."""
        await self.pilot.pause()
        await self.press()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        for worker in list(self.app.workers):
            if worker.name != "themes":
                await worker.wait()
        await self.pilot.pause()

    @property
    def screen(self) -> HistoryScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, HistoryScreen)
        return screen

    @property
    def chosen(self) -> str:
        chosen = self.screen._debate_list.highlighted_debate
        return chosen.debate if chosen else ""
