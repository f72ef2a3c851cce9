"""A debate hosted elsewhere, on the screen of a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from debate_tui.record.log import MemoryLog
from debate_tui.tui.screens.watch import WatchScreen
from tests.tui.debate_harness import DebateHarness

if TYPE_CHECKING:
    from collections.abc import Callable


class RemoteHost(MemoryLog):
    """A log that is received from a host."""

    on_rewind: Callable[[], None]
    on_connection_notice: Callable[[str], None]
    transport = ""


class WatchHarness(DebateHarness):
    """A watch screen in a debate with streams."""

    log: RemoteHost

    def make_log(self) -> RemoteHost:
        return RemoteHost(clock=lambda: self.now)

    def make_screen(self, *_: object) -> WatchScreen:
        return WatchScreen(self.log, self.buffer, self.options, on_ready=self._count)


def watch_board(panes: int = 2, **options: Any) -> WatchHarness:
    board = WatchHarness(panes, **options)
    board.begin().phase()
    for debater in board.debaters:
        board.status(debater.id, "streaming")
    return board
