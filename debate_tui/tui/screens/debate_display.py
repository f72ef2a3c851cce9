"""When the debate is painted: display modes, frames, and what changes with time."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from debate_tui.display.display_modes import DisplayMode, FrameClock
from debate_tui.domain.events import DebateFinished, DebatePaused, DebateResumed, PhaseStarted
from debate_tui.tui import painter
from debate_tui.tui.debate_state import DebateStatus
from debate_tui.tui.driver import terminal_driver
from debate_tui.tui.frame_loop import FrameLoop, ScrollThrottle
from debate_tui.tui.key_hints import MODE_DESCRIPTIONS
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.widgets.header import Header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.domain.events import Event
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.widgets.rows import TextRows

    ItemFilter = Callable[[Mapping[str, Sequence[PaneItem]]], Mapping[str, Sequence[PaneItem]]]


class DebateDisplay(Controller):
    """The target of the frame loop, and the keys that change what is painted and when.

    `bars` are rows that are refreshed with the panes. `filter_items`, if set, returns the items to paint now
    of those that are due, and keeps the others.
    """

    def __init__(self, view: DebateView, buffer: SharedBuffer[PaneItem]) -> None:
        options = view.options
        self.header = Header(view.glyphs)
        self.bars: list[TextRows] = []
        self.filter_items: ItemFilter | None = None
        self._view = view
        self._buffer = buffer
        self._panes = {pane.state.id: pane for pane in view.panes.panes}
        self._viewports = [pane.turn_text.viewport for pane in view.panes.panes]
        self._frame_clock = FrameClock(options.mode, window=options.window_ms / 1000)
        self.frame_loop = FrameLoop(
            buffer,
            self._frame_clock,
            self,
            on_frame=lambda seconds: view.follower.statistics.record_frame(seconds),
        )
        self._scroll_throttle = ScrollThrottle()
        self._status = DebateStatus(
            view.follower,
            view.phase_progress,
            options.topic,
            view.glyphs,
            judges=options.judges,
            is_replay=view.kind == "replay",
        )
        self._is_reasoning_visible = False

    def start(self) -> None:
        """Show the current state, and start to paint text as it arrives."""
        self.tick(time.monotonic())
        self._view.screen.run_worker(self.frame_loop.run(), name="frame loop")

    # Keys

    def action_next_mode(self) -> None:
        """Switch to the next display mode."""
        self._set_mode(self._frame_clock.mode.next)

    def action_set_mode(self, mode: str) -> None:
        """Switch to a display mode."""
        self._set_mode(DisplayMode(mode))

    def _set_mode(self, mode: DisplayMode) -> None:
        self._frame_clock.set_mode(mode)
        self.frame_loop.wake()
        self.update_header()
        self._view.show_message(f"{mode.value}: {MODE_DESCRIPTIONS[mode]}")
        if self._view.options.on_mode is not None:
            self._view.options.on_mode(mode)

    def action_toggle_reasoning(self) -> None:
        """Show or hide the debaters' reasoning."""
        self._is_reasoning_visible = not self._is_reasoning_visible
        for pane in self._panes.values():
            pane.turn_text.set_reasoning_visible(visible=self._is_reasoning_visible)
        self._view.show_message("Showing reasoning" if self._is_reasoning_visible else "Hiding reasoning")

    # Frame target, called by the frame loop

    @property
    def active_streams(self) -> int:
        """Number of streams that are connected or streaming."""
        return self._view.follower.active_streams

    @property
    def has_backlog(self) -> bool:
        """Whether the terminal has not accepted all of the last frame yet."""
        driver = terminal_driver(self._view.screen.app)
        return driver is not None and driver.pending_writes > 0

    def frame(self) -> AbstractContextManager[None]:
        """Paint everything changed within the block as one frame, at its end."""
        return painter.frame(self._view.screen)

    def paint(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> None:
        """Take pending items of these panes, or of all, and paint them; `limit` is that of the buffer."""
        now = time.monotonic()
        due: Mapping[str, Sequence[PaneItem]] = self._buffer.take(panes, limit=limit)
        if self.filter_items is not None:
            due = self.filter_items(due)
        self._limit_scrolling(now)
        with self.frame():
            for debater, items in due.items():
                self._panes[debater].apply(items, now)
            self._view.panes.tabs.refresh_rows()

    def tick(self, now: float) -> None:
        """Update what changes with time: clock, countdowns, meters, messages."""
        with self.frame():
            self._view.expire_message(now)
            self._limit_scrolling(now)
            self._view.panes.tick()
            for bar in self.bars:
                bar.refresh_rows()
            self.update_header()
            self._view.update_hints()

    def _limit_scrolling(self, now: float) -> None:
        if (driver := terminal_driver(self._view.screen.app)) is not None:
            self._scroll_throttle.update(now, driver.slow_writes)
        self._scroll_throttle.limit_scrolling(self._viewports, now, streaming=self.active_streams > 0)

    # The debate

    def apply(self, event: Event) -> None:
        """Apply an event that concerns the debate as a whole, in log order."""
        self._status.apply(event)
        steps = self._view.transcript.steps
        if isinstance(event, PhaseStarted) and len(steps) > 1 and event == steps[-1]:
            gc.collect()  # nothing streams between two rounds
        if isinstance(event, DebatePaused | DebateResumed):
            self._frame_clock.request_flush()
            now = time.monotonic()
            for pane in self._panes.values():
                pane.state.apply(event, now)
                pane.tick()
        elif isinstance(event, DebateFinished):
            self.flush_all()  # show the last text before the header says that the debate is over
        self.frame_loop.wake()
        self.update_header()

    def update_header(self) -> None:
        """Show the current state of the debate."""
        mode = self._frame_clock.mode.value
        self.header.update(self._status.headline(mode, paused=self._view.panes.is_all_paused))

    def flush_all(self) -> None:
        """Paint all pending text immediately, in any mode."""
        self.frame_loop.flush_all()

    def request_flush(self) -> None:
        """Make what is pushed to the buffer next due at once, in any mode."""
        self._frame_clock.request_flush()

    async def rebuild(self) -> None:
        """Rebuild the screen from a log that has moved back, in one frame."""
        held = await self._view.follower.read_all()
        self._view.screen.clear_selection()
        with self.frame():
            for pane in self._panes.values():
                pane.clear()
            self._view.follower.reset_to(held)
            self.frame_loop.flush_all()
            for pane in self._panes.values():
                pane.turn_text.flush()
            self.tick(time.monotonic())
