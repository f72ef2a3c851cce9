"""Display modes, and the clock that says what is painted when.

Nothing here reads a clock, waits or paints: whoever drives it asks `FrameClock.decide` with the time and
what is pending, paints what it is told to, and asks again when it is told to.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

FLUSH_WINDOW = 0.1
"""How often synchronized text is painted, in seconds."""
MIN_FRAME_INTERVAL = 1 / 60
"""The shortest time between two frames, in seconds."""
MAX_FRAME_REST = 0.5
"""The most that pacing keeps a frame from following the last one, in seconds."""


class DisplayMode(enum.StrEnum):
    """When received text is painted."""

    SYNCHRONIZED = "synchronized"
    """All panes together, once a window."""
    STAGGERED = "staggered"
    """Each pane in the next frame after its text arrived."""
    HYBRID = "hybrid"
    """Synchronized while more than one stream is active, else staggered."""

    @property
    def next(self) -> DisplayMode:
        """The mode the mode key switches to."""
        modes = list(DisplayMode)
        return modes[(modes.index(self) + 1) % len(modes)]


class FrameDecision(Struct, frozen=True):
    """What to do: paint these panes now, in one frame; and ask again at `ask_again_at`, if it is not
    `None`."""

    panes: tuple[str, ...] = ()
    ask_again_at: float | None = None


class FrameClock:
    """Says which panes are painted when, on absolute deadlines, so that late timers do not add up.

    `window` is the synchronized mode's interval and `min_interval` the shortest one between two frames, both
    in seconds. All times are in seconds of one monotonic clock.

    A synchronized window opens with its first text; while text keeps coming, windows follow one another
    without a gap. So text waits at most one window, and what several streams send at once after a silence
    is seen at once. Staggered text waits for the next frame only.

    Frames get rarer where they cost too much: painting takes at most half of the time, and a loop that is
    late twice in a row is given as much rest as it was late. A terminal that has not taken all of the last
    frame gets no further one.
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
        # The last frame: when it was due, when it was begun, and until when the loop may rest after it.
        self._last_deadline = self._frame_started_at = self._rest_until = float("-inf")

    @property
    def mode(self) -> DisplayMode:
        """The mode that was chosen."""
        return self._mode

    def set_mode(self, mode: DisplayMode) -> None:
        """Choose a mode; what is pending is due at once."""
        self._mode = mode
        self.request_flush()

    def request_flush(self) -> None:
        """What is pending is due at once, as before a pause and when quitting."""
        self._flush_requested = True

    def is_synchronized(self, active_streams: int) -> bool:
        """Whether text is painted in windows while `active_streams` streams are connected or streaming."""
        return self._mode is DisplayMode.SYNCHRONIZED or (
            self._mode is DisplayMode.HYBRID and active_streams > 1
        )

    def read_delay(self, active_streams: int) -> float:
        """How long text may pile up at its sender before it is read, in seconds, as it is not due earlier."""
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
        """What to paint at `now`; the clock counts it as painted.

        `oldest_arrivals` has every pane with something pending and when the oldest of it arrived;
        `active_streams` is the number of streams connected or streaming; `flush_early` says that enough is
        pending to paint it early, `terminal_backlog` that the terminal has not taken all of the last frame.
        Ask again at `ask_again_at`, and earlier when a pane gets its first pending item, when the buffer
        becomes crowded, when `active_streams` changes, and after `set_mode` and `request_flush`.
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
        """How long painting what was due took."""
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
