"""OpenAI Responses in the background: they outlive a lost connection, and can be read on behind any event.

Whoever comes back too late for the stream is told the finished answer, for which the response is polled.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.stream import Alive, Chunk, Fault, Origin
from debate_tui.sources.exchange import connected, exchange
from debate_tui.sources.outliving import Gone
from debate_tui.sources.payloads import unreadable
from debate_tui.sources.payloads.responses import ResponsesDecoder, decode_response
from debate_tui.sources.sdkfaults import translated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from openai import AsyncOpenAI

    from debate_tui.domain.stream import Connected, Cursor, StreamItem
    from debate_tui.sources.exchange import Answer
    from debate_tui.sources.payloads.responses import Response
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import Client

POLL_INTERVAL = 2.0
"""How long to wait before asking again whether a response is finished, in seconds."""

_RUNNING = ("queued", "in_progress")
_TOO_LATE = (400, 404)


class Background:
    """The background responses of one provider: a `Keeper`. `poll_interval` is in seconds."""

    def __init__(self, provider: Provider, client: Client[AsyncOpenAI], poll_interval: float) -> None:
        self._provider = provider
        self._client = client
        self._poll_interval = poll_interval

    @asynccontextmanager
    async def resumed(self, cursor: Cursor) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """The rest of a response behind `cursor`, or if that cannot be had any more, the whole of it."""

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[Answer]:
            return self._client.sdk.responses.with_streaming_response.retrieve(
                cursor.stream, stream=True, starting_after=int(cursor.position)
            )

        async with AsyncExitStack() as stack:
            try:
                items = await stack.enter_async_context(
                    exchange(
                        self._provider,
                        self._client,
                        send,
                        ResponsesDecoder(cursor.stream),
                        origin=Origin.CURSOR,
                    )
                )
            except Fault as fault:
                if fault.status not in _TOO_LATE:
                    raise
                polled = self._polled(cursor.stream, *await self._found(cursor.stream))
                items = await stack.enter_async_context(aclosing(polled))
            yield items

    async def stop(self, name: str) -> None:
        """See `Keeper.stop`."""
        with translated(self._provider, self._client):
            await self._client.sdk.responses.cancel(name)

    async def _polled(
        self, name: str, first: Connected, response: Response
    ) -> AsyncGenerator[StreamItem, None]:
        yield first
        while response.status in _RUNNING:
            yield Alive()
            await asyncio.sleep(self._poll_interval)
            _, response = await self._retrieve(name)
        finished = response.finished()
        if response.reasoning:
            yield Chunk(response.reasoning, reasoning=True)
        if response.text:
            yield Chunk(response.text)
        yield finished

    async def _found(self, name: str) -> tuple[Connected, Response]:
        try:
            return await self._retrieve(name)
        except Fault as fault:
            if fault.status == 404:
                raise Gone(fault.kind, fault.message, status=fault.status) from None
            raise

    async def _retrieve(self, name: str) -> tuple[Connected, Response]:
        with translated(self._provider, self._client):
            answer = await self._client.sdk.responses.with_raw_response.retrieve(name)
        try:
            return connected(answer.http_response, Origin.START), decode_response(answer.content)
        except msgspec.DecodeError:
            raise unreadable(answer.text) from None
