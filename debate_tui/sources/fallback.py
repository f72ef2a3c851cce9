"""An endpoint that offers its stream in another way than the one tried first."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Fault
from debate_tui.sources.remote import NotAStream, Remote

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.domain.stream import Cursor, Request
    from debate_tui.sources.remote import Connection


class Fallback(Remote):
    """Asks `first`, and where the answer is no event stream, `second` at the same address.

    What worked is tried first from then on. If neither is an event stream, the fault is that of `first`.
    """

    def __init__(self, first: Remote, second: Remote) -> None:
        self._first = first
        self._second = second
        self._works: Remote = first

    @property
    def model(self) -> str:
        return self._first.model

    def address(self, request: Request) -> str:
        return self._first.address(request)

    @asynccontextmanager
    async def connect(self, request: Request, cursor: Cursor | None) -> AsyncGenerator[Connection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._works.connect(request, cursor))
            except NotAStream as refusal:
                try:
                    connection = await stack.enter_async_context(self._second.connect(request, cursor))
                except Fault:
                    raise refusal from None
                self._works = self._second
            yield connection
