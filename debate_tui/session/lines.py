"""How a hosted debate is connected to: over HTTP/2 by a stream for each debater, else by one for all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.resilience.watchdog import Watchdog
from debate_tui.session.braid import braided
from debate_tui.sources.hosted import HTTP2, Line
from debate_tui.sources.remote import NotAStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.domain.policy import Policy
    from debate_tui.sources.hosted import Hosted, Told


SILENCE_S = 40.0
"""How long a host is silent that is gone, or was slept away from: it gives a sign of life every 15 s."""


class Way(Struct, frozen=True):
    """How a debate comes: over what, and whether every debater has a stream of its own."""

    transport: str
    each: bool = False


class Lines:
    """Connects to a hosted debate in the best way that its host answers to, which `way` is from then on."""

    def __init__(self, hosted: Hosted, policy: Policy) -> None:
        self.way: Way | None = None
        self._hosted = hosted
        self._policy = replace(policy, silence_timeout=min(policy.silence_timeout, SILENCE_S))

    @asynccontextmanager
    async def follow(
        self, place: str, seq: int, debaters: Sequence[str] = ()
    ) -> AsyncGenerator[AsyncIterator[Told]]:
        """Everything behind `place`, in order, until the debate or a connection ends.

        `seq` is the number of the newest event received there: places are the host's own words. `debaters`
        are the ids of all there are, where they are known. Entering raises `Fault`, and so does iterating:
        also for a connection that is silent for longer than the policy has patience.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._hang_up)
            lines = await self._each(stack, place, debaters)
            if lines:
                streams = [line.told for line in lines]
                yield await stack.enter_async_context(braided(streams, seq))
                return
            line = await self._connect(stack, place)
            self.way = Way(line.transport)
            yield line.told

    async def _each(self, stack: AsyncExitStack, place: str, debaters: Sequence[str]) -> list[Line]:
        """A connection for each debater; none where they would not share one, or there is no room for all."""
        if self.way is None or self.way.transport != HTTP2 or len(debaters) < 2:
            return []
        lines: list[Line] = []
        async with AsyncExitStack() as opened:
            for debater in debaters:
                try:
                    line = await self._connect(opened, place, debater)
                except Fault as fault:
                    if isinstance(fault, NotAStream) or fault.kind is FaultKind.OVERLOADED:
                        break
                    raise
                if line.transport != HTTP2:
                    break
                lines.append(line)
            else:
                stack.push_async_exit(opened.pop_all())
                self.way = Way(HTTP2, each=True)
                return lines
        await self._hang_up()
        return []

    async def _connect(self, stack: AsyncExitStack, place: str, debater: str | None = None) -> Line:
        watchdog = Watchdog(self._policy, asyncio.get_running_loop(), _never)
        stack.callback(watchdog.close)
        watchdog.connecting()
        with watchdog:
            line = await stack.enter_async_context(self._hosted.connect(place, debater))
        watchdog.connected()
        told = await stack.enter_async_context(aclosing(_watched(line.told, watchdog)))
        return Line(line.transport, told)

    async def _hang_up(self) -> None:
        if self.way is not None and self.way.transport == HTTP2:
            await self._hosted.hang_up()


async def _watched(told: AsyncGenerator[Told], watchdog: Watchdog) -> AsyncGenerator[Told]:
    """The same, or a `timeout` fault; signs of life will do: a debate may be paused for hours."""
    while True:
        with watchdog:
            item = await anext(told, None)
        if item is None:
            return
        watchdog.text()
        yield item


def _never() -> bool:
    return False
