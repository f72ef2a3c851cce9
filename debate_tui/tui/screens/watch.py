"""The watch screen: a debate hosted elsewhere, with pausing that only affects this screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from debate_tui.display.buffer import PaneText
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.tui.screens.moderation import PauseController

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.display.statistics import StatisticsReport
    from debate_tui.session.remote_log import RemoteLog
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.screens.debate_display import DebateDisplay
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.widgets.pane import Pane


class WatchController(PauseController):
    """The keys that pause a debate on this screen only: text that arrives meanwhile is shown on resume.

    What the host has paused cannot be resumed here.
    """

    can_pause = True

    def __init__(self, view: DebateView, display: DebateDisplay, buffer: SharedBuffer[PaneItem]) -> None:
        super().__init__(view)
        self._display = display
        self._buffer = buffer
        self._held_items: dict[str, list[PaneItem]] = {}
        display.filter_items = self._hold_items

    @property
    def resumes_all(self) -> bool:
        """Whether all panes are paused here."""
        return all(pane.state.paused_here for pane in self._view.panes.panes)

    @property
    def resumes_pane(self) -> bool:
        """Whether the current pane is paused here."""
        return self._view.panes.current.state.paused_here

    def action_toggle_all(self) -> None:
        """Pause all panes here, or resume them."""
        self._set_paused(self._view.panes.panes, paused=not self.resumes_all)

    def action_toggle_pane(self) -> None:
        """Pause or resume the current pane here."""
        self._set_paused([self._view.panes.current], paused=not self.resumes_pane)

    async def rewind(self) -> None:
        """Rebuild the screen; discard held items, which belong to the old history."""
        self._held_items.clear()
        for pane in self._view.panes.panes:
            pane.state.paused_here = False
        await self._display.rebuild()

    def _hold_items(self, due: Mapping[str, Sequence[PaneItem]]) -> Mapping[str, Sequence[PaneItem]]:
        """Hold back the items of paused panes; return the others."""
        shown: dict[str, Sequence[PaneItem]] = {}
        for debater, items in due.items():
            pane = self._view.panes.find(debater)
            if pane is not None and pane.state.paused_here:
                self._held_items.setdefault(debater, []).extend(items)
            else:
                shown[debater] = items
        return shown

    def _set_paused(self, panes: Sequence[Pane], *, paused: bool) -> None:
        if paused and self._view.is_over:
            self._view.show_message("The debate is over")
            return
        self._display.request_flush()
        self._display.flush_all()
        for pane in panes:
            pane.state.paused_here = paused
            for item in self._held_items.pop(pane.state.id, ()):
                self._buffer.push(pane.state.id, item, len(item.text) if isinstance(item, PaneText) else 0)
        self._view.show_message("Paused here; the debate continues" if paused else "")
        self._display.tick(time.monotonic())


class WatchScreen(DebateScreen):
    """A `DebateScreen` for a debate hosted elsewhere; shows interruptions of the connection."""

    KIND = HELP_TOPIC = "watch"

    def __init__(
        self,
        log: RemoteLog,
        buffer: SharedBuffer[PaneItem],
        options: ScreenOptions,
        *,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(log, buffer, None, options, on_ready=on_ready)
        self._remote_log = log
        watching = WatchController(self.view, self.debate_display, buffer)
        self.pausing = self.controllers["pausing"] = watching
        log.on_rewind = lambda: self.call_next(watching.rewind)
        log.on_connection_notice = self.warn

    def statistics_report(self) -> StatisticsReport:
        """Return the statistics with the connection that all streams share."""
        report, transport = super().statistics_report(), self._remote_log.transport
        if transport:
            for stream in report.streams:
                stream.transport = transport
        return report
