"""A debate that another program holds, on the screen that watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from debate_tui.record.log import MemoryLog
from debate_tui.tui.screens.watch import WatchScreen
from tests.tui.debate_harness import DebateHarness

if TYPE_CHECKING:
    from collections.abc import Callable


class RemoteHost(MemoryLog):
    """A log that is told from elsewhere."""

    on_rewind: Callable[[], None]
    on_connection_notice: Callable[[str], None]
    transport = ""


def watch_board(panes: int = 2, **options: Any) -> DebateHarness:
    board = (
        DebateHarness(panes, commands=False, log=RemoteHost, screen=WatchScreen, **options).begin().phase()
    )
    for debater in board.debaters:
        board.status(debater.id, "streaming")
    return board
