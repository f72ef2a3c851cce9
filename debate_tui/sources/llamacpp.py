"""llama.cpp's own way to read a broken stream on: by the number of bytes that were received of it.

A completion asked for with a conversation id is kept by the server, and its bytes can be asked for again for
some minutes: https://github.com/ggml-org/llama.cpp/pull/23226. It then goes on when nobody listens.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from types import NoneType
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from debate_tui.domain.stream import Alive, Chunk, Cursor, Fault, Origin
from debate_tui.sources.eventstream import EventStream
from debate_tui.sources.exchange import exchange
from debate_tui.sources.outliving import Gone
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.sdkfaults import translated

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping

    import httpx2
    from httpx_sse import ServerSentEvent
    from openai import AsyncOpenAI

    from debate_tui.domain.stream import StreamItem
    from debate_tui.sources.payloads import Event
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import Client

T = TypeVar("T")

_GONE = (400, 404)
"""How the server says that it kept nothing of a conversation, or no longer as much as was asked for."""


def kept_under(conversation: str) -> dict[str, str]:
    """The headers that make a completion resumable; a compressed stream would be counted in other bytes."""
    return {"X-Conversation-Id": conversation, "Accept-Encoding": "identity"}


class PlacedChatDecoder(ChatDecoder):
    """Decodes a chat completion of a conversation, and tells behind which byte each item ends.

    `begin` is the place of the first byte it is given.
    """

    def __init__(self, conversation: str, begin: int = 0) -> None:
        super().__init__()
        self._conversation = conversation
        self._place = begin

    async def events(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[ServerSentEvent | Alive, None]:
        """The events in these bytes, as `eventstream.events` has them; the place moves on with each."""
        stream = EventStream()
        async for piece in pieces:
            for line in piece.splitlines(keepends=True):
                self._place += len(line)
                for event in stream.feed(line):
                    yield event

    def decode(self, event: Event) -> Iterator[StreamItem]:
        """See `Decoder.decode`."""
        cursor = Cursor(str(self._place), self._conversation)
        for item in super().decode(event):
            yield replace(item, cursor=cursor) if isinstance(item, (Chunk, Alive)) else item


class Replays:
    """Completions as a llama.cpp server keeps them: a `Keeper`."""

    def __init__(self, provider: Provider, client: Client[AsyncOpenAI]) -> None:
        self._provider = provider
        self._client = client

    @asynccontextmanager
    async def resumed(self, cursor: Cursor) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Keeper.resumed`."""
        decoder = PlacedChatDecoder(cursor.stream, int(cursor.position))
        async with AsyncExitStack() as stack:
            try:
                items = await stack.enter_async_context(
                    exchange(
                        self._provider,
                        self._client,
                        lambda _: self._reading(cursor),
                        decoder,
                        origin=Origin.CURSOR,
                        events=decoder.events,
                    )
                )
            except Fault as fault:
                if fault.status in _GONE:
                    raise Gone(fault.kind, fault.message, status=fault.status) from None
                raise
            yield items

    async def stop(self, name: str) -> None:
        """See `Keeper.stop`."""
        sdk = self._client.sdk

        async def ask(path: str, params: Mapping[str, object]) -> None:
            # As anything else, what it sends back would be read as JSON, and be none.
            await sdk.delete(path, cast_to=NoneType, options={"params": params})

        with translated(self._provider, self._client):
            await self._asked(name, ask)

    @asynccontextmanager
    async def _reading(self, cursor: Cursor) -> AsyncIterator[_Unread]:
        from openai import AsyncStream

        sdk = self._client.sdk

        async def ask(path: str, params: Mapping[str, object]) -> AsyncStream[object]:
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

        stream = await self._asked(cursor.stream, ask)
        try:
            yield _Unread(stream.response)
        finally:
            await stream.close()

    async def _asked(self, name: str, ask: Callable[[str, Mapping[str, object]], Awaitable[T]]) -> T:
        """Ask for a stream where servers keep it; the older ones (build 10068) have its name in the path."""
        try:
            return await ask("/stream", {"conv_id": name})
        except self._client.status_error as error:
            if error.status_code != 404:
                raise
            return await ask(f"/stream/{name}", {})


class _Unread:
    def __init__(self, response: httpx2.Response) -> None:
        self.http_response = response
