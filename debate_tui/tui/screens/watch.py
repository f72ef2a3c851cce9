"""The watch screen: a debate that runs elsewhere, shown without commands."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from debate_tui.display.buffer import PaneText
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.display.statistics import StatisticsReport
    from debate_tui.session.commands import CommandHandler
    from debate_tui.session.remote_log import RemoteLog
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.widgets.pane import Pane


class WatchScreen(DebateScreen):
    """A `DebateScreen` for a debate hosted elsewhere; shows the connection and its interruptions.

    Pausing is local: text that arrives meanwhile is shown on resume.
    """

    def __init__(
        self,
        log: RemoteLog,
        buffer: SharedBuffer[PaneItem],
        handle: CommandHandler | None,
        options: ScreenOptions,
        **kwargs: Any,
    ) -> None:
        super().__init__(log, buffer, handle, options, **kwargs)
        self._remote_log = log
        self._held_items: dict[str, list[PaneItem]] = {}
        log.on_rewind = lambda: self.call_next(self.rebuild)
        log.on_connection_notice = lambda text: self.call_next(self.warn, text)

    # Local pausing

    @property
    def can_pause(self) -> bool:
        """Always true: pausing only affects this screen."""
        return True

    @property
    def can_resume_all(self) -> bool:
        """Whether all panes are paused here; pauses by the host cannot be resumed here."""
        return all(pane.state.paused_here for pane in self._panes)

    @property
    def can_resume_pane(self) -> bool:
        """Whether the current pane is paused here; see `can_resume_all`."""
        return self._current_pane.state.paused_here

    def paint_items(self, due: Mapping[str, Sequence[PaneItem]]) -> None:
        """Paint pending items, but hold back those for paused panes."""
        for debater, items in due.items():
            if self._panes_by_debater[debater].state.paused_here:
                self._held_items.setdefault(debater, []).extend(items)
        super().paint_items(
            {debater: items for debater, items in due.items() if debater not in self._held_items}
        )

    async def rebuild(self) -> None:
        """See `DebateView.rebuild`; discards held items, which belong to the old history."""
        self._held_items.clear()
        for pane in self._panes:
            pane.state.paused_here = False
        await super().rebuild()

    def action_pause_all(self) -> None:
        """Pause all panes here, or resume them."""
        self._set_paused(self._panes, paused=not self.can_resume_all)

    def action_pause_pane(self) -> None:
        """Pause or resume the focused pane here."""
        self._set_paused([self._current_pane], paused=not self.can_resume_pane)

    def _set_paused(self, panes: Sequence[Pane], *, paused: bool) -> None:
        if paused and self._is_over:
            self._show_message("The debate is over")
            return
        self._frame_clock.request_flush()
        self.flush_all()
        for pane in panes:
            pane.state.paused_here = paused
            for item in self._held_items.pop(pane.state.id, ()):
                self._buffer.push(pane.state.id, item, len(item.text) if isinstance(item, PaneText) else 0)
        self._show_message("Paused here; the debate goes on" if paused else "")
        self.tick(time.monotonic())

    def action_help(self) -> None:
        """Show the help for the keys of a viewer, and badges."""
        from debate_tui.tui.screens.dialogs import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs, "watch"))

    # Connection figures

    def _report(self) -> StatisticsReport:
        report, transport = super()._report(), self._remote_log.transport
        if not transport:
            return report
        streams = (replace(figures, transport=transport, shared=True) for figures in report.streams)
        return replace(report, streams=tuple(streams))
