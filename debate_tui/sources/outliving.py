"""Answers that outlive their connection: the server goes on when nobody listens, and can be heard again.

They are kept after a fault, to be resumed; else they are stopped, as nobody will come back for them.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from debate_tui.domain.stream import Alive, Chunk, Fault, Finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from debate_tui.domain.stream import Cursor, StreamItem

    Stream = AbstractAsyncContextManager[AsyncIterator[StreamItem]]

STOP_WITHIN = 1.0
"""How long a server may take to hear that an answer is no longer wanted, in seconds."""


class Gone(Fault):
    """The server does not have the answer any more, or no longer enough of it."""


class Keeper(Protocol):
    """A server that keeps answers; each has a name, which is the `stream` of its cursors."""

    def resumed(self, cursor: Cursor) -> Stream:
        """The answer on from `cursor`, or from its start; entering raises `Gone` if it cannot be had."""
        ...

    async def stop(self, name: str) -> None:
        """Have the answer stopped and forgotten; raises `Fault`."""
        ...


class Outliving:
    """The answers of one source that a server keeps."""

    def __init__(self) -> None:
        self._stopped: set[str] = set()

    @asynccontextmanager
    async def open(
        self, keeper: Keeper, cursor: Cursor | None, ask: Callable[[], Stream], name: str = ""
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Listen on behind `cursor` if that can be, else to the answer that `ask` opens.

        `name` is what a new answer is called, where that is known before it begins.
        """
        async with AsyncExitStack() as stack:
            items: AsyncIterator[StreamItem] | None = None
            if cursor is not None and cursor.stream and cursor.stream not in self._stopped:
                resumed = self._heard(keeper, keeper.resumed(cursor), cursor.stream, named=True)
                with suppress(Gone):
                    items = await stack.enter_async_context(resumed)
            if items is None:
                asked = self._heard(keeper, ask(), name, named=False)
                items = await stack.enter_async_context(asked)
            yield items

    @asynccontextmanager
    async def _heard(
        self, keeper: Keeper, opened: Stream, name: str, *, named: bool
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Listen to an answer, and stop it if it is left for good.

        That is before its end, and without a fault; or with one, if there was no cursor to come back with.
        """
        broken = over = False

        async def heard(items: AsyncIterator[StreamItem]) -> AsyncGenerator[StreamItem, None]:
            nonlocal name, named, over
            async for item in items:
                if isinstance(item, (Chunk, Alive)) and item.cursor is not None:
                    name, named = item.cursor.stream, True
                over = isinstance(item, Finished)
                yield item

        try:
            async with opened as items:
                yield heard(items)
        except Fault:
            broken = True
            raise
        finally:
            if name and not over and not (broken and named):
                self._stopped.add(name)
                with suppress(Fault, TimeoutError):
                    async with asyncio.timeout(STOP_WITHIN):
                        await keeper.stop(name)
