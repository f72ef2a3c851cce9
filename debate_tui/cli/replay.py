"""``debate-tui replay``: play a recorded debate on screen, or write it at once to a pipe."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from debate_tui import config
from debate_tui.cli import terminal
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebateStarted, PhaseStarted
from debate_tui.record.stores import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material


def replay_debate(
    debate: str,
    overrides: dict[str, object],
    *,
    speed: float,
    from_round: int | None,
    plain: bool,
    json_lines: bool,
) -> int:
    """Replay a recorded debate, the latest if `debate` is empty, and return the exit code.

    `overrides` are the settings from the command line. Raise `DebateError` if the debate or the round is not
    found.
    """
    settings = config.load_settings(overrides)
    events, material, setup = asyncio.run(_read_record(debate))
    if not (plain or json_lines) and terminal.supports_full_screen():
        from debate_tui.cli.tui_runner import play_fullscreen

        terminal.reopen_keyboard()
        return asyncio.run(
            play_fullscreen(
                events, settings, material=material, speed=speed, from_round=from_round, setup=setup
            )
        )
    asyncio.run(_write_output(_events_from_round(events, from_round), json_lines=json_lines))
    return 0


async def _read_record(debate: str) -> tuple[Sequence[Event], Sequence[Material], str]:
    store = open_store(config.record_file())
    name = (await store.find(debate)).debate
    return await store.events(name), await store.material(name), await store.setup(name)


def _events_from_round(events: Sequence[Event], number: int | None) -> Sequence[Event]:
    """Return the events from the start of round `number` on, counted from 1 over all phases.

    `DebateStarted` is always kept, since it has the topic and the debaters. Raise `UsageError` if there is no
    such round.
    """
    if number is None:
        return events
    round_starts = [place for place, event in enumerate(events) if isinstance(event, PhaseStarted)]
    if not 1 <= number <= len(round_starts):
        raise UsageError(
            f"The debate has no round {number}.",
            f"It has {len(round_starts)} rounds, counted over all phases.",
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
        await terminal.write_plain(single_batch(), out, OutputWriter.for_stream(sys.stderr, required=False))
