"""A recorded debate played back on the full screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from debate_tui.cli.screens import make_screen_options, remember_mode, remember_theme
from debate_tui.cli.signals import catch_signals
from debate_tui.display.buffer import SharedBuffer
from debate_tui.domain.events import DebateStarted
from debate_tui.record.player import Player
from debate_tui.tui.app import DebateApp
from debate_tui.tui.screens.replay import ReplayScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.config import Settings
    from debate_tui.display.pane_feed import PaneItem
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import Event


async def play_fullscreen(
    events: Sequence[Event],
    settings: Settings,
    *,
    speed: float = 1.0,
    from_round: int | None = None,
    format_: Format | None = None,
) -> int:
    """Play a debate until the user leaves it; returns the exit code.

    Raises `UsageError` if there is no such round. `format_` is what the debate was held by, where known.
    """
    player = Player(events, speed=speed)
    if from_round is not None:
        player.seek_round(from_round)
    started = next((event for event in events if isinstance(event, DebateStarted)), None)
    debaters = started.debaters if started else ()
    buffer: SharedBuffer[PaneItem] = SharedBuffer([debater.id for debater in debaters])
    first_frame_painted = asyncio.Event()
    app = DebateApp(
        player,
        buffer,
        None,
        make_screen_options(
            settings, topic=started.topic if started else "", debaters=debaters, format_=format_
        ),
        on_ready=first_frame_painted.set,
        on_mode=remember_mode,
        on_theme=remember_theme,
        screen=ReplayScreen,
    )
    with catch_signals(app.exit, terminal_fd=0) as signal:
        async with asyncio.TaskGroup() as group:
            group.create_task(_run_player(player, first_frame_painted))
            await app.run_async()
            await player.aclose()
            first_frame_painted.set()
    if signal.number is not None:
        return 128 + signal.number
    return app.return_code or 0


async def _run_player(player: Player, first_frame_painted: asyncio.Event) -> None:
    """Play once the first frame is painted."""
    await first_frame_painted.wait()
    await player.run()
