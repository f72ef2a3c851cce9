"""``debate-tui replay``: a recorded debate once more, in its own time on screen, at once in a pipe."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebateStarted, PhaseStarted
from debate_tui.record.sqlite import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from debate_tui.domain.events import Event


def replay(
    debate: str,
    typed: dict[str, object],
    *,
    speed: float,
    from_round: int | None,
    plain: bool,
    json_lines: bool,
) -> int:
    """Play a recorded debate back, the newest if `debate` is empty; returns the exit code.

    `typed` are the settings that were typed. Raises `DebateError` where there is no such debate or round.
    """
    settings = config.load(typed)
    with Store(config.record_file()) as store:
        name = store.find(debate).debate
        events, setup = store.events(name), store.setup(name)
    if not (plain or json_lines) and terminal.fits_full_screen():
        from debate_tui.cli.continuing import format_of
        from debate_tui.cli.playback import play

        terminal.take_keyboard_back()
        format_ = format_of(setup)
        return asyncio.run(play(events, settings, speed=speed, from_round=from_round, format_=format_))
    asyncio.run(_write(_since(events, from_round), json_lines=json_lines))
    return 0


def _since(events: Sequence[Event], number: int | None) -> Sequence[Event]:
    """The debate from the beginning of a round on, counted from 1; who debates what is said in any case."""
    if number is None:
        return events
    begins = [place for place, event in enumerate(events) if isinstance(event, PhaseStarted)]
    if not 1 <= number <= len(begins):
        raise UsageError(
            f"The debate has no round {number}.", f"It has {len(begins)}, counted over all phases."
        )
    begin = begins[number - 1]
    return [*(event for event in events[:begin] if isinstance(event, DebateStarted)), *events[begin:]]


async def _write(events: Sequence[Event], *, json_lines: bool) -> None:
    from debate_tui.display.outlet import Outlet

    async def whole() -> AsyncIterator[Sequence[Event]]:
        yield events

    out = Outlet.of(sys.stdout)
    if json_lines:
        from debate_tui.display.json_lines import write_json_lines

        await write_json_lines(whole(), out)
    else:
        from debate_tui.display.plain import write_plain

        await write_plain(whole(), out, Outlet.of(sys.stderr))
