"""``debate-tui replay``: a recorded debate once more, in its own time on screen, at once in a pipe."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebateStarted, PhaseStarted
from debate_tui.record.sqlite_log import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from debate_tui.domain.events import Event


def replay_debate(
    debate: str,
    overrides: dict[str, object],
    *,
    speed: float,
    from_round: int | None,
    plain: bool,
    json_lines: bool,
) -> int:
    """Play a recorded debate back, the newest if `debate` is empty; returns the exit code.

    `overrides` are the settings that were typed. Raises `DebateError` where there is no such debate or round.
    """
    settings = config.load_settings(overrides)
    with SqliteStore(config.record_file()) as store:
        name = store.find(debate).debate
        events, setup = store.events(name), store.setup(name)
    if not (plain or json_lines) and terminal.supports_full_screen():
        from debate_tui.cli.continuing import decode_format
        from debate_tui.cli.playback import play_fullscreen

        terminal.reopen_keyboard()
        format_ = decode_format(setup)
        return asyncio.run(
            play_fullscreen(events, settings, speed=speed, from_round=from_round, format_=format_)
        )
    asyncio.run(_write_output(_events_from_round(events, from_round), json_lines=json_lines))
    return 0


def _events_from_round(events: Sequence[Event], number: int | None) -> Sequence[Event]:
    """The debate from the beginning of a round on, counted from 1; who debates what is said in any case."""
    if number is None:
        return events
    round_starts = [place for place, event in enumerate(events) if isinstance(event, PhaseStarted)]
    if not 1 <= number <= len(round_starts):
        raise UsageError(
            f"The debate has no round {number}.", f"It has {len(round_starts)}, counted over all phases."
        )
    round_start = round_starts[number - 1]
    return [
        *(event for event in events[:round_start] if isinstance(event, DebateStarted)),
        *events[round_start:],
    ]


async def _write_output(events: Sequence[Event], *, json_lines: bool) -> None:
    from debate_tui.display.output import OutputWriter

    async def single_batch() -> AsyncIterator[Sequence[Event]]:
        yield events

    out = OutputWriter.for_stream(sys.stdout)
    if json_lines:
        from debate_tui.display.json_lines import write_json_lines

        await write_json_lines(single_batch(), out)
    else:
        from debate_tui.display.plain import write_plain

        await write_plain(single_batch(), out, OutputWriter.for_stream(sys.stderr))
