"""Server-side resumable responses: reattach after a disconnect, cancel when abandoned.

After a fault they are kept for a resume; otherwise they are cancelled, as they will not be resumed.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from debate_tui.domain.stream import Chunk, Cursor, Fault, Finished, KeepAlive, StreamOrigin
from debate_tui.sources.http_errors import translate_errors
from debate_tui.sources.payloads import unreadable_fault
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder, decode_response
from debate_tui.sources.sdk_stream import STREAM_HEADERS, connected_item, open_sdk_stream, read_document
from debate_tui.sources.sse_parser import SseParser

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

    import httpx2
    from httpx_sse import ServerSentEvent
    from openai import AsyncOpenAI

    from debate_tui.domain.stream import Connected, StreamItem
    from debate_tui.sources.payloads import PayloadEvent
    from debate_tui.sources.payloads.responses import ResponsesResult
    from debate_tui.sources.sdk import SdkClient
    from debate_tui.sources.sdk_stream import RawResponse, StreamContext

CANCEL_TIMEOUT = 1.0
"""Seconds a server may take to cancel a response."""


class ResponseGone(Fault):
    """The server no longer has the response, or not enough of it."""


class ResumableApi(Protocol):
    """A server that keeps responses; each has an id, which is the `stream` of its cursors."""

    def resume(self, cursor: Cursor) -> StreamContext:
        """Resume a response after `cursor`, or from its start; raise `ResponseGone` if it is gone."""
        ...

    async def cancel(self, stream_id: str) -> None:
        """Stop a response and delete it; raise `Fault`."""
        ...


class ServerKeptResponses:
    """The responses of one source that a server keeps."""

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
        """Resume after `cursor` if possible, or open a new response with `open_new`.

        `stream_id` is the id of a new response, if it is known before it begins.
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
        """Stream a response, and cancel it if it is abandoned.

        That is: if it is left before its end without a fault, or with a fault but no cursor to resume from.
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


# Background responses of OpenAI's API: they survive a lost connection and can be resumed after any event.
#
# If the stream itself has expired, the response is polled until it is finished.


POLL_INTERVAL = 2.0
"""Seconds between two polls for a finished response."""

_RUNNING_STATUSES = ("queued", "in_progress")
_GONE_STATUSES = (400, 404)
"""Statuses for a stream that the server did not keep, or not to the extent requested."""


class BackgroundResponses:
    """The background responses of one provider: a `ResumableApi`. `poll_interval` is in seconds."""

    def __init__(self, client: SdkClient[AsyncOpenAI], poll_interval: float) -> None:
        self._client = client
        self._poll_interval = poll_interval

    @asynccontextmanager
    async def resume(self, cursor: Cursor) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Stream the rest of a response after `cursor`, or the whole of it if that is no longer available."""

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            return self._client.sdk.responses.with_streaming_response.retrieve(
                cursor.stream,
                stream=True,
                starting_after=int(cursor.position),
                extra_headers=STREAM_HEADERS,
            )

        decoder = ResponsesDecoder(cursor.stream)
        async with AsyncExitStack() as stack:
            stream = open_sdk_stream(self._client, send, decoder, origin=StreamOrigin.CURSOR)
            try:
                items = await stack.enter_async_context(stream)
            except Fault as fault:
                if fault.status not in _GONE_STATUSES:
                    raise
                polled = self._poll(cursor.stream, *await self._retrieve_or_gone(cursor.stream))
                items = await stack.enter_async_context(aclosing(polled))
            yield items

    async def cancel(self, stream_id: str) -> None:
        with translate_errors(self._client.peer):
            async with self._client.sdk.responses.with_streaming_response.cancel(stream_id):
                pass  # the response's body is not needed

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
        with translate_errors(self._client.peer):
            async with self._client.sdk.responses.with_streaming_response.retrieve(stream_id) as answer:
                response = answer.http_response
                body = await read_document(response, self._client)
        try:
            return connected_item(response, StreamOrigin.START), decode_response(body)
        except msgspec.DecodeError:
            raise unreadable_fault(body.decode("utf-8", "replace")) from None


