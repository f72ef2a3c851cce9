"""Connections to a hosted debate: one HTTP/2 stream per debater, or else one stream for all."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.resilience.watchdog import Watchdog
from debate_tui.sources.endpoint import NotAStream
from debate_tui.sources.remote_debate import HTTP2_TRANSPORT, HostConnection

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.domain.recovery_policy import RecoveryPolicy
    from debate_tui.sources.remote_debate import HostMessage, RemoteDebate


# Merge the streams of one debate, one per debater, into the order of its log


MAX_LEAD_CHARACTERS: Final = 4 * 2**20
"""How far a stream may be ahead of the others, in characters of events as received."""


@asynccontextmanager
async def merge_streams(
    streams: Sequence[AsyncIterator[HostMessage]], seq: int
) -> AsyncGenerator[AsyncIterator[HostMessage]]:
    """Merge the events of all streams after `seq`, each once and in order, until a stream ends.

    An event is yielded once the previous one was. Every event of the log is on one of the streams; one that
    is on none is skipped once all streams are past it. Messages that are not events are yielded at once. If
    a stream ends or breaks, the merged stream ends, or raises its `Fault`, after all events whose order is
    known. A stream too far ahead of the others is not read until they catch up.
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
    """Cancel the tasks and wait for them, even if cancelled meanwhile: their streams are closed next."""
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
    """Messages received on one stream and not yet merged."""

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
        """Drop events up to `seq`: another stream has already delivered them."""
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


MAX_SILENCE_S = 40.0
"""Longest silence of a host, in seconds, before its connection counts as lost; hosts ping every 15 s."""


class ConnectionInfo(Struct, frozen=True):
    """The transport of a debate, and whether every debater has its own stream."""

    transport: str
    per_debater: bool = False


class RemoteConnector:
    """The connection to a hosted debate, made in the best way its host supports.

    `connection` describes the current connection, or the last one.
    """

    def __init__(self, remote_debate: RemoteDebate, policy: RecoveryPolicy) -> None:
        self.connection: ConnectionInfo | None = None
        self._remote_debate = remote_debate
        self._policy = replace(policy, silence_timeout=min(policy.silence_timeout, MAX_SILENCE_S))

    @asynccontextmanager
    async def open_messages(
        self, position: str, seq: int, debaters: Sequence[str] = ()
    ) -> AsyncGenerator[AsyncIterator[HostMessage]]:
        """Open the messages after `position`, in order, until the debate or a connection ends.

        `position` is the host's own place in the stream; `seq` is the number of the newest event received
        there. `debaters` are the ids of all debaters, if known. Entering and iterating raise `Fault`, also
        if the connection is silent for longer than the policy allows.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close_connections)
            connections = await self._connect_per_debater(stack, position, debaters)
            if connections:
                streams = [line.messages for line in connections]
                yield await stack.enter_async_context(merge_streams(streams, seq))
                return
            connection = await self._connect(stack, position)
            self.connection = ConnectionInfo(connection.transport)
            yield connection.messages

    async def _connect_per_debater(
        self, stack: AsyncExitStack, position: str, debaters: Sequence[str]
    ) -> list[HostConnection]:
        """Open one connection per debater; return none if they would not share one, or the host is full."""
        if self.connection is None or self.connection.transport != HTTP2_TRANSPORT or len(debaters) < 2:
            return []
        connections: list[HostConnection] = []
        async with AsyncExitStack() as opened:
            for debater in debaters:
                try:
                    connection = await self._connect(opened, position, debater)
                except Fault as fault:
                    if isinstance(fault, NotAStream) or fault.kind is FaultKind.OVERLOADED:
                        break
                    raise
                if connection.transport != HTTP2_TRANSPORT:
                    break
                connections.append(connection)
            else:
                stack.push_async_exit(opened.pop_all())
                self.connection = ConnectionInfo(HTTP2_TRANSPORT, per_debater=True)
                return connections
        await self._close_connections()
        return []

    async def _connect(
        self, stack: AsyncExitStack, position: str, debater: str | None = None
    ) -> HostConnection:
        watchdog = Watchdog(self._policy, asyncio.get_running_loop(), _never_paused)
        stack.callback(watchdog.close)
        watchdog.start_connection()
        with watchdog:
            connection = await stack.enter_async_context(self._remote_debate.connect(position, debater))
        watchdog.mark_connected()
        messages = await stack.enter_async_context(aclosing(_with_watchdog(connection.messages, watchdog)))
        return HostConnection(connection.transport, messages)

    async def _close_connections(self) -> None:
        if self.connection is not None and self.connection.transport == HTTP2_TRANSPORT:
            await self._remote_debate.close_connections()


async def _with_watchdog(
    messages: AsyncGenerator[HostMessage], watchdog: Watchdog
) -> AsyncGenerator[HostMessage]:
    """Yield the messages; raise a `timeout` fault if none arrive, or for too long only signs of life."""
    while True:
        with watchdog:
            item = await anext(messages, None)
        if item is None:
            return
        if item.event is None:
            watchdog.record_activity()
        else:
            watchdog.record_text()
        yield item


def _never_paused() -> bool:
    return False
