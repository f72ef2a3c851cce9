"""The view of a debate log: header, panes and footer, and when they are painted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.reactive import Reactive, var
from textual.screen import Screen

from debate_tui.display import markdown
from debate_tui.display.display_modes import FrameClock
from debate_tui.display.statistics import Statistics
from debate_tui.domain.events import DebateFinished, DebatePaused, DebateResumed, DebaterInfo, PhaseStarted
from debate_tui.domain.sanitise import one_line
from debate_tui.tui import painter
from debate_tui.tui.debate_state import DebateStatus, PhaseProgress
from debate_tui.tui.frame_loop import FrameLoop
from debate_tui.tui.key_hints import debate_hints
from debate_tui.tui.layout import LayoutKind, PaneLayout, choose_layout
from debate_tui.tui.log_follower import LogFollower
from debate_tui.tui.pane_state import PaneState
from debate_tui.tui.screens.fault_decisions import FaultDecisions
from debate_tui.tui.scroll_throttle import ScrollThrottle
from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import ASCII, UNICODE
from debate_tui.tui.widgets.footer import Footer, KeyHint, NoticeBar
from debate_tui.tui.widgets.header import Header
from debate_tui.tui.widgets.pane import MAX_NAME_CHARACTERS, Pane, PaneGrid, PaneTabs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from textual.app import ComposeResult
    from textual.events import DescendantFocus, Resize
    from textual.geometry import Size
    from textual.widget import Widget

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.session.commands import CommandHandler
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.widgets.header import HeaderContent

MESSAGE_SECONDS = 4.0
"""Seconds a message stays in the footer."""


class DebateView(painter.BlankWidget, Screen[None]):
    """A screen for one debate log; `handle` is `None` if the debate takes no commands.

    Without a log, it shows what `options` contain until `attach_log` is called. `on_ready` is called after
    the first frame is painted, `on_round_break` between two rounds, when nothing streams. `pending_writes`
    returns the number of writes the terminal has not accepted yet, `slow_writes` the number it was slow to
    accept.
    """

    AUTO_FOCUS = None

    # Textual would repaint the whole screen on focus changes; widgets that change with them repaint
    # themselves.
    focused: Reactive[Widget | None] = var(None, init=False)

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[PaneItem],
        handle: CommandHandler | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        make_statistics: Callable[[], Statistics] = Statistics,
        on_ready: Callable[[], None],
        on_round_break: Callable[[], None],
        pending_writes: Callable[[], int],
        slow_writes: Callable[[], int],
    ) -> None:
        super().__init__()
        self._styled = False
        self._round_break_callback = on_round_break
        self._pending_writes = pending_writes
        self._slow_writes = slow_writes
        self._log = log
        self._handle = handle
        self._options = options
        self._ready_callback = on_ready
        self._glyphs = ASCII if options.ascii else UNICODE
        self._follower = LogFollower(
            buffer,
            statistics=statistics,
            make_statistics=make_statistics,
            on_debate_event=self._queue_event,
            on_active_change=self._wake_frame_loop,
        )
        self._phase_progress = PhaseProgress(self._follower.transcript, options.format)
        self._frame_clock = FrameClock(options.mode, window=options.window_ms / 1000)
        self.frame_loop = FrameLoop(
            buffer,
            self._frame_clock,
            self,
            on_frame=lambda spent: self._follower.statistics.record_frame(spent),
        )
        known = {info.id: info for info in options.debaters}
        self._panes = [
            Pane(
                PaneState(known.get(name) or DebaterInfo(name, name, "", "", ""), self._follower),
                self._follower.transcript,
                self._glyphs,
                markdown.ASCII_SYMBOLS if options.ascii else markdown.UNICODE_SYMBOLS,
                self._phase_progress.turn_phase_label,
            )
            for name in buffer.panes
        ]
        self._panes_by_debater = {pane.state.id: pane for pane in self._panes}
        self._header = Header(self._glyphs)
        self._tabs = PaneTabs(self._panes, self._glyphs)
        self._pane_grid = PaneGrid(*self._panes, id="panes")
        self._notice_bar = NoticeBar(self._glyphs)
        self._footer = Footer(self._glyphs)
        self._pane_layout = PaneLayout(LayoutKind.COLUMNS, len(self._panes))
        self._width = 0
        self._current_index = 0
        self._zoomed = False
        self._warning = ""
        self._wait_notice = ""
        self.set_class(options.ascii, "-ascii")
        self._message_until = 0.0
        self._decisions = FaultDecisions(self, handle, self._glyphs)
        self._debate_status = DebateStatus(self._follower, self._phase_progress, options.topic, self._glyphs)
        self._scroll_throttle = ScrollThrottle()

    # Layout

    def compose(self) -> ComposeResult:
        """Yield the widgets from top to bottom, laid out for the terminal's size from the first frame on."""
        self._choose_pane_layout(self.app.size)
        yield self._header
        if self._tabs.display:
            yield self._tabs
        yield self._pane_grid
        yield self._notice_bar
        yield self._footer

    async def on_mount(self) -> None:
        """Follow the log, if there is one, and start painting it."""
        self._focus_current_pane()
        if self._log is not None:
            await self._follower.open(self._log)
        self.tick(time.monotonic())
        self.run_worker(self.frame_loop.run(), name="pulse")
        self.call_after_refresh(self._ready_callback)

    async def attach_log(self, log: ReadableLog) -> None:
        """Show this debate on a screen built without a log; can be called from any task."""
        await self._follower.open(log)

    def update_node_styles(self, animate: bool = True) -> None:
        """Update all styles, except on the first call: every widget was styled when it was mounted.

        Textual (8.2) repeats that when a screen is first shown, which would delay the first frame.
        """
        if self._styled:
            super().update_node_styles(animate)
        self._styled = True

    def on_unmount(self) -> None:
        """Stop following the log."""
        self._follower.close()

    def on_resize(self, event: Resize) -> None:
        """Rearrange the panes if the terminal's new size requires it."""
        self._choose_pane_layout(event.size)

    def _choose_pane_layout(self, size: Size) -> None:
        self._width = size.width
        self._pane_layout = choose_layout(len(self._panes), *size, self._glyphs.times)
        self._place_panes()

    def _place_panes(self) -> None:
        """Show the panes that fit, or only the focused one if it is zoomed or only tabs fit."""
        tabs = self._pane_layout.kind is LayoutKind.TABS
        single = self._zoomed or tabs
        columns = 1 if single else self._pane_layout.columns
        self._pane_grid.styles.grid_size_columns = columns
        self._tabs.display = tabs
        self.call_later(self._mount_tabs)
        for place, pane in enumerate(self._panes):
            last_and_odd = not single and place == len(self._panes) - 1 and len(self._panes) % columns == 1
            pane.styles.column_span = columns if last_and_odd and columns > 1 else 1
            pane.set_layout(
                displayed=not single or place == self._current_index,
                left_border=not single and place % columns > 0,
                top_border=not single and place >= columns,
                compact=self._pane_layout.compact and not self._zoomed,
            )
        passing = self._pane_layout.too_small_message or self._wait_notice or self._warning
        lasting = (
            ()
            if self._pane_layout.too_small_message
            else (self._options.sharing_notice, self._options.notice)
        )
        self._notice_bar.update("\n".join(filter(None, (passing, *lasting))), self._width)
        self._tabs.refresh_rows()
        self._show_hints()

    def _mount_tabs(self) -> None:
        """Mount the tabs when they are first needed; on most terminals, they never are."""
        if self._tabs.display and not self._tabs.is_attached:
            self.mount(self._tabs, after=self._header)

    def warn(self, text: str) -> None:
        """Show above the footer a problem with the program's own files."""
        self._warning = text
        self._place_panes()

    def show_wait_notice(self, reason: str, progress: str) -> None:
        """Show above the footer what the debate is waiting for; an empty `reason` removes the notice."""
        self._wait_notice = f"{reason} {self._glyphs.separator} {progress}" if progress else reason
        self._place_panes()

    # Frame target, called by the frame loop

    @property
    def active_streams(self) -> int:
        """Number of streams that are connected or streaming."""
        return self._follower.active_streams

    @property
    def has_backlog(self) -> bool:
        """Whether the terminal has not accepted all of the last frame yet."""
        return self._pending_writes() > 0

    def frame(self) -> AbstractContextManager[None]:
        """Paint everything changed within the block as one frame, at its end."""
        return painter.frame(self)

    def paint_items(self, due: Mapping[str, Sequence[PaneItem]]) -> None:
        """Paint pending items of all panes in one frame."""
        now = time.monotonic()
        self._limit_scrolling(now)
        with painter.frame(self):
            for debater, items in due.items():
                self._panes_by_debater[debater].apply(items, now)
            self._tabs.refresh_rows()

    def tick(self, now: float) -> None:
        """Update what changes with time: clock, countdowns, meters."""
        with painter.frame(self):
            if self._message_until and now >= self._message_until:
                self._show_message("")
            self._limit_scrolling(now)
            for pane in self._panes:
                pane.tick()
            self._tabs.refresh_rows()
            self._update_header()
            self._show_hints()

    def _limit_scrolling(self, now: float) -> None:
        self._scroll_throttle.update(now, self._slow_writes())
        self._scroll_throttle.limit_scrolling(
            [pane.turn_text.viewport for pane in self._panes], now, streaming=self.active_streams > 0
        )

    def flush_all(self) -> None:
        """Paint all pending text."""
        self.frame_loop.flush_all()

    async def rebuild(self) -> None:
        """Rebuild the screen from a log that has moved back, in one frame."""
        held = await self._follower.read_all()
        self.clear_selection()
        with painter.frame(self):
            for pane in self._panes:
                pane.clear()
            self._follower.reset_to(held)
            self.frame_loop.flush_all()
            for pane in self._panes:
                pane.turn_text.flush()
            self.tick(time.monotonic())

    # Debate events

    def _queue_event(self, event: Event) -> None:
        """Queue an event; the log's writer calls this from a task without an active app."""
        self.call_next(self._apply_event, event)

    def _apply_event(self, event: Event) -> None:
        self._debate_status.apply(event)
        steps = self._follower.transcript.steps
        if isinstance(event, PhaseStarted) and len(steps) > 1 and event == steps[-1]:
            self._round_break_callback()
        if isinstance(event, DebatePaused | DebateResumed):
            self._frame_clock.request_flush()
            self._decisions.apply(event, self._debater_name(event.debater))
            if isinstance(event, DebatePaused) and event.debater is None and event.reason != "user":
                self.warn(one_line(event.reason))  # a limit that blocks further turns
            now = time.monotonic()
            for pane in self._panes:
                pane.state.apply(event, now)
                pane.tick()
        elif isinstance(event, DebateFinished):
            self.flush_all()  # show the last text before the header says that the debate is over
        self._wake_frame_loop()
        self._update_header()
        self._show_hints()

    def _wake_frame_loop(self) -> None:
        self.frame_loop.wake()

    def _update_header(self) -> None:
        self._header.update(self._header_content())

    def _header_content(self) -> HeaderContent:
        return self._debate_status.headline(self._frame_clock.mode.value, paused=self._is_all_paused)

    @property
    def _is_all_paused(self) -> bool:
        return all(pane.state.is_paused for pane in self._panes)

    @property
    def _current_pane(self) -> Pane:
        """The pane that has the focus."""
        return self._panes[self._current_index]

    def _show_hints(self) -> None:
        self._footer.set_hints(self._current_hints())

    def _current_hints(self) -> tuple[KeyHint, ...]:
        """Return hints for the keys that do something now."""
        return debate_hints(
            paused=self.can_resume_all,
            pane_paused=self.can_resume_pane,
            zoomed=self._zoomed,
            has_reasoning=self._current_pane.content.has_reasoning,
            finished=self._follower.transcript.finish_reason is not None,
            accepts_commands=self._handle is not None,
            can_pause=self.can_pause,
            failed=bool(self._current_pane.state.problem),
            verdict_label=self.verdict_label,
            judging=self._phase_progress.is_judging,
        )

    @property
    def can_pause(self) -> bool:
        """Whether debaters can be paused."""
        return self._handle is not None

    @property
    def can_resume_all(self) -> bool:
        """Whether the key that pauses all debaters would resume them now."""
        return self._is_all_paused

    @property
    def can_resume_pane(self) -> bool:
        """Whether the key that pauses one debater would resume it now."""
        return self._current_pane.state.is_paused_alone

    @property
    def verdict_label(self) -> str:
        """The footer's label for ``v``; empty if the key does nothing now."""
        return ""

    def _show_message(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        self._message_until = time.monotonic() + MESSAGE_SECONDS if text else 0.0
        self._footer.show_status(text, tone, path=path)
        self._wake_frame_loop()

    # Focus

    def on_pane_tabs_selected(self, message: PaneTabs.Selected) -> None:
        """Show the selected pane."""
        self._select_pane(message.index)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Record which pane has the focus, however it got it."""
        if event.widget is not self.focused:
            return  # the focus has moved to another pane since then
        for place, pane in enumerate(self._panes):
            if place != self._current_index and pane in event.widget.ancestors:
                self._select_pane(place)

    def _select_pane(self, index: int) -> None:
        if index != self._current_index:
            self._current_index = index
            if self._zoomed or self._pane_layout.kind is LayoutKind.TABS:
                self._place_panes()
        self._focus_current_pane()
        self._show_hints()

    def _focus_current_pane(self) -> None:
        with painter.frame(self):
            for pane in self._panes:
                pane.show_focus(focused=pane is self._current_pane)
        self.set_focus(self._current_pane.turn_text, scroll_visible=False)

    def _debater_name(self, debater: str | None) -> str:
        pane = self._panes_by_debater.get(debater or "")
        return one_line(pane.state.info.name, MAX_NAME_CHARACTERS) if pane is not None else ""
