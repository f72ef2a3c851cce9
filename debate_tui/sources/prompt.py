"""An endpoint that says something at once, if only that it is there."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from debate_tui.domain.stream import FaultKind
from debate_tui.sources.remote import NotAStream, Remote

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.domain.stream import Alive, Cursor, Request
    from debate_tui.sources.payloads import Event
    from debate_tui.sources.remote import Connection


class Prompt(Remote):
    """Takes silence, for `patience` seconds after asking, for no stream: something between holds it back."""

    def __init__(self, remote: Remote, patience: float) -> None:
        self._remote = remote
        self._patience = patience

    @property
    def model(self) -> str:
        return self._remote.model

    def address(self, request: Request) -> str:
        return self._remote.address(request)

    @asynccontextmanager
    async def connect(self, request: Request, cursor: Cursor | None) -> AsyncGenerator[Connection]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._patience):
                    connection = await stack.enter_async_context(self._remote.connect(request, cursor))
                    events = connection.events
                    first = None if events is None else await anext(events, None)
            except TimeoutError:
                raise NotAStream(
                    FaultKind.TIMEOUT, f"{self.model} said nothing for {self._patience:g} s."
                ) from None
            if events is None or first is None:
                yield connection
                return
            whole = await stack.enter_async_context(aclosing(_whole(first, events)))
            yield replace(connection, events=whole)


async def _whole(first: Event | Alive, rest: AsyncGenerator[Event | Alive]) -> AsyncGenerator[Event | Alive]:
    yield first
    async with aclosing(rest):
        async for item in rest:
            yield item
