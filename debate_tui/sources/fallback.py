"""An endpoint that offers its stream in another way than the one tried first."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Fault
from debate_tui.sources.remote import NotAStream, RemoteEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.domain.stream import Cursor, TurnRequest
    from debate_tui.sources.remote import EndpointConnection


class FallbackEndpoint(RemoteEndpoint):
    """Asks `first`, and where the answer is no event stream, `second` at the same address.

    What worked is tried first from then on. If neither is an event stream, the fault is that of `first`.
    """

    def __init__(self, first: RemoteEndpoint, second: RemoteEndpoint) -> None:
        self._first = first
        self._second = second
        self._preferred: RemoteEndpoint = first

    @property
    def model(self) -> str:
        return self._first.model

    def turn_url(self, request: TurnRequest) -> str:
        return self._first.turn_url(request)

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._preferred.connect(request, cursor))
            except NotAStream as refusal:
                try:
                    connection = await stack.enter_async_context(self._second.connect(request, cursor))
                except Fault:
                    raise refusal from None
                self._preferred = self._second
            yield connection
