"""Ask a source one turn's question, and keep all it says."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Fault, Finished, Message, Reclassified, TurnRequest

if TYPE_CHECKING:
    from debate_tui.domain.stream import ResumePoint, Source, StreamItem

TEXT_PIECES = ["Tea ", "🍵 is ", "茶 and", " cafe\u0301", "."]
REQUEST = TurnRequest(
    topic="Is tea better than coffee?",
    phase="opening",
    turn=1,
    messages=(Message("system", "You argue."), Message("user", "Go on.")),
)


@dataclass
class SourceOutput:
    """What came out of one connection, and the fault it ended with, if any."""

    items: list[StreamItem] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def text(self) -> str:
        return self._fold()[0]

    @property
    def reasoning(self) -> str:
        return self._fold()[1]

    def _fold(self) -> tuple[str, str]:
        text = reasoning = ""
        for item in self.items:
            if isinstance(item, Reclassified):
                text, reasoning = "", reasoning + text
            elif isinstance(item, Chunk) and item.reasoning:
                reasoning += item.text
            elif isinstance(item, Chunk):
                text += item.text
        return text, reasoning

    @property
    def finished(self) -> Finished | None:
        last = self.items[-1] if self.items else None
        return last if isinstance(last, Finished) else None


async def read_source(
    source: Source, request: TurnRequest = REQUEST, resume: ResumePoint | None = None
) -> SourceOutput:
    """Open the source once and listen to the end."""
    heard = SourceOutput()
    try:
        async with source.open(request, resume) as items:
            async for item in items:
                heard.items.append(item)
    except Fault as fault:
        heard.fault = fault
    return heard


async def read_fault(
    source: Source, request: TurnRequest = REQUEST, resume: ResumePoint | None = None
) -> Fault:
    """Open the source once and return the fault it ends with."""
    fault = (await read_source(source, request, resume)).fault
    assert fault is not None
    return fault


async def count_turns(reading: object) -> int:
    """How many turns others have had when `reading` is done."""
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    try:
        await reading  # type: ignore[misc]
    finally:
        others.cancel()
        with suppress(asyncio.CancelledError):
            await others
    return turns
