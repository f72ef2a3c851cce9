"""OpenAI Responses in the background: they outlive a lost connection, and can be read on behind any event.

Whoever comes back too late for the stream is told the finished answer, for which the response is polled.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.stream import Chunk, Fault, KeepAlive, StreamOrigin
from debate_tui.sources.exchange import connected_item, open_sdk_stream
from debate_tui.sources.outliving import ResponseGone
from debate_tui.sources.payloads import unreadable_fault
from debate_tui.sources.payloads.responses import ResponsesDecoder, decode_response
from debate_tui.sources.sdkfaults import translate_sdk_errors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from openai import AsyncOpenAI

    from debate_tui.domain.stream import Connected, Cursor, StreamItem
    from debate_tui.sources.exchange import RawResponse
    from debate_tui.sources.payloads.responses import ResponsesResult
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClient

POLL_INTERVAL = 2.0
"""How long to wait before asking again whether a response is finished, in seconds."""

_RUNNING_STATUSES = ("queued", "in_progress")
_EXPIRED_STATUSES = (400, 404)


class BackgroundResponses:
    """The background responses of one provider: a `ResumableApi`. `poll_interval` is in seconds."""

    def __init__(self, provider: Provider, client: SdkClient[AsyncOpenAI], poll_interval: float) -> None:
        self._provider = provider
        self._client = client
        self._poll_interval = poll_interval

    @asynccontextmanager
    async def resume(self, cursor: Cursor) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """The rest of a response behind `cursor`, or if that cannot be had any more, the whole of it."""

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            return self._client.sdk.responses.with_streaming_response.retrieve(
                cursor.stream, stream=True, starting_after=int(cursor.position)
            )

        async with AsyncExitStack() as stack:
            try:
                items = await stack.enter_async_context(
                    open_sdk_stream(
                        self._provider,
                        self._client,
                        send,
                        ResponsesDecoder(cursor.stream),
                        origin=StreamOrigin.CURSOR,
                    )
                )
            except Fault as fault:
                if fault.status not in _EXPIRED_STATUSES:
                    raise
                polled = self._poll(cursor.stream, *await self._retrieve_or_gone(cursor.stream))
                items = await stack.enter_async_context(aclosing(polled))
            yield items

    async def cancel(self, stream_id: str) -> None:
        """See `ResumableApi.cancel`."""
        with translate_sdk_errors(self._provider, self._client):
            await self._client.sdk.responses.cancel(stream_id)

    async def _poll(
        self, stream_id: str, connected: Connected, response: ResponsesResult
    ) -> AsyncGenerator[StreamItem, None]:
        yield connected
        while response.status in _RUNNING_STATUSES:
            yield KeepAlive()
            await asyncio.sleep(self._poll_interval)
            _, response = await self._retrieve(stream_id)
        finished = response.to_finished()
        if response.reasoning:
            yield Chunk(response.reasoning, reasoning=True)
        if response.text:
            yield Chunk(response.text)
        yield finished

    async def _retrieve_or_gone(self, stream_id: str) -> tuple[Connected, ResponsesResult]:
        try:
            return await self._retrieve(stream_id)
        except Fault as fault:
            if fault.status == 404:
                raise ResponseGone(fault.kind, fault.message, status=fault.status) from None
            raise

    async def _retrieve(self, stream_id: str) -> tuple[Connected, ResponsesResult]:
        with translate_sdk_errors(self._provider, self._client):
            answer = await self._client.sdk.responses.with_raw_response.retrieve(stream_id)
        try:
            return connected_item(answer.http_response, StreamOrigin.START), decode_response(answer.content)
        except msgspec.DecodeError:
            raise unreadable_fault(answer.text) from None
