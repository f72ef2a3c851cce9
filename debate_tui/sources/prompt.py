"""An endpoint that says something at once, if only that it is there."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from debate_tui.domain.stream import FaultKind
from debate_tui.sources.remote import NotAStream, RemoteEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.domain.stream import Cursor, KeepAlive, TurnRequest
    from debate_tui.sources.payloads import PayloadEvent
    from debate_tui.sources.remote import EndpointConnection


class FirstByteDeadline(RemoteEndpoint):
    """Takes silence, for `timeout` seconds after asking, for no stream: something between holds it back."""

    def __init__(self, endpoint: RemoteEndpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    @property
    def model(self) -> str:
        return self._endpoint.model

    def turn_url(self, request: TurnRequest) -> str:
        return self._endpoint.turn_url(request)

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._timeout):
                    connection = await stack.enter_async_context(self._endpoint.connect(request, cursor))
                    events = connection.events
                    first = None if events is None else await anext(events, None)
            except TimeoutError:
                raise NotAStream(
                    FaultKind.TIMEOUT, f"{self.model} said nothing for {self._timeout:g} s."
                ) from None
            if events is None or first is None:
                yield connection
                return
            all_events = await stack.enter_async_context(aclosing(_prepend_event(first, events)))
            yield replace(connection, events=all_events)


async def _prepend_event(
    first: PayloadEvent | KeepAlive, rest: AsyncGenerator[PayloadEvent | KeepAlive]
) -> AsyncGenerator[PayloadEvent | KeepAlive]:
    yield first
    async with aclosing(rest):
        async for item in rest:
            yield item
