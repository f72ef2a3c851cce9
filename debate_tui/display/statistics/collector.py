"""The statistics of a debate, collected while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.display.statistics.report import (
    DurationHistogram,
    FrameFigures,
    StatisticsReport,
    TurnFigures,
)
from debate_tui.display.statistics.stream import RateCurve, StreamMeasurements, quantiles
from debate_tui.domain.events import (
    DebateFinished,
    DebateResumed,
    DebaterInfo,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebateStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.buffer import BufferStatistics as BufferStatistics
    from debate_tui.domain.events import Event
    from debate_tui.domain.stream import Connected


class Statistics:
    """A listener of the debate log that measures its streams; it never waits.

    Times come from the log, so a recorded debate shows what was measured when it ran. Between two events,
    log time is assumed to advance like `clock`, in seconds from an arbitrary start. `record_connection` and
    `record_frame` supply what the log does not contain; the figures of the shared buffer are passed to
    `report`.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._measurements: dict[str, StreamMeasurements] = {}
        self._frame_times = DurationHistogram()
        self._started_at = self._latest_at = self._clock_offset = 0.0
        self._is_finished = False

    def __call__(self, event: Event) -> None:
        """Process an event; each must be passed once, in the order of the log."""
        if type(event) is TurnDelta:
            self._latest_at = event.at
            stream = self._measurements.get(event.debater) or self._measurements_of(event.debater)
            stream.add_delta(event)
            return
        if self._is_finished or (isinstance(event, DebateResumed) and event.reason == "continued"):
            self._exclude_time(event.at - self._latest_at)
        self._latest_at = event.at
        self._clock_offset = self._clock() - event.at
        self._started_at = self._started_at or event.at
        self._apply(event)

    def record_connection(self, debater: str, connected: Connected) -> None:
        """Record the details of a debater's newest connection; ignore debaters without measurements."""
        if stream := self._measurements.get(debater):
            stream.record_connection(connected)

    def record_frame(self, seconds: float) -> None:
        """Record how long a frame took, in seconds."""
        self._frame_times.add(seconds)

    def turn_figures(self, debater: str) -> TurnFigures:
        """Return the figures of a debater's newest turn."""
        stream = self._measurements.get(debater)
        return stream.turn_figures if stream else TurnFigures()

    def rate_curve(self, debater: str, max_points: int) -> RateCurve:
        """Return a debater's speed over the debate so far, in tokens per second.

        The curve has up to `max_points` intervals.
        """
        stream = self._measurements.get(debater)
        return stream.rate_curve(self._now, max_points) if stream else RateCurve()

    def report(self, buffer: BufferStatistics | None = None) -> StatisticsReport:
        """Return all current figures; `buffer` has those of the screen's buffer, if there is a screen."""
        now = self._now
        lanes = buffer.panes if buffer else {}
        return StatisticsReport(
            now - self._started_at,
            tuple(stream.figures(now, lanes.get(name)) for name, stream in self._measurements.items()),
            FrameFigures(buffer.flushes, quantiles(self._frame_times)) if buffer else None,
        )

    @property
    def _now(self) -> float:
        """The log's time; it stops when the debate is over."""
        return (
            self._latest_at if self._is_finished else max(self._latest_at, self._clock() - self._clock_offset)
        )

    def _measurements_of(self, debater: str) -> StreamMeasurements:
        stream = self._measurements.get(debater)
        if stream is None:
            info = DebaterInfo(debater, debater, "", "", "")
            stream = self._measurements[debater] = StreamMeasurements(info, self._started_at)
        return stream

    def _exclude_time(self, seconds: float) -> None:
        """Exclude the time between the interruption of a debate and its resumption."""
        self._started_at += seconds
        for stream in self._measurements.values():
            stream.exclude_time(seconds)

    def _apply(self, event: Event) -> None:
        match event:
            case StreamStatus():
                self._measurements_of(event.debater).update_status(event)
            case TurnStarted():
                self._measurements_of(event.debater).start_turn(event)
            case TurnFinished():
                self._measurements_of(event.debater).finish_turn(event)
            case TurnSuperseded():
                self._measurements_of(event.debater).supersede_turn(event)
            case DebateStarted():
                for info in event.debaters:
                    self._measurements_of(info.id).info = info
            case DebaterRemoved():
                self._measurements_of(event.debater).is_removed = True
            case DebaterReplaced() | DebaterReturned():
                self._measurements_of(event.debater).switch_model(event.model)
            case _:
                pass
        self._is_finished = isinstance(event, DebateFinished)
