"""The record of the program's own folders: what a run has left there, and debates put there."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from debate_tui.config import record_file
from debate_tui.domain.events import DebateFinished, TurnDelta
from debate_tui.domain.transcript import Transcript
from debate_tui.record.sqlite_log import read_events
from debate_tui.record.stores import SqliteStore, list_debates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material


async def store_debate(
    events: Sequence[Event], debate: str = "cafe", material: Sequence[Material] = ()
) -> None:
    """Put a debate on record, with the times of its events."""
    times = iter([event.at for event in events])
    async with aclosing(SqliteStore(record_file())) as store:
        log = await store.create(debate, material=material, clock=lambda: next(times, events[-1].at))
        for event in events:
            log.append(event)
        await log.aclose()


def stored_events() -> list[Event]:
    """The newest debate's events."""
    newest, *_ = list_debates(record_file())
    return read_events(record_file(), newest.debate)


def stored_texts(*, reason: str) -> dict[str, str]:
    """What each debater has said in a debate whose record is complete and ends for this reason."""
    recorded = stored_events()
    assert [event.seq for event in recorded] == list(range(1, len(recorded) + 1))
    last = recorded[-1]
    assert isinstance(last, DebateFinished)
    assert last.reason == reason
    transcript = Transcript(recorded)
    assert all(turn.finished for turn in transcript.turns.values())
    return {transcript.debaters[turn.debater].name: turn.text for turn in transcript.turns.values()}


async def wait_until_durable(deltas: int) -> None:
    """Wait until the record holds that many deltas."""
    while True:
        events = stored_events() if list_debates(record_file()) else []
        if sum(isinstance(event, TurnDelta) for event in events) >= deltas:
            return
        await asyncio.sleep(0.01)
