"""llama.cpp's own way to read a broken stream on: by the number of bytes that were received of it.

A completion asked for with a conversation id is kept by the server, and its bytes can be asked for again for
some minutes: https://github.com/ggml-org/llama.cpp/pull/23226. It then goes on when nobody listens.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from types import NoneType
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from debate_tui.domain.stream import Chunk, Cursor, Fault, KeepAlive, StreamOrigin
from debate_tui.sources.eventstream import SseParser
from debate_tui.sources.exchange import open_sdk_stream
from debate_tui.sources.outliving import ResponseGone
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.sdkfaults import translate_sdk_errors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping

    import httpx2
    from httpx_sse import ServerSentEvent
    from openai import AsyncOpenAI

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import PayloadEvent
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClient

T = TypeVar("T")

_GONE_STATUSES = (400, 404)
"""How the server says that it kept nothing of a conversation, or no longer as much as was asked for."""


def conversation_headers(conversation_id: str) -> dict[str, str]:
    """The headers that make a completion resumable; a compressed stream would be counted in other bytes."""
    return {"X-Conversation-Id": conversation_id, "Accept-Encoding": "identity"}


class ByteCursorChatDecoder(ChatDecoder):
    """Decodes a chat completion of a conversation, and tells behind which byte each item ends.

    `start` is the place of the first byte it is given.
    """

    def __init__(self, conversation_id: str, start: int = 0) -> None:
        super().__init__()
        self._conversation_id = conversation_id
        self._byte_position = start

    async def parse_events(
        self, pieces: AsyncIterator[bytes]
    ) -> AsyncGenerator[ServerSentEvent | KeepAlive, None]:
        """The events in these bytes, as `sse_parser.parse_sse` has them; the place moves on with each."""
        stream = SseParser()
        async for piece in pieces:
            for line in piece.splitlines(keepends=True):
                self._byte_position += len(line)
                for event in stream.feed(line):
                    yield event

    def decode(self, event: PayloadEvent) -> Iterator[StreamItem]:
        """See `PayloadDecoder.decode`."""
        cursor = Cursor(str(self._byte_position), self._conversation_id)
        for item in super().decode(event):
            yield replace(item, cursor=cursor) if isinstance(item, (Chunk, KeepAlive)) else item


class LlamaCppStreams:
    """Completions as a llama.cpp server keeps them: a `ResumableApi`."""

    def __init__(self, provider: Provider, client: SdkClient[AsyncOpenAI]) -> None:
        self._provider = provider
        self._client = client

    @asynccontextmanager
    async def resume(self, cursor: Cursor) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `ResumableApi.resume`."""
        decoder = ByteCursorChatDecoder(cursor.stream, int(cursor.position))
        async with AsyncExitStack() as stack:
            try:
                items = await stack.enter_async_context(
                    open_sdk_stream(
                        self._provider,
                        self._client,
                        lambda _: self._open_raw(cursor),
                        decoder,
                        origin=StreamOrigin.CURSOR,
                        parse_events=decoder.parse_events,
                    )
                )
            except Fault as fault:
                if fault.status in _GONE_STATUSES:
                    raise ResponseGone(fault.kind, fault.message, status=fault.status) from None
                raise
            yield items

    async def cancel(self, stream_id: str) -> None:
        """See `ResumableApi.cancel`."""
        sdk = self._client.sdk

        async def delete(path: str, params: Mapping[str, object]) -> None:
            # As anything else, what it sends back would be read as JSON, and be none.
            await sdk.delete(path, cast_to=NoneType, options={"params": params})

        with translate_sdk_errors(self._provider, self._client):
            await self._call_stream_path(stream_id, delete)

    @asynccontextmanager
    async def _open_raw(self, cursor: Cursor) -> AsyncIterator[_UnreadResponse]:
        from openai import AsyncStream

        sdk = self._client.sdk

        async def get(path: str, params: Mapping[str, object]) -> AsyncStream[object]:
            return await sdk.get(
                path,
                cast_to=object,
                stream=True,
                stream_cls=AsyncStream[object],
                options={
                    "params": {**params, "from": cursor.position},
                    "headers": {"Accept-Encoding": "identity"},
                },
            )

        stream = await self._call_stream_path(cursor.stream, get)
        try:
            yield _UnreadResponse(stream.response)
        finally:
            await stream.close()

    async def _call_stream_path(
        self, stream_id: str, send: Callable[[str, Mapping[str, object]], Awaitable[T]]
    ) -> T:
        """Ask for a stream where servers keep it; the older ones (build 10068) have its name in the path."""
        try:
            return await send("/stream", {"conv_id": stream_id})
        except self._client.status_error_type as error:
            if error.status_code != 404:
                raise
            return await send(f"/stream/{stream_id}", {})


class _UnreadResponse:
    def __init__(self, response: httpx2.Response) -> None:
        self.http_response = response
