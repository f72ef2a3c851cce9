"""What guarding a stream costs: CPU per chunk from a source in memory, with and without recovery around it.

python -m tests.benchmarks.recovery [CHUNKS]
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Connected, Cursor, Finished
from debate_tui.resilience.recovery import RecoveringSource
from tests.fakes.scripted_source import REQUEST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import ResumePoint, Source, StreamItem, TurnRequest

CHUNKS = 100_000
RUNS = 5


class ReadySource:
    """A source whose chunks are all there already."""

    def __init__(self, chunks: list[Chunk]) -> None:
        self.model = "ready"
        self._chunks = chunks

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        yield self._items()

    async def _items(self) -> AsyncIterator[StreamItem]:
        yield Connected()
        for chunk in self._chunks:
            yield chunk
        yield Finished()


async def microseconds_per_chunk(source: Source, chunks: int) -> float:
    """CPU microseconds per chunk, of several runs the cheapest."""
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        async with source.open(REQUEST) as items:
            async for _ in items:
                pass
        best = min(best, time.process_time() - began)
    return best / chunks * 1e6


async def main(chunks: int) -> None:
    print("µs per chunk       bare  guarded    adds")
    for name, cursors in (("without cursors", False), ("with cursors", True)):
        ready = ReadySource(
            [Chunk("word ", cursor=Cursor(str(n)) if cursors else None) for n in range(chunks)]
        )
        bare, guarded = (
            await microseconds_per_chunk(ready, chunks),
            await microseconds_per_chunk(RecoveringSource(ready), chunks),
        )
        print(f"{name:16}{bare:7.2f}{guarded:9.2f}{guarded - bare:8.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else CHUNKS))
