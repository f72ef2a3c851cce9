"""What tests do to a log, whatever keeps it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateLog, ReadableLog
    from debate_tui.record.summary import DebateSummary


def append_all(log: DebateLog, events: Iterable[Event]) -> list[Event]:
    return [log.append(event) for event in events]


async def read_all(log: ReadableLog, after: int = 0) -> list[Event]:
    return [event async for batch in log.follow(after) for event in batch]


async def wait_until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


def check_list(newest: DebateSummary, oldest: DebateSummary) -> None:
    """The list of two whole debates, `d1` and `d22`, whose times are the lengths of their names."""
    assert (newest.debate, oldest.debate) == ("d22", "d1")
    assert (oldest.topic, oldest.format, oldest.finished, oldest.events) == (
        "Tea or coffee?",
        "oxford",
        "complete",
        17,
    )
    assert [debater.name for debater in oldest.debaters] == ["Ada", "Bob"]
    assert (oldest.started, oldest.updated) == (2.0, 2.0)
