"""The display's one timer: asks the frame clock what is due, and wakes four times a second otherwise."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.frame_clock import FrameClock
    from debate_tui.display.pane_feed import PaneItem

TICK_SECONDS = 0.25
"""Seconds between two looks at meters and countdowns."""

MAX_PANE_FRAME_CHARACTERS = 32 * 1024
"""Characters of one pane painted in one frame at most, so that a flood cannot make a frame long."""


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
        self._wake = asyncio.Event()
        buffer.on_due_change = self._wake.set

    def wake(self) -> None:
        """Ask the clock again now: the mode, or the number of active streams, has changed."""
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
            stage.paint_items(buffer.take(due.panes, limit=MAX_PANE_FRAME_CHARACTERS))
            if tick_due:
                stage.tick(now)
        spent = time.monotonic() - now
        self._clock.record_paint_time(spent)
        if self._on_frame is not None:
            self._on_frame(spent)
        return now if buffer.oldest_arrivals else None, tick_due
