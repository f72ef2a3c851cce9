"""A debate in the file as those see it who only watch, whichever program records it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateFinished
from debate_tui.record.log import BATCH, Broadcast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.sqlite import Store

LOOK_S: Final = 0.1
"""How often the file is looked at for news."""


class Recorded(Broadcast):
    """A `WatchedLog` of a debate in a `Store`: what is in the file is durable, and never changes."""

    def __init__(self, store: Store, debate: str) -> None:
        super().__init__()
        self._store = store
        self._debate = debate
        self._last: Event | None = None
        self._failure: DebateError | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        """See `WatchedLog.epoch`."""
        return ""

    @property
    def seq(self) -> int:
        """See `Broadcast.seq`."""
        return self._last.seq if self._last else 0

    @property
    def over(self) -> bool:
        """See `Broadcast.over`; events behind the end take the debate up again."""
        return isinstance(self._last, DebateFinished)

    async def start(self, known: int) -> None:
        """Begin with the events up to `known`, of which there is one at least."""
        self._last = (await self._found(known - 1, 1))[0]
        self._looking = asyncio.create_task(self._look(), name=f"watch {self._debate}")

    async def read(self, after: int = 0, limit: int = BATCH) -> Sequence[Event]:
        """See `ReadableLog.read`; raises `DebateError` where the debate was deleted."""
        return await self._found(after, min(limit, self.seq - after)) if after < self.seq else ()

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """See `WatchedLog.follow`."""
        async for batch in super().follow(after):
            yield batch
        if self._failure:
            raise self._failure

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`."""
        await super().aclose()
        if self._looking:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _found(self, after: int, limit: int) -> list[Event]:
        """Events that are known to be there."""
        if events := await asyncio.to_thread(self._store.read, self._debate, after, limit):
            return events
        raise UsageError(f"no recorded debate is called {self._debate!r}", "it was deleted")

    async def _look(self) -> None:
        """Look for news again and again; the newest event known is read too, to see whether it is there."""
        while not self._closed:
            try:
                _, *news = found = await self._found(self.seq - 1, BATCH)
            except DebateError as error:
                self._failure = error
                self._closed = True
                self._wake()
                return
            for event in news:
                self._last = event
                self._publish(event)
            if len(found) < BATCH:
                await asyncio.sleep(LOOK_S)
