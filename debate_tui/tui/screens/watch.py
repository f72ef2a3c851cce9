"""A debate that is held elsewhere: the debate screen, with nothing to command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from debate_tui.record.log import ReadableLog
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions


class Elsewhere(ReadableLog, Protocol):
    """A log that may have to be told anew, and a line to it that may break."""

    on_rewind: Callable[[], None]
    on_line: Callable[[str], None]


class WatchScreen(DebateScreen):
    """A `DebateScreen` of somebody else's debate: it says when the line to it is broken.

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
        log.on_rewind = lambda: self.call_next(self.begin_anew)
        log.on_line = lambda text: self.call_next(self.warn, text)
