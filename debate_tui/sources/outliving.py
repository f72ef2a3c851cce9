"""Answers that outlive their connection: the server goes on when nobody listens, and can be heard again.

They are kept after a fault, to be resumed; else they are stopped, as nobody will come back for them.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from debate_tui.domain.stream import Chunk, Fault, Finished, KeepAlive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from debate_tui.domain.stream import Cursor, StreamItem

    StreamContext = AbstractAsyncContextManager[AsyncIterator[StreamItem]]

CANCEL_TIMEOUT = 1.0
"""How long a server may take to hear that an answer is no longer wanted, in seconds."""


class ResponseGone(Fault):
    """The server does not have the answer any more, or no longer enough of it."""


class ResumableApi(Protocol):
    """A server that keeps answers; each has a name, which is the `stream` of its cursors."""

    def resume(self, cursor: Cursor) -> StreamContext:
        """The answer on from `cursor`, or from its start; entering raises `ResponseGone` if it cannot be
        had."""
        ...

    async def cancel(self, stream_id: str) -> None:
        """Have the answer stopped and forgotten; raises `Fault`."""
        ...


class ServerKeptResponses:
    """The answers of one source that a server keeps."""

    def __init__(self) -> None:
        self._cancelled_ids: set[str] = set()

    @asynccontextmanager
    async def open(
        self,
        api: ResumableApi,
        cursor: Cursor | None,
        open_new: Callable[[], StreamContext],
        stream_id: str = "",
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Listen on behind `cursor` if that can be, else to the answer that `open_new` opens.

        `stream_id` is what a new answer is called, where that is known before it begins.
        """
        async with AsyncExitStack() as stack:
            items: AsyncIterator[StreamItem] | None = None
            if cursor is not None and cursor.stream and cursor.stream not in self._cancelled_ids:
                resumed = self._cancel_if_abandoned(api, api.resume(cursor), cursor.stream, has_cursor=True)
                with suppress(ResponseGone):
                    items = await stack.enter_async_context(resumed)
            if items is None:
                opened = self._cancel_if_abandoned(api, open_new(), stream_id, has_cursor=False)
                items = await stack.enter_async_context(opened)
            yield items

    @asynccontextmanager
    async def _cancel_if_abandoned(
        self, api: ResumableApi, stream: StreamContext, stream_id: str, *, has_cursor: bool
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Listen to an answer, and stop it if it is left for good.

        That is before its end, and without a fault; or with one, if there was no cursor to come back with.
        """
        failed = finished = False

        async def track(items: AsyncIterator[StreamItem]) -> AsyncGenerator[StreamItem, None]:
            nonlocal stream_id, has_cursor, finished
            async for item in items:
                if isinstance(item, (Chunk, KeepAlive)) and item.cursor is not None:
                    stream_id, has_cursor = item.cursor.stream, True
                finished = isinstance(item, Finished)
                yield item

        try:
            async with stream as items:
                yield track(items)
        except Fault:
            failed = True
            raise
        finally:
            if stream_id and not finished and not (failed and has_cursor):
                self._cancelled_ids.add(stream_id)
                with suppress(Fault, TimeoutError):
                    async with asyncio.timeout(CANCEL_TIMEOUT):
                        await api.cancel(stream_id)
