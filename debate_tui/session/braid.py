"""Streams of one debate, each with what concerns one debater, put back into the order of its log."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from debate_tui.domain.stream import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.sources.hosted import Told

AHEAD: Final = 4 * 2**20
"""Characters of events, as they came, that a stream may be ahead of the others."""


@asynccontextmanager
async def braided(streams: Sequence[AsyncIterator[Told]], seq: int) -> AsyncGenerator[AsyncIterator[Told]]:
    """The events of all streams behind `seq`, each once and in order, until one of the streams ends.

    An event is given once the one before it was, which is on one of the streams, as every number of the log
    is; or, should it be on none, once all streams are past it. What is no event is given at once. Where a
    stream ends or breaks, that is the end, or its `Fault`, behind all that is known to be in order. A stream
    that is far ahead of the others is not read on until they have caught up.
    """
    strands = [_Strand() for _ in streams]
    news = asyncio.Event()
    tasks = [
        asyncio.create_task(strand.read(stream, news))
        for strand, stream in zip(strands, streams, strict=True)
    ]
    try:
        async with aclosing(_in_order(strands, seq, news)) as told:
            yield told
    finally:
        await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """End the tasks, and wait for that even if this is cancelled meanwhile: what they read is closed next."""
    for task in tasks:
        task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as again:
            cancelled = again
    if cancelled is not None:
        raise cancelled


class _Strand:
    """What has come on one stream and waits for its turn."""

    def __init__(self) -> None:
        self.events: deque[tuple[int, Told]] = deque()
        self.asides: deque[Told] = deque()
        self.fault: Fault | None = None
        self.ended = False
        self._waiting = 0
        self._room = asyncio.Event()

    async def read(self, stream: AsyncIterator[Told], news: asyncio.Event) -> None:
        try:
            async for told in stream:
                if told.event is None:
                    self.asides.append(told)
                else:
                    self.events.append((told.event.seq, told))
                    self._waiting += told.characters
                news.set()
                while self._waiting > AHEAD:
                    self._room.clear()
                    await self._room.wait()
        except Fault as fault:
            self.fault = fault
        finally:
            self.ended = True
            news.set()

    def drop(self, seq: int) -> None:
        """Forget what another stream has told already."""
        while self.events and self.events[0][0] <= seq:
            self._waiting -= self.events.popleft()[1].characters
        self._room.set()


async def _in_order(strands: Sequence[_Strand], seq: int, news: asyncio.Event) -> AsyncGenerator[Told]:
    while True:
        news.clear()
        while (found := _next(strands, seq)) is not None:
            seq, told = found
            yield told
        for strand in strands:
            while strand.asides:
                yield strand.asides.popleft()
            if strand.fault is not None:
                raise strand.fault
        if any(strand.ended and not strand.events for strand in strands):
            return
        await news.wait()


def _next(strands: Sequence[_Strand], seq: int) -> tuple[int, Told] | None:
    for strand in strands:
        strand.drop(seq)
    waiting = [strand.events[0] for strand in strands if strand.events]
    if not waiting:
        return None
    first = min(waiting, key=lambda each: each[0])
    past = len(waiting) == len(strands)
    return first if past or first[0] == seq + 1 else None