# llama.cpp's way to resume an interrupted stream: by the number of bytes received.
#
# The server keeps a completion requested with a conversation id, and serves its bytes again for some minutes:
# https://github.com/ggml-org/llama.cpp/pull/23226. Such a completion continues after a disconnect.


def conversation_headers(conversation_id: str) -> dict[str, str]:
    """Return the headers that make a completion resumable; compression would change the byte count."""
    return {"X-Conversation-Id": conversation_id, "Accept-Encoding": "identity"}


class ByteCountingParser(SseParser):
    """An event parser whose `position` is the number of bytes up to the end of the last event's line.

    `position` starts at that of the first byte fed to it.
    """

    def __init__(self, position: int = 0) -> None:
        super().__init__()
        self.position = position

    def feed(self, data: bytes) -> Iterator[ServerSentEvent | KeepAlive]:
        """See `SseParser.feed`; the position is advanced line by line."""
        for line in data.splitlines(keepends=True):
            self.position += len(line)
            yield from super().feed(line)


class ByteCursorChatDecoder(ChatDecoder):
    """Decodes a chat completion and gives its items cursors that count the bytes its `parser` has read."""

    def __init__(self, conversation_id: str, parser: ByteCountingParser) -> None:
        super().__init__()
        self._conversation_id = conversation_id
        self._parser = parser

    def decode(self, event: PayloadEvent) -> Iterator[StreamItem]:
        """See `PayloadDecoder.decode`; of several items from one event only the last has the cursor."""
        cursor = Cursor(str(self._parser.position), self._conversation_id)
        last: Chunk | KeepAlive | None = None
        try:
            for item in super().decode(event):
                text = item if isinstance(item, (Chunk, KeepAlive)) else None
                if last is not None:
                    yield last if text else replace(last, cursor=cursor)
                last = text
                if text is None:
                    yield item
        except Fault:
            if last is not None:
                yield last
            raise
        if last is not None:
            yield replace(last, cursor=cursor)


class LlamaCppStreams:
    """Completions kept by a llama.cpp server: a `ResumableApi`."""

    def __init__(self, client: SdkClient[AsyncOpenAI]) -> None:
        self._client = client

    @asynccontextmanager
    async def resume(self, cursor: Cursor) -> AsyncIterator[AsyncIterator[StreamItem]]:
        parser = ByteCountingParser(int(cursor.position))
        stream = open_sdk_stream(
            self._client,
            lambda _: self._get_rest(cursor),
            ByteCursorChatDecoder(cursor.stream, parser),
            origin=StreamOrigin.CURSOR,
            parser=parser,
        )
        async with AsyncExitStack() as stack:
            try:
                items = await stack.enter_async_context(stream)
            except Fault as fault:
                if fault.status in _GONE_STATUSES:
                    raise ResponseGone(fault.kind, fault.message, status=fault.status) from None
                raise
            yield items

    async def cancel(self, stream_id: str) -> None:
        with translate_errors(self._client.peer):
            response = await self._call(self._client.sdk.delete, stream_id, {}, {})
            await response.aclose()  # the body is not needed and may never end

    @asynccontextmanager
    async def _get_rest(self, cursor: Cursor) -> AsyncIterator[_UnreadResponse]:
        headers = {**STREAM_HEADERS, "Accept-Encoding": "identity"}
        response = await self._call(self._client.sdk.get, cursor.stream, {"from": cursor.position}, headers)
        async with aclosing(response):
            yield _UnreadResponse(response)

    async def _call(
        self,
        send: Callable[..., Awaitable[httpx2.Response]],
        stream_id: str,
        params: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> httpx2.Response:
        """Return the response of the stream endpoint, unread.

        Older servers (build 10068) need the id in the path.
        """
        import httpx2
        from openai import NotFoundError

        options: dict[str, object] = {"headers": {**headers, "X-Stainless-Raw-Response": "stream"}}
        try:
            return await send(
                "/stream",
                cast_to=httpx2.Response,
                options={**options, "params": {**params, "conv_id": stream_id}},
            )
        except NotFoundError:
            return await send(
                f"/stream/{stream_id}", cast_to=httpx2.Response, options={**options, "params": params}
            )


class _UnreadResponse(NamedTuple):
    http_response: httpx2.Response
