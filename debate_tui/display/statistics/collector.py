"""The statistics of a debate, collected while it runs."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.display.buffer import PaneBufferStatistics
from debate_tui.display.statistics.stream import StreamStatistics, TurnStatistics
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterInfo,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebatersRevealed,
    DebateStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.progress import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.events import Event
    from debate_tui.domain.stream import Connected

MAX_FRAME_TIMES = 500
"""The number of latest frames that the reported frame time is for."""


class StatisticsReport(Struct, frozen=True):
    """The statistics of a debate at the log's time `now`.

    `elapsed` is in seconds since the debate began. Of the latest frames, 95 % took no longer than
    `frame_time`, in seconds. `buffers` are those of the panes, by debater. Without a screen there are
    neither frames nor buffers.
    """

    now: float
    elapsed: float
    streams: tuple[StreamStatistics, ...]
    frame_time: float | None
    buffers: dict[str, PaneBufferStatistics]


class Statistics:
    """A listener of the debate log that measures its streams; it never waits.

    Times come from the log, so a recorded debate shows what was measured when it ran. Between two events,
    log time is assumed to advance like `clock`, in seconds from an arbitrary start. `record_connection` and
    `record_frame` supply what the log does not contain; the figures of the shared buffer are passed to
    `report`.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._streams: dict[str, StreamStatistics] = {}
        self._pauses = Pauses()
        self._frame_times: deque[float] = deque(maxlen=MAX_FRAME_TIMES)
        self._started_at = self._latest_at = self._clock_offset = 0.0
        self._is_finished = False

    def __call__(self, event: Event) -> None:
        """Process an event; each must be passed once, in the order of the log."""
        if type(event) is TurnDelta:
            self._latest_at = event.at
            stream = self._streams.get(event.debater) or self._stream(event.debater)
            stream.add_delta(event)
            return
        if self._is_finished or (isinstance(event, DebateResumed) and event.reason == "continued"):
            # The time between the interruption of a debate and its resumption does not count.
            self._started_at += event.at - self._latest_at
            for stream in self._streams.values():
                stream.exclude_time(event.at - self._latest_at)
        self._latest_at = event.at
        self._clock_offset = self._clock() - event.at
        self._started_at = self._started_at or event.at
        self._apply(event)

    def record_connection(self, debater: str, connected: Connected) -> None:
        """Record the details of a debater's newest connection; ignore unknown debaters."""
        if stream := self._streams.get(debater):
            stream.record_connection(connected)

    def record_frame(self, seconds: float) -> None:
        """Record how long a frame took, in seconds."""
        self._frame_times.append(seconds)

    def newest_turn(self, debater: str) -> TurnStatistics:
        """Return the statistics of a debater's newest turn; they are empty before the first."""
        stream = self._streams.get(debater)
        return stream.turn if stream else TurnStatistics()

    def report(self, buffers: dict[str, PaneBufferStatistics] | None = None) -> StatisticsReport:
        """Return all current figures; `buffers` has those of the panes, if there is a screen."""
        now = self._now
        frames = sorted(self._frame_times)
        frame_time = frames[len(frames) * 95 // 100] if frames else None
        return StatisticsReport(
            now, now - self._started_at, tuple(self._streams.values()), frame_time, buffers or {}
        )

    @property
    def _now(self) -> float:
        """The log's time; it stops when the debate is over."""
        return (
            self._latest_at if self._is_finished else max(self._latest_at, self._clock() - self._clock_offset)
        )

    def _stream(self, debater: str) -> StreamStatistics:
        stream = self._streams.get(debater)
        if stream is None:
            info = DebaterInfo(debater, debater, "", "", "")
            stream = self._streams[debater] = StreamStatistics(info, self._started_at)
        return stream

    def _apply(self, event: Event) -> None:
        match event:
            case StreamStatus():
                self._stream(event.debater).update_status(event)
            case DebatePaused() | DebateResumed():
                self._pauses.apply(event)
                for debater, stream in self._streams.items():
                    stream.set_held(event.at, held=self._pauses.holds(debater))
            case TurnStarted():
                self._stream(event.debater).start_turn(event)
            case TurnFinished():
                self._stream(event.debater).finish_turn(event)
            case TurnSuperseded():
                self._stream(event.debater).supersede_turn(event)
            case DebateStarted() | DebatersRevealed():
                for info in event.debaters:
                    self._stream(info.id).info = info
            case DebaterRemoved():
                self._stream(event.debater).is_removed = True
            case DebaterReplaced() | DebaterReturned():
                self._stream(event.debater).switch_model(event.model)
            case _:
                pass
        self._is_finished = isinstance(event, DebateFinished)
