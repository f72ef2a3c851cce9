"""Endpoints that say what a test tells them to, when it tells them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from tests.fakes.sse_server import DONE_EVENT, Reply, SseServer, delta_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from tests.fakes.sse_server import ReceivedRequest


class ControlledEndpoints:
    """One endpoint for each name, which is also its debater's; an async context manager.

    `split` sends every byte in an HTTP chunk of its own.
    """

    def __init__(self, *names: str, split: bool = False) -> None:
        self.names = names
        self.server = SseServer(script=self._answer)
        self._split = split
        self._queues: dict[str, asyncio.Queue[bytes]] = {name: asyncio.Queue() for name in names}

    async def __aenter__(self) -> Self:
        await self.server.listen()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.server.__aexit__(exc_type, exc, tb)

    @property
    def debater_options(self) -> list[str]:
        """The options that seat them."""
        return [part for name in self.names for part in ("-d", f"{name}={self.server.origin}/{name}")]

    def say(self, name: str, *texts: str) -> None:
        """Send texts, each in an event of its own."""
        for text in texts:
            self.send(name, delta_event(text))

    def send(self, name: str, data: bytes) -> None:
        """Send these bytes."""
        self._queues[name].put_nowait(data)

    def end(self) -> None:
        """End all streams as they should be ended."""
        for name in self.names:
            self.send(name, DONE_EVENT)

    def _answer(self, request: ReceivedRequest) -> Reply:
        return Reply(self._stream(request.path[1:]))

    async def _stream(self, name: str) -> AsyncIterator[bytes]:
        while True:
            data = await self._queues[name].get()
            if self._split:
                for place in range(len(data)):
                    yield data[place : place + 1]
            else:
                yield data
            if data.endswith(DONE_EVENT):
                return
