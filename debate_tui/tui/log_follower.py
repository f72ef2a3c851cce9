"""Follows the debate log for the screen: applies state at once, and buffers what the panes show.

Here the log's events, including hostile text, become safe to paint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.buffer import PaneText
from debate_tui.display.statistics import Statistics
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebatersRevealed,
    DebateStarted,
    Interjection,
    PhaseStarted,
    Report,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    Verdict,
    Vote,
)
from debate_tui.domain.sanitise import Sanitiser, sanitise_strings
from debate_tui.domain.transcript import DeltaRule, Transcript
from debate_tui.domain.usage import CostBreakdown, compute_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material
    from debate_tui.record.log import ReadableLog

_DEBATE_WIDE_EVENTS = (
    DebateStarted,
    PhaseStarted,
    DebatePaused,
    DebateResumed,
    DebateFinished,
    TurnFinished,
    Verdict,
    Report,
    Vote,
    DebatersRevealed,
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
        return len(self._feed.active_streams)

    @property
    def bill(self) -> CostBreakdown:
        """The cost of finished turns, verdicts and reports."""
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

    async def read_material(self) -> Sequence[Material]:
        """Return what the debaters were given, hidden material included; raise `DebateError`."""
        return await self._log.read_material() if self._log is not None else ()

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
        if self._owns_statistics:
            self.statistics(event)
        if type(event) is TurnDelta:  # by far the most frequent event, so it takes the shortest path
            self._feed.add_delta(event)
            return
        active = self.active_streams
        self.transcript.apply(event)
        if isinstance(event, TurnFinished | Verdict | Report):
            self._bill = None
        self._feed.add_event(event)
        if self.active_streams != active:
            self._on_active_change()
        if isinstance(event, _DEBATE_WIDE_EVENTS):
            self._on_debate_event(event)


class PaneFeed:
    """A writer that puts what panes show into the buffer, given each event of a log once and in order.

    Deltas that do not count, by `DeltaRule`, and debaters without a pane are ignored.
    """

    def __init__(self, buffer: SharedBuffer[PaneItem]) -> None:
        self.active_streams: set[str] = set()
        """The debaters whose streams are connected or streaming, for hybrid mode."""
        self._buffer = buffer
        self._panes = frozenset(buffer.panes)
        self._turns: dict[int, _PaneTurn] = {}

    def add_delta(self, delta: TurnDelta) -> None:
        """Add a delta's text."""
        turn = self._turns.get(delta.turn)
        if turn is None or not turn.rule.accept(delta):
            return
        turn.attempt = delta.attempt
        if text := turn.sanitisers[delta.reasoning].feed(delta.text):
            item = PaneText(delta.turn, delta.attempt, text, delta.reasoning)
            self._buffer.push(turn.debater, item, len(text))

    def add_event(self, event: Event) -> None:
        """Add any other event, if panes show it."""
        match event:
            case TurnStarted() if event.debater in self._panes:
                self._start_turn(event)
            case TurnSuperseded() if turn := self._turns.get(event.turn):
                if turn.supersede(event.attempt):
                    self._push_event(event, event.debater)
            case TurnFinished() if turn := self._turns.get(event.turn):
                self._flush_sanitisers(event.turn, turn)
                self._push_event(event, event.debater)
            case StreamStatus():
                active = event.state in ("connected", "streaming")
                (self.active_streams.add if active else self.active_streams.discard)(event.debater)
                self._push_event(event, event.debater)
            case DebaterRemoved() | DebaterReplaced() | DebaterReturned():
                self._push_event(event, event.debater)
            case PhaseStarted():
                self._push_event(event, None)
            case Interjection():
                self._push_event(event, event.to)
            case _:
                pass

    def _start_turn(self, event: TurnStarted) -> None:
        if event.turn not in self._turns:
            for number in [n for n, turn in self._turns.items() if turn.debater == event.debater]:
                del self._turns[number]
            self._turns[event.turn] = _PaneTurn(event.debater)
        self._push_event(event, event.debater)

    def _flush_sanitisers(self, number: int, turn: _PaneTurn) -> None:
        """Show incomplete escape sequences that will not be completed any more."""
        for reasoning, sanitiser in turn.sanitisers.items():
            if text := sanitiser.flush():
                item = PaneText(number, turn.attempt, text, reasoning)
                self._buffer.push(turn.debater, item, len(text))

    def _push_event(self, event: PaneItem, debater: str | None) -> None:
        item = sanitise_strings(event)
        for pane in self._buffer.panes if debater is None else (debater,):
            if pane in self._panes:
                self._buffer.push(pane, item)


class _PaneTurn:
    """A debater's newest turn; kept after its end because it may be resumed."""

    __slots__ = ("attempt", "debater", "rule", "sanitisers")

    def __init__(self, debater: str) -> None:
        self.debater = debater
        self.attempt = 1
        self.rule = DeltaRule()
        self.sanitisers = _new_sanitisers()

    def supersede(self, attempt: int) -> bool:
        """Start over with `attempt`; return `False` if that has been done before."""
        if not self.rule.supersede(attempt):
            return False
        self.attempt = attempt
        self.sanitisers = _new_sanitisers()
        return True


def _new_sanitisers() -> dict[bool, Sanitiser]:
    """Return sanitisers for reasoning and for the answer, which may hold back the end of their texts."""
    return {True: Sanitiser(), False: Sanitiser()}
