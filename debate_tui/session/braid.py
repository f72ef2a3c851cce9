"""Streams of one debate, each with what concerns one debater, put back into the order of its log."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from debate_tui.domain.stream import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.sources.remote_debate import HostMessage

MAX_LEAD_CHARACTERS: Final = 4 * 2**20
"""Characters of events, as they came, that a stream may be ahead of the others."""


@asynccontextmanager
async def merge_streams(
    streams: Sequence[AsyncIterator[HostMessage]], seq: int
) -> AsyncGenerator[AsyncIterator[HostMessage]]:
    """The events of all streams behind `seq`, each once and in order, until one of the streams ends.

    An event is given once the one before it was, which is on one of the streams, as every number of the log
    is; or, should it be on none, once all streams are past it. What is no event is given at once. Where a
    stream ends or breaks, that is the end, or its `Fault`, behind all that is known to be in order. A stream
    that is far ahead of the others is not read on until they have caught up.
    """
    inputs = [_MergeInput() for _ in streams]
    wakeup = asyncio.Event()
    tasks = [
        asyncio.create_task(strand.read(stream, wakeup))
        for strand, stream in zip(inputs, streams, strict=True)
    ]
    try:
        async with aclosing(_merge_in_order(inputs, seq, wakeup)) as messages:
            yield messages
    finally:
        await _cancel_and_wait(tasks)


async def _cancel_and_wait(tasks: Sequence[asyncio.Task[None]]) -> None:
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


class _MergeInput:
    """What has come on one stream and waits for its turn."""

    def __init__(self) -> None:
        self.events: deque[tuple[int, HostMessage]] = deque()
        self.other_messages: deque[HostMessage] = deque()
        self.fault: Fault | None = None
        self.ended = False
        self._queued_characters = 0
        self._has_room = asyncio.Event()

    async def read(self, stream: AsyncIterator[HostMessage], wakeup: asyncio.Event) -> None:
        try:
            async for message in stream:
                if message.event is None:
                    self.other_messages.append(message)
                else:
                    self.events.append((message.event.seq, message))
                    self._queued_characters += message.characters
                wakeup.set()
                while self._queued_characters > MAX_LEAD_CHARACTERS:
                    self._has_room.clear()
                    await self._has_room.wait()
        except Fault as fault:
            self.fault = fault
        finally:
            self.ended = True
            wakeup.set()

    def drop_through(self, seq: int) -> None:
        """Forget what another stream has told already."""
        while self.events and self.events[0][0] <= seq:
            self._queued_characters -= self.events.popleft()[1].characters
        self._has_room.set()


async def _merge_in_order(
    inputs: Sequence[_MergeInput], seq: int, wakeup: asyncio.Event
) -> AsyncGenerator[HostMessage]:
    while True:
        wakeup.clear()
        while (found := _next_event(inputs, seq)) is not None:
            seq, told = found
            yield told
        for strand in inputs:
            while strand.other_messages:
                yield strand.other_messages.popleft()
            if strand.fault is not None:
                raise strand.fault
        if any(strand.ended and not strand.events for strand in inputs):
            return
        await wakeup.wait()


def _next_event(inputs: Sequence[_MergeInput], seq: int) -> tuple[int, HostMessage] | None:
    for strand in inputs:
        strand.drop_through(seq)
    candidates = [strand.events[0] for strand in inputs if strand.events]
    if not candidates:
        return None
    first = min(candidates, key=lambda each: each[0])
    all_inputs_ahead = len(candidates) == len(inputs)
    return first if all_inputs_ahead or first[0] == seq + 1 else None
