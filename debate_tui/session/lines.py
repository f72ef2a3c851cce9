"""How a hosted debate is connected to: over HTTP/2 by a stream for each debater, else by one for all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.resilience.watchdog import Watchdog
from debate_tui.session.braid import merge_streams
from debate_tui.sources.endpoint import NotAStream
from debate_tui.sources.remote_debate import HTTP2_TRANSPORT, HostConnection

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.domain.stream import RecoveryPolicy
    from debate_tui.sources.remote_debate import HostMessage, RemoteDebate


MAX_SILENCE_S = 40.0
"""How long a host is silent that is gone, or was slept away from: it gives a sign of life every 15 s."""


class ConnectionInfo(Struct, frozen=True):
    """How a debate comes: over what, and whether every debater has a stream of its own."""

    transport: str
    per_debater: bool = False


class RemoteConnector:
    """Connects to a hosted debate in the best way that its host answers to, which `connection` is from then
    on."""

    def __init__(self, remote_debate: RemoteDebate, policy: RecoveryPolicy) -> None:
        self.connection: ConnectionInfo | None = None
        self._remote_debate = remote_debate
        self._policy = replace(policy, silence_timeout=min(policy.silence_timeout, MAX_SILENCE_S))

    @asynccontextmanager
    async def open_messages(
        self, position: str, seq: int, debaters: Sequence[str] = ()
    ) -> AsyncGenerator[AsyncIterator[HostMessage]]:
        """Everything behind `position`, in order, until the debate or a connection ends.

        `seq` is the number of the newest event received there: places are the host's own words. `debaters`
        are the ids of all there are, where they are known. Entering raises `Fault`, and so does iterating:
        also for a connection that is silent for longer than the policy has patience.
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
        """A connection for each debater; none where they would not share one, or there is no room for all."""
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
    """The same, or a `timeout` fault; signs of life will do: a debate may be paused for hours."""
    while True:
        with watchdog:
            item = await anext(messages, None)
        if item is None:
            return
        watchdog.record_text()
        yield item


def _never_paused() -> bool:
    return False
