"""Follows the debate log for the screen: applies state at once and buffers text and statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.pane_feed import PaneFeed
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
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.usage import CostBreakdown, compute_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.pane_feed import PaneItem
    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog

_DEBATE_WIDE_EVENTS = (
    DebateStarted,
    PhaseStarted,
    DebatePaused,
    DebateResumed,
    DebateFinished,
    TurnFinished,
    Verdict,
    Vote,
)


class LogFollower:
    """One screen's view of one log, starting with `open`.

    `transcript` is up to date but contains no texts: those go to the panes, which keep them.
    `on_debate_event` is called with events that concern the debate as a whole, `on_active_change` when the
    number of active streams changes. Pass the session's `statistics` if it runs in this process; otherwise
    the follower collects its own in an object that `make_statistics` creates.
    """

    def __init__(
        self,
        buffer: SharedBuffer[PaneItem],
        *,
        statistics: Statistics | None = None,
        make_statistics: Callable[[], Statistics] = Statistics,
        on_debate_event: Callable[[Event], None],
        on_active_change: Callable[[], None],
    ) -> None:
        self.transcript = Transcript()
        self.statistics = statistics or make_statistics()
        self._make_statistics = make_statistics
        self._owns_statistics = statistics is None
        self._log: ReadableLog | None = None
        self._buffer = buffer
        self._feed = PaneFeed(buffer)
        self._on_debate_event = on_debate_event
        self._on_active_change = on_active_change
        self._last_seq = 0
        self._bill: CostBreakdown | None = None
        self._backlog_events: list[Event] | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def active_streams(self) -> int:
        """Number of streams that are connected or streaming."""
        return self._feed.active_stream_count

    @property
    def bill(self) -> CostBreakdown:
        """The cost of finished turns and verdicts."""
        if self._bill is None:
            self._bill = compute_costs(self.transcript)
        return self._bill

    async def open(self, log: ReadableLog) -> None:
        """Apply the events already in the log, then every event as it is appended."""
        early: list[Event] = []
        self._backlog_events = early
        self._log = log
        self._unsubscribe = log.subscribe(self._receive_event)
        while batch := await log.read(self._last_seq):
            for event in batch:
                self._apply_event(event)
        self._backlog_events = None
        for event in early:
            self._apply_event(event)

    async def read_all(self) -> list[Event]:
        """Return all events that are in the log now."""
        events: list[Event] = []
        while self._log is not None and (batch := await self._log.read(len(events))):
            events += batch
        return events

    def reset_to(self, events: Iterable[Event]) -> None:
        """Discard all state and pending text, and apply these events: the log has moved back."""
        self.transcript.clear()
        self._bill = None
        self._buffer.take()
        self._feed = PaneFeed(self._buffer)
        if self._owns_statistics:
            self.statistics = self._make_statistics()
        self._last_seq = 0
        for event in events:
            self._apply_event(event)

    def close(self) -> None:
        """Stop following the log."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _receive_event(self, event: Event) -> None:
        if self._backlog_events is not None:
            self._backlog_events.append(event)
        else:
            self._apply_event(event)

    def _apply_event(self, event: Event) -> None:
        if event.seq <= self._last_seq:
            return
        self._last_seq = event.seq
        if type(event) is TurnDelta:  # by far the most frequent event, so it takes the shortest path
            if self._owns_statistics:
                self.statistics(event)
            self._feed(event)
            return
        if self._owns_statistics:
            self.statistics(event)
        active = self._feed.active_stream_count
        self.transcript.apply(event)
        if isinstance(event, TurnFinished | Verdict):
            self._bill = None
        self._feed(event)
        if self._feed.active_stream_count != active:
            self._on_active_change()
        if isinstance(event, _DEBATE_WIDE_EVENTS):
            self._on_debate_event(event)
