"""The display's one timer: asks the frame clock what is due, and wakes four times a second otherwise."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.frame_clock import FrameClock
    from debate_tui.display.pane_feed import PaneItem
    from debate_tui.tui.widgets.turn_text import TurnText


TICK_SECONDS = 0.25
"""Seconds between two looks at meters and countdowns."""

MAX_PANE_FRAME_CHARACTERS = 32 * 1024
"""Characters of one pane painted in one frame at most, so that a flood cannot make a frame long."""

MIN_PANE_FRAME_CHARACTERS = 4 * 1024
"""The same on a machine where frames take long."""

LONG_FRAME_SECONDS, SHORT_FRAME_SECONDS = 0.04, 0.015
"""After a longer frame the next one paints half as much text, after a shorter one twice as much."""

INPUT_SECONDS = 0.05
"""How long text waits for the effect of a key, in seconds; afterwards keys wait as long for text."""


class FrameTarget(Protocol):
    """Where the frames are painted."""

    @property
    def active_streams(self) -> int:
        """How many streams are connected or streaming."""
        ...

    @property
    def has_backlog(self) -> bool:
        """Whether the terminal has not yet taken all of the last frame."""
        ...

    def paint_items(self, due: Mapping[str, Sequence[PaneItem]]) -> None:
        """Paint what panes have been waiting for, all of it in one frame."""
        ...

    def tick(self, now: float) -> None:
        """Look again at what changes with time."""
        ...

    def frame(self) -> AbstractContextManager[None]:
        """Paint all that is changed within as one frame, at its end."""
        ...


class FrameLoop:
    """Drives a stage from a buffer; `run` until cancelled.

    A flush releases all panes' text in one call, without an `await` in between, on deadlines that are
    absolute: a late wake-up delays one frame and not the ones after it. `on_frame` is told how long each
    frame took, in seconds.
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
        """Ask the clock again now: the mode, or the number of active streams, has changed."""
        self._wake.set()

    def start_input(self) -> None:
        """Hold reading and painting until `finish_input`, or for `INPUT_SECONDS`, as a key was pressed."""
        now = time.monotonic()
        if now < self._next_input_at:
            return
        self._input_started_at, self._input_until = now, now + INPUT_SECONDS
        self._next_input_at = self._input_until + INPUT_SECONDS
        self._buffer.hold_readers()
        asyncio.get_running_loop().call_at(self._input_until, self.finish_input, now)

    def finish_input(self, started_at: float | None = None) -> None:
        """Continue with text: the key took effect, or the time it had from `started_at` is over."""
        if self._input_until == float("-inf") or started_at not in (None, self._input_started_at):
            return
        now = time.monotonic()
        self._input_until = float("-inf")
        self._next_input_at = now + min(now - self._input_started_at, INPUT_SECONDS)
        self._buffer.release_readers()
        self._wake.set()

    def flush_all(self) -> None:
        """Paint everything that is pending, at once and whatever the mode."""
        while taken := self._buffer.take():
            self._target.paint_items(taken)

    async def run(self) -> None:
        """Paint what is due, when it is due."""
        loop = asyncio.get_running_loop()
        next_tick = time.monotonic() + TICK_SECONDS
        while True:
            self._wake.clear()
            now = time.monotonic()
            if now < self._input_until:  # its end wakes this loop
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
        """Paint what is due now; says when to ask again, `None` for when something has come.

        And whether it has ticked, which waits for the next text if there is any: it is no frame of its own.
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
            stage.paint_items(buffer.take(due.panes, limit=self._frame_limit))
            if tick_due:
                stage.tick(now)
        spent = time.monotonic() - now
        self._clock.record_paint_time(spent)
        self._adapt_frame_limit(spent)
        if self._on_frame is not None:
            self._on_frame(spent)
        return now if buffer.oldest_arrivals else None, tick_due

    def _adapt_frame_limit(self, spent: float) -> None:
        """Keep frames short where painting is slow, because a key waits for the current one."""
        if spent > LONG_FRAME_SECONDS:
            self._frame_limit = max(self._frame_limit // 2, MIN_PANE_FRAME_CHARACTERS)
        elif spent < SHORT_FRAME_SECONDS:
            self._frame_limit = min(self._frame_limit * 2, MAX_PANE_FRAME_CHARACTERS)


# A terminal that takes its bytes slowly is spared: panes scroll by much at once, and in turn.


THROTTLE_SECONDS = 2.0
"""How long a slow terminal is spared."""

SLOW_WRITE_WINDOW_SECONDS = 1.0
"""Two slow writes within this time are no hiccup."""

SCROLL_FRACTION = 3
"""Of a pane's height, the part by which it scrolls at once: until that is filled, only new lines are sent."""


class ScrollThrottle:
    """Says how far each pane may scroll in the next frame.

    To scroll is to paint all of a pane. On a slow terminal one does so in a frame, so that no frame takes
    long and what a key does is not far behind one; the others have their turn in the next.
    """

    def __init__(self) -> None:
        self._seen_slow_writes = 0
        self._last_slow_write = self._throttled_until = float("-inf")
        self._scrolling_pane = 0

    def update(self, now: float, slow_writes: int) -> None:
        """Take note of how many writes the terminal was slow to take by now."""
        more = slow_writes - self._seen_slow_writes
        if more > 1 or (more and now - self._last_slow_write <= SLOW_WRITE_WINDOW_SECONDS):
            self._throttled_until = now + THROTTLE_SECONDS
        if more:
            self._seen_slow_writes, self._last_slow_write = slow_writes, now

    def limit_scrolling(self, turn_texts: Sequence[TurnText], now: float, *, streaming: bool) -> None:
        """Let them scroll; when nothing streams any more, all may, as no other frame may follow."""
        self._scrolling_pane = (self._scrolling_pane + 1) % len(turn_texts)
        for place, prose in enumerate(turn_texts):
            if now >= self._throttled_until or not streaming:
                prose.scroll_step = 1
            elif place == self._scrolling_pane:
                prose.scroll_step = max(1, prose.size.height // SCROLL_FRACTION)
            else:
                prose.scroll_step = 0


# When garbage is collected: not while text streams.
#
# A full collection looks at every object there is and holds the screen for tens of milliseconds. What is
# built before the first frame lives as long as the program and need not be looked at again; the rest can
# wait for the pause between two rounds.


UNREACHABLE_THRESHOLD = 1_000_000
"""A threshold for full collections that is not reached."""


class GcScheduler:
    """Collects when it is told to; `restore` gives the interpreter its own ways back."""

    def __init__(self) -> None:
        self._original_threshold = gc.get_threshold()

    def disable(self) -> None:
        """Nothing is garbage yet."""
        gc.disable()

    def enable_without_full_collections(self) -> None:
        """All that was built so far is here to stay."""
        gc.freeze()
        gc.set_threshold(*self._original_threshold[:2], UNREACHABLE_THRESHOLD)
        gc.enable()

    def collect_now(self) -> None:
        """Nothing streams now."""
        gc.collect()

    def restore(self) -> None:
        """The program goes on without a screen."""
        gc.set_threshold(*self._original_threshold)
        gc.unfreeze()
        gc.enable()
