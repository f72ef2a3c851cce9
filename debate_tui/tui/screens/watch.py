"""A debate that is held elsewhere: the debate screen, with nothing to command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from debate_tui.display.feed import Text
from debate_tui.record.log import ReadableLog
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.display.statistics import Report
    from debate_tui.session.lines import Way
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.widgets.pane import Pane


class Elsewhere(ReadableLog, Protocol):
    """A log that may have to be told anew, and a line to it that may break."""

    on_rewind: Callable[[], None]
    on_line: Callable[[str], None]

    @property
    def way(self) -> Way | None:
        """How the debate comes here, where that is known."""
        ...


class WatchScreen(DebateScreen):
    """A `DebateScreen` of somebody else's debate: it says what the line to it is, and when that is broken.

    Pausing is local: what comes meanwhile is shown afterwards.
    """

    def __init__(
        self,
        log: Elsewhere,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        **more: Any,
    ) -> None:
        super().__init__(log, buffer, commands, options, **more)
        self._elsewhere = log
        self._kept: dict[str, list[Item]] = {}
        log.on_rewind = lambda: self.call_next(self.begin_anew)
        log.on_line = lambda text: self.call_next(self.warn, text)

    # Pausing, which nobody else notices

    @property
    def can_pause(self) -> bool:
        """Everybody can, for themselves."""
        return True

    @property
    def resumes_all(self) -> bool:
        """Only what is held here can be let go here."""
        return all(pane.speaker.held_here for pane in self._panes)

    @property
    def resumes_one(self) -> bool:
        """See `resumes_all`."""
        return self._pane.speaker.held_here

    def release(self, due: Mapping[str, Sequence[Item]]) -> None:
        """Paint what is due, but keep what is due in panes that are held."""
        for debater, items in due.items():
            if self._by_debater[debater].speaker.held_here:
                self._kept.setdefault(debater, []).extend(items)
        super().release({debater: items for debater, items in due.items() if debater not in self._kept})

    async def begin_anew(self) -> None:
        """See `DebateView.begin_anew`; what was held is of a history that is no more."""
        self._kept.clear()
        for pane in self._panes:
            pane.speaker.held_here = False
        await super().begin_anew()

    def action_pause_all(self) -> None:
        """Let no pane go on, or all of them."""
        self._hold(self._panes, held=not self.resumes_all)

    def action_pause_one(self) -> None:
        """Let the pane that has the keys not go on, or go on."""
        self._hold([self._pane], held=not self.resumes_one)

    def _hold(self, panes: Sequence[Pane], *, held: bool) -> None:
        if held and self._is_over:
            self._say("The debate is over")
            return
        self._clock.flush()
        self.drain()
        for pane in panes:
            pane.speaker.held_here = held
            for item in self._kept.pop(pane.speaker.id, ()):
                self._buffer.push(pane.speaker.id, item, len(item.text) if isinstance(item, Text) else 0)
        self._say("Paused here; the debate goes on" if held else "")
        self.tick(time.monotonic())

    def action_help(self) -> None:
        """Explain the keys of somebody who watches, and badges."""
        from debate_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._glyphs, "watch"))

    # The line to it

    def _report(self) -> Report:
        report, way = super()._report(), self._elsewhere.way
        if way is None:
            return report
        streams = (
            replace(figures, transport=way.transport, shared=not way.each) for figures in report.streams
        )
        return replace(report, streams=tuple(streams))
