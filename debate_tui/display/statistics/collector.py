"""The figures of a debate, gathered while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.display.statistics.histogram import Histogram
from debate_tui.display.statistics.report import Painting, Report, Turn
from debate_tui.display.statistics.stream import Stream, spread
from debate_tui.display.statistics.trace import Curve
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

    from debate_tui.display.buffer import Statistics as BufferStatistics
    from debate_tui.domain.events import Event
    from debate_tui.domain.stream import Connected


class Statistics:
    """A listener of the debate log that measures its streams; nothing in it ever waits.

    Times are the log's own, so that a recorded debate shows what was measured when it was held. Between two
    events the log's time is taken to pass as `clock`'s does, whose seconds count from any point. What the
    log does not say comes in by `connected` and `painted`, and from the shared buffer when a report is made.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._streams: dict[str, Stream] = {}
        self._frames = Histogram()
        self._origin = self._latest = self._skew = 0.0
        self._over = False

    def __call__(self, event: Event) -> None:
        """Take an event; each must come once, in the order of the log."""
        if type(event) is TurnDelta:
            self._latest = event.at
            stream = self._streams.get(event.debater) or self._stream(event.debater)
            stream.add(event)
            return
        if self._over or (isinstance(event, DebateResumed) and event.reason == "continued"):
            self._skip(event.at - self._latest)
        self._latest = event.at
        self._skew = self._clock() - event.at
        self._origin = self._origin or event.at
        self._take(event)

    def connected(self, debater: str, connected: Connected) -> None:
        """Take what a debater's stream says of its newest connection; nobody else's is measured."""
        if stream := self._streams.get(debater):
            stream.connect(connected)

    def painted(self, seconds: float) -> None:
        """Take how long a frame took."""
        self._frames.add(seconds)

    def turn(self, debater: str) -> Turn:
        """The figures of a debater's newest turn."""
        stream = self._streams.get(debater)
        return stream.turn if stream else Turn()

    def curve(self, debater: str, width: int) -> Curve:
        """A debater's speed over the debate so far in tokens per second, in at most `width` stretches."""
        stream = self._streams.get(debater)
        return stream.curve(self._now, width) if stream else Curve()

    def report(self, buffer: BufferStatistics | None = None) -> Report:
        """All figures at this moment; those of the buffer are the screen's, if there is one."""
        now = self._now
        lanes = buffer.panes if buffer else {}
        return Report(
            now - self._origin,
            tuple(stream.figures(now, lanes.get(name)) for name, stream in self._streams.items()),
            Painting(buffer.flushes, spread(self._frames)) if buffer else None,
        )

    @property
    def _now(self) -> float:
        """The log's time; it stands still once the debate is over."""
        return self._latest if self._over else max(self._latest, self._clock() - self._skew)

    def _stream(self, debater: str) -> Stream:
        stream = self._streams.get(debater)
        if stream is None:
            info = DebaterInfo(debater, debater, "", "", "")
            stream = self._streams[debater] = Stream(info, self._origin)
        return stream

    def _skip(self, seconds: float) -> None:
        """A debate that was broken off is taken up: the time between is none of its own."""
        self._origin += seconds
        for stream in self._streams.values():
            stream.skip(seconds)

    def _take(self, event: Event) -> None:
        match event:
            case StreamStatus():
                self._stream(event.debater).change(event)
            case TurnStarted():
                self._stream(event.debater).start(event)
            case TurnFinished():
                self._stream(event.debater).finish(event)
            case TurnSuperseded():
                self._stream(event.debater).supersede(event)
            case DebateStarted():
                for info in event.debaters:
                    self._stream(info.id).info = info
            case DebaterRemoved():
                self._stream(event.debater).removed = True
            case DebaterReplaced() | DebaterReturned():
                self._stream(event.debater).replace(event.model)
            case _:
                pass
        self._over = isinstance(event, DebateFinished)
