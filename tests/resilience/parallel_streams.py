"""One debater in trouble beside others that are not: nobody else may notice.

The others' servers fall silent half way, and go on only once the first debater's stream is broken. They have
to come to their end before its wait, or its silence, is allowed to end.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import StateChange
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.http import HttpClients
from debate_tui.sources.sse import SseSource
from tests.fakes.scripted_source import REQUEST, ManualClock, RecoveredOutput
from tests.fakes.sse_server import ReceivedRequest, Reply, SseServer, delta_event, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from debate_tui.domain.stream import FaultReport, RecoveryPolicy, ResumePoint, Source

UNDISTURBED_STATES = ["connecting", "connected", "streaming"]
EMPTY_DONE_EVENT = b"event: done\ndata:\n\n"


class GuardedStream:
    """One debater's stream and whoever reads it; its time passes by hand."""

    def __init__(
        self,
        source: Source,
        policy: RecoveryPolicy | None = None,
        *,
        random: Callable[[], float] = lambda: 0.5,
        paused_at: str = "",
    ) -> None:
        self.clock = ManualClock()
        self.output = RecoveredOutput()
        self.wait_announced = asyncio.Event()
        """Set when a wait has been announced."""
        self.go_on = asyncio.Event()
        """Until this is set, nothing is read beyond the text `paused_at`."""
        self._paused_at = paused_at
        self._changed = asyncio.Event()
        self._guarded = RecoveringSource(source, policy, clock=self.clock, random=random)

    async def read(self, resume: ResumePoint | None = None) -> RecoveredOutput:
        async with self._guarded.open(REQUEST, resume) as items:
            async for item in items:
                self.output.take(item)
                self._changed.set()
                if isinstance(item, StateChange) and item.state == "reconnecting":
                    self.wait_announced.set()
                if self._paused_at and self.output.text == self._paused_at:
                    await self.go_on.wait()
        return self.output

    @property
    def reported_errors(self) -> list[FaultReport]:
        return [status.error for status in self.output.statuses if status.error]

    async def until(self, happened: Callable[[RecoveredOutput], bool]) -> None:
        while not happened(self.output):
            self._changed.clear()
            await self._changed.wait()


class HealthyStreams:
    """Debaters without trouble."""

    def __init__(self, panes: list[GuardedStream], go_on: asyncio.Event) -> None:
        self.panes = panes
        self._go_on = go_on
        self._reading = [asyncio.create_task(pane.read()) for pane in panes]

    async def finish(self) -> None:
        """Let them come to their end, and see that nothing ever disturbed them."""
        self._go_on.set()
        for heard in await asyncio.gather(*self._reading):
            assert heard.text == "I am fine. Go on."
            assert heard.states == UNDISTURBED_STATES
            assert heard.finished.reason == "complete"

    async def close(self) -> None:
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)


@asynccontextmanager
async def healthy_streams(clients: HttpClients, count: int = 3) -> AsyncIterator[HealthyStreams]:
    """That many debaters, each with its own connection to a server in good health."""
    go_on = asyncio.Event()

    def script(_: ReceivedRequest) -> Reply:
        return reply(
            delta_event("I am "),
            delta_event("fine. "),
            go_on,
            delta_event("Go "),
            delta_event("on."),
            EMPTY_DONE_EVENT,
        )

    async with SseServer(script=script) as server:
        panes = [GuardedStream(SseSource(server.url, clients=clients)) for _ in range(count)]
        beside = HealthyStreams(panes, go_on)
        try:
            yield beside
        finally:
            await beside.close()


@asynccontextmanager
async def open_clients() -> AsyncIterator[HttpClients]:
    made = HttpClients()
    try:
        yield made
    finally:
        await made.aclose()


async def read_through_faults(
    pane: GuardedStream,
    beside: HealthyStreams,
    *,
    repair: Callable[[int], Awaitable[None]] | None = None,
    resume: ResumePoint | None = None,
) -> RecoveredOutput:
    """Read the pane to its end; each announced wait ends when the others are done and `repair` was called.

    `repair` is given the number of waits so far. Raises the fault the pane ends with.
    """
    reading = asyncio.create_task(pane.read(resume))
    try:
        while not reading.done():
            waiting = asyncio.create_task(pane.wait_announced.wait())
            await asyncio.wait((reading, waiting), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if pane.wait_announced.is_set():
                pane.wait_announced.clear()
                await beside.finish()
                if repair is not None:
                    await repair(len(pane.output.waits))
                pane.clock.advance(pane.output.waits[-1] / 1000)
        return await reading
    finally:
        reading.cancel()
