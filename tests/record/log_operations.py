"""What tests do to a log, whatever keeps it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from debate_tui.domain.events import Event
    from debate_tui.record.log import AppendableLog, ReadableLog


def append_all(log: AppendableLog, events: Iterable[Event]) -> list[Event]:
    return [log.append(event) for event in events]


async def read_all(log: ReadableLog, after: int = 0) -> list[Event]:
    return [event async for batch in log.follow(after) for event in batch]


async def wait_until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)
