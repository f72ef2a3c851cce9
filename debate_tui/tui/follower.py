"""Follows the debate log for the screen: state at once, text and statuses by way of the shared buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.feed import Feed
from debate_tui.display.statistics import Statistics
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebateStarted,
    PhaseStarted,
    TurnDelta,
    TurnFinished,
    Verdict,
    Vote,
)
from debate_tui.domain.spending import Bill, bill
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog

_OF_THE_DEBATE = (
    DebateStarted,
    PhaseStarted,
    DebatePaused,
    DebateResumed,
    DebateFinished,
    TurnFinished,
    Verdict,
    Vote,
)


class Follower:
    """One screen's view of one log, from `open` on.

    `transcript` is up to date but has no texts: those go to the panes, which keep them. `on_debate` is
    called with what concerns the debate as a whole, `on_active` when the number of `active` streams changes.
    `statistics` are those of whoever holds the debate; without any, a follower gathers its own, into what
    `measure` makes.
    """

    def __init__(
        self,
        buffer: SharedBuffer[Item],
        *,
        statistics: Statistics | None = None,
        measure: Callable[[], Statistics] = Statistics,
        on_debate: Callable[[Event], None],
        on_active: Callable[[], None],
    ) -> None:
        self.transcript = Transcript()
        self.statistics = statistics or measure()
        self._measure = measure
        self._measuring = statistics is None
        self._log: ReadableLog | None = None
        self._buffer = buffer
        self._feed = Feed(buffer)
        self._on_debate = on_debate
        self._on_active = on_active
        self._seq = 0
        self._bill: Bill | None = None
        self._early: list[Event] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def active(self) -> int:
        """How many streams are connected or streaming."""
        return self._feed.active

    @property
    def bill(self) -> Bill:
        """What the turns that ended and the verdicts have cost."""
        if self._bill is None:
            self._bill = bill(self.transcript)
        return self._bill

    async def open(self, log: ReadableLog) -> None:
        """Take in what the log holds already, then every event as it is appended."""
        early: list[Event] = []
        self._early = early
        self._log = log
        self._unsubscribe = log.subscribe(self._listen)
        while batch := await log.read(self._seq):
            for event in batch:
                self._take(event)
        self._early = None
        for event in early:
            self._take(event)

    async def held(self) -> list[Event]:
        """All events that the log holds now."""
        events: list[Event] = []
        while self._log is not None and (batch := await self._log.read(len(events))):
            events += batch
        return events

    def restart(self, events: Iterable[Event]) -> None:
        """Forget everything, what is pending too, and take in these events: the log has gone back."""
        self.transcript.clear()
        self._bill = None
        self._buffer.take()
        self._feed = Feed(self._buffer)
        if self._measuring:
            self.statistics = self._measure()
        self._seq = 0
        for event in events:
            self._take(event)

    def close(self) -> None:
        """Follow the log no longer."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _listen(self, event: Event) -> None:
        if self._early is not None:
            self._early.append(event)
        else:
            self._take(event)

    def _take(self, event: Event) -> None:
        if event.seq <= self._seq:
            return
        self._seq = event.seq
        if type(event) is TurnDelta:  # by far the most frequent, so it goes the shortest way
            if self._measuring:
                self.statistics(event)
            self._feed(event)
            return
        if self._measuring:
            self.statistics(event)
        active = self._feed.active
        self.transcript.apply(event)
        if isinstance(event, TurnFinished | Verdict):
            self._bill = None
        self._feed(event)
        if self._feed.active != active:
            self._on_active()
        if isinstance(event, _OF_THE_DEBATE):
            self._on_debate(event)
