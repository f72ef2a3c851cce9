"""Display modes, and the clock that decides what to paint when.

Nothing here reads a clock, waits or paints: the caller passes the time and what is pending to
`FrameClock.decide`, paints what it returns, and calls it again at the time it returns.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

FLUSH_WINDOW = 0.1
"""Seconds between two paints of synchronized text."""
MIN_FRAME_INTERVAL = 1 / 60
"""The minimum time between two frames, in seconds."""
MAX_FRAME_REST = 0.5
"""The maximum time that pacing delays a frame after the last one, in seconds."""


class DisplayMode(enum.StrEnum):
    """When received text is painted."""

    SYNCHRONIZED = "synchronized"
    """All panes together, once per window."""
    STAGGERED = "staggered"
    """Each pane in the next frame after its text arrived."""
    HYBRID = "hybrid"
    """Synchronized while more than one stream is active, else staggered."""

    @property
    def next(self) -> DisplayMode:
        """The mode that the mode key switches to."""
        modes = list(DisplayMode)
        return modes[(modes.index(self) + 1) % len(modes)]


class FrameDecision(Struct, frozen=True):
    """The panes to paint now, in one frame, and when to ask again.

    `ask_again_at` is `None` if there is nothing to wait for.
    """

    panes: tuple[str, ...] = ()
    ask_again_at: float | None = None


class FrameClock:
    """A scheduler of frames that uses absolute deadlines, so that late timers do not add up.

    `window` is the interval of synchronized mode and `min_interval` the minimum between two frames, both in
    seconds. All times are in seconds of one monotonic clock.

    A synchronized window opens with its first text; while text keeps coming, windows follow each other
    without gaps. So text waits for up to one window, and what several streams send at once after a silence
    appears at once. Staggered text waits only for the next frame.

    Frames become rarer when they cost too much: painting takes up to half of the time, and an event loop
    that is late twice in a row rests for as long as it was late. No frame starts while the terminal has not
    taken all of the last one.
    """

    def __init__(
        self,
        mode: DisplayMode = DisplayMode.HYBRID,
        *,
        window: float = FLUSH_WINDOW,
        min_interval: float = MIN_FRAME_INTERVAL,
    ) -> None:
        self._mode = mode
        self._window = max(window, min_interval)
        self._min_interval = min_interval
        self._flush_requested = False
        self._last_lateness = 0.0
        self._planned_at: float | None = None
        # The last frame: when it was due, when it started, and until when the event loop may rest after it.
        self._last_deadline = self._frame_started_at = self._rest_until = float("-inf")

    @property
    def mode(self) -> DisplayMode:
        """The selected mode."""
        return self._mode

    def set_mode(self, mode: DisplayMode) -> None:
        """Select a mode; what is pending becomes due at once."""
        self._mode = mode
        self.request_flush()

    def request_flush(self) -> None:
        """Make what is pending due at once, for example before a pause and when quitting."""
        self._flush_requested = True

    def is_synchronized(self, active_streams: int) -> bool:
        """Return whether text is painted in windows while `active_streams` streams are active.

        A stream is active while it is connected or streaming.
        """
        return self._mode is DisplayMode.SYNCHRONIZED or (
            self._mode is DisplayMode.HYBRID and active_streams > 1
        )

    def read_delay(self, active_streams: int) -> float:
        """Return how long text may accumulate at its sender before it is read, in seconds.

        It is half the interval between frames, because the text is not due earlier.
        """
        return (self._window if self.is_synchronized(active_streams) else self._min_interval) / 2

    def decide(
        self,
        now: float,
        oldest_arrivals: Mapping[str, float],
        *,
        active_streams: int,
        flush_early: bool = False,
        terminal_backlog: bool = False,
    ) -> FrameDecision:
        """Return what to paint at `now`; the clock counts it as painted.

        `oldest_arrivals` maps each pane with pending items to the arrival time of the oldest;
        `active_streams` is the number of streams that are connected or streaming; `flush_early` means that
        enough is pending to paint it early, `terminal_backlog` that the terminal has not taken all of the
        last frame. Ask again at `ask_again_at`, and earlier when a pane gets its first pending item, when
        the buffer becomes crowded, when `active_streams` changes, and after `set_mode` and `request_flush`.
        """
        if not oldest_arrivals:
            self._flush_requested = False
            self._planned_at = None
            return FrameDecision()
        interval = self._window if self.is_synchronized(active_streams) else self._min_interval
        deadline = (
            now
            if self._flush_requested
            else self._next_deadline(now, min(oldest_arrivals.values()), interval, flush_early)
        )
        if now < deadline or terminal_backlog:
            self._planned_at = deadline if now < deadline else now + self._min_interval
            return FrameDecision(ask_again_at=self._planned_at)
        self._start_frame(now, deadline, interval)
        return FrameDecision(panes=tuple(oldest_arrivals))

    def record_paint_time(self, seconds: float) -> None:
        """Record how long painting the last frame took, in seconds."""
        self._rest_until = max(self._rest_until, self._frame_started_at + min(2 * seconds, MAX_FRAME_REST))

    def _next_deadline(self, now: float, oldest: float, interval: float, flush_early: bool) -> float:
        next_frame = self._last_deadline + self._min_interval
        if interval == self._min_interval:
            deadline = max(oldest, next_frame)
        else:
            closes = self._last_deadline + interval
            deadline = closes if oldest <= closes else oldest + interval
            if flush_early:
                deadline = min(deadline, max(now, next_frame))
        return max(deadline, self._rest_until)

    def _start_frame(self, now: float, deadline: float, interval: float) -> None:
        late = now - (deadline if self._planned_at is None else self._planned_at)
        self._rest_until = now + min(late, self._last_lateness, MAX_FRAME_REST)
        self._last_deadline = deadline if now - deadline < interval else now
        self._frame_started_at = now
        self._last_lateness = late
        self._flush_requested = False
        self._planned_at = None
