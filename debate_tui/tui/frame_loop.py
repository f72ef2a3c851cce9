"""The display's only timer: paints what the frame clock says is due, and ticks four times a second."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.display.display_modes import FrameClock
    from debate_tui.tui.widgets.page_view import Viewport


TICK_SECONDS = 0.25
"""Seconds between updates of meters and countdowns."""

MAX_PANE_FRAME_CHARACTERS = 32 * 1024
"""Maximum characters painted per pane and frame, so that a flood of text cannot make a frame long."""

MIN_PANE_FRAME_CHARACTERS = 4 * 1024
"""The lower limit for that maximum, on a machine where frames take long."""

LONG_FRAME_SECONDS, SHORT_FRAME_SECONDS = 0.04, 0.015
"""Seconds after which a frame halves the next one's text, and below which it doubles it."""

INPUT_SECONDS = 0.05
"""Seconds text waits for the effect of a key; afterwards, keys wait up to as long for text."""


class FrameTarget(Protocol):
    """The screen that paints the frames."""

    @property
    def active_streams(self) -> int:
        """Number of streams that are connected or streaming."""
        ...

    @property
    def has_backlog(self) -> bool:
        """Whether the terminal has not accepted all of the last frame yet."""
        ...

    def paint(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> None:
        """Take pending items of these panes, or of all, and paint them; `limit` is that of the buffer."""
        ...

    def tick(self, now: float) -> None:
        """Update what changes with time."""
        ...

    def frame(self) -> AbstractContextManager[None]:
        """Paint everything changed within the block as one frame, at its end."""
        ...


class FrameLoop:
    """The loop that paints a buffer's text on a target; `run` continues until it is cancelled.

    A flush releases the text of all panes in one call, without an `await` in between. Deadlines are absolute,
    so that a late wake-up delays one frame and not those after it. `on_frame` is called with the duration of
    each frame in seconds.
    """

    def __init__(
        self,
        buffer: SharedBuffer[PaneItem],
        clock: FrameClock,
        target: FrameTarget,
        *,
        on_frame: Callable[[float], None] | None = None,
    ) -> None:
        self._buffer = buffer
        self._clock = clock
        self._target = target
        self._on_frame = on_frame
        self._frame_limit = MAX_PANE_FRAME_CHARACTERS
        self._input_started_at = self._input_until = self._next_input_at = float("-inf")
        self._wake = asyncio.Event()
        buffer.on_due_change = self._wake.set

    def wake(self) -> None:
        """Query the clock again now, after a change of the mode or of the number of active streams."""
        self._wake.set()

    def start_input(self) -> None:
        """Stop reading and painting after a key press, until `finish_input` or for `INPUT_SECONDS`."""
        now = time.monotonic()
        if now < self._next_input_at:
            return
        self._input_started_at, self._input_until = now, now + INPUT_SECONDS
        self._next_input_at = self._input_until + INPUT_SECONDS
        self._buffer.hold_readers()
        asyncio.get_running_loop().call_at(self._input_until, self.finish_input, now)

    def finish_input(self, started_at: float | None = None) -> None:
        """Resume reading and painting after a key took effect, or after its time was up.

        The timer passes `started_at`, so that it cannot end the wait for a later key.
        """
        if self._input_until == float("-inf") or started_at not in (None, self._input_started_at):
            return
        now = time.monotonic()
        self._input_until = float("-inf")
        self._next_input_at = now + min(now - self._input_started_at, INPUT_SECONDS)
        self._buffer.release_readers()
        self._wake.set()

    def flush_all(self) -> None:
        """Paint all pending text immediately, in any mode."""
        while self._buffer.oldest_arrivals:
            self._target.paint()

    async def run(self) -> None:
        """Paint frames when they are due."""
        loop = asyncio.get_running_loop()
        next_tick = time.monotonic() + TICK_SECONDS
        while True:
            self._wake.clear()
            now = time.monotonic()
            if now < self._input_until:  # `finish_input` wakes this loop
                await self._wake.wait()
                continue
            again, ticked = self._paint_due(now, tick_due=now >= next_tick)
            if ticked:
                next_tick += TICK_SECONDS * (1 + (now - next_tick) // TICK_SECONDS)
            until = next_tick if again is None else again if now >= next_tick else min(again, next_tick)
            timer = loop.call_later(until - time.monotonic(), self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()

    def _paint_due(self, now: float, *, tick_due: bool) -> tuple[float | None, bool]:
        """Paint what is due now; return when to run again (`None`: when text arrives) and whether it ticked.

        A tick waits for the next text, if any is pending: it does not get a frame of its own.
        """
        buffer, stage = self._buffer, self._target
        buffer.read_delay = self._clock.read_delay(stage.active_streams)
        due = self._clock.decide(
            now,
            buffer.oldest_arrivals,
            active_streams=stage.active_streams,
            flush_early=buffer.should_flush_early,
            terminal_backlog=stage.has_backlog,
        )
        if not due.panes:
            if tick_due := tick_due and due.ask_again_at is None:
                stage.tick(now)
            return due.ask_again_at, tick_due
        with stage.frame():
            stage.paint(due.panes, limit=self._frame_limit)
            if tick_due:
                stage.tick(now)
        spent = time.monotonic() - now
        self._clock.record_paint_time(spent)
        self._adapt_frame_limit(spent)
        if self._on_frame is not None:
            self._on_frame(spent)
        return now if buffer.oldest_arrivals else None, tick_due

    def _adapt_frame_limit(self, spent: float) -> None:
        """Keep frames short on slow machines, because a key has to wait for the current frame."""
        if spent > LONG_FRAME_SECONDS:
            self._frame_limit = max(self._frame_limit // 2, MIN_PANE_FRAME_CHARACTERS)
        elif spent < SHORT_FRAME_SECONDS:
            self._frame_limit = min(self._frame_limit * 2, MAX_PANE_FRAME_CHARACTERS)


# Slow terminals: panes scroll in turn there, by several lines at once.


THROTTLE_SECONDS = 2.0
"""Seconds to throttle scrolling after slow writes."""


SLOW_WRITE_WINDOW_SECONDS = 1.0
"""Two slow writes within this many seconds are not a coincidence."""


SCROLL_FRACTION = 3
"""Panes scroll by this fraction of their height (1/3); until it is filled, only new lines are sent."""


class ScrollThrottle:
    """A limit on how far each pane may scroll in the next frame.

    Scrolling repaints the whole pane. On a slow terminal, only one pane scrolls per frame, so that frames
    stay short and keys take effect quickly; the other panes scroll in the following frames.
    """

    def __init__(self) -> None:
        self._seen_slow_writes = 0
        self._last_slow_write = self._throttled_until = float("-inf")
        self._scrolling_pane = 0

    def update(self, now: float, slow_writes: int) -> None:
        """Record the total number of slow writes so far."""
        more = slow_writes - self._seen_slow_writes
        if more > 1 or (more and now - self._last_slow_write <= SLOW_WRITE_WINDOW_SECONDS):
            self._throttled_until = now + THROTTLE_SECONDS
        if more:
            self._seen_slow_writes, self._last_slow_write = slow_writes, now

    def limit_scrolling(self, viewports: Sequence[Viewport], now: float, *, streaming: bool) -> None:
        """Set each pane's scroll step; all may scroll once nothing streams, as no frame may follow."""
        self._scrolling_pane = (self._scrolling_pane + 1) % len(viewports)
        for place, viewport in enumerate(viewports):
            if now >= self._throttled_until or not streaming:
                viewport.scroll_step = 1
            elif place == self._scrolling_pane:
                viewport.scroll_step = max(1, viewport.height // SCROLL_FRACTION)
            else:
                viewport.scroll_step = 0


# Garbage is not collected while text streams.
#
# A full collection visits every object and blocks the screen for tens of milliseconds. Objects created before
# the first frame live as long as the program and are exempt; the rest is collected between two rounds.


UNREACHABLE_THRESHOLD = 1_000_000
"""A threshold for full collections that is never reached."""


class GcScheduler:
    """A switch between garbage collection on request and the interpreter's own schedule."""

    def __init__(self) -> None:
        self._original_threshold = gc.get_threshold()

    def disable(self) -> None:
        """Turn garbage collection off during startup."""
        gc.disable()

    def enable_without_full_collections(self) -> None:
        """Exempt all existing objects and turn collection on, except for full collections."""
        gc.freeze()
        gc.set_threshold(*self._original_threshold[:2], UNREACHABLE_THRESHOLD)
        gc.enable()

    def restore(self) -> None:
        """Restore the original schedule when the screen closes."""
        gc.set_threshold(*self._original_threshold)
        gc.unfreeze()
        gc.enable()
