"""One request through an SDK, and what it sends back as stream items.

The SDKs' own reading of a stream would end normally at a cut, an HTML page or an empty body, and costs ten
times as much. So the body is read as bytes, and `eventstream` and `payloads` say what it amounts to.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Connected, Fault, Finished, Origin
from debate_tui.sources.eventstream import events
from debate_tui.sources.payloads import read
from debate_tui.sources.sdk import CONNECTED
from debate_tui.sources.sdkfaults import hidden, translated, unexpected

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Protocol

    import httpx2
    from httpx_sse import ServerSentEvent

    from debate_tui.domain.stream import Alive, StreamItem
    from debate_tui.sources.payloads import Decoder
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import AnyClient

    class Answer(Protocol):
        """What both SDKs make of a response whose body was not read."""

        http_response: httpx2.Response


class Wishes:
    """Parameters that make an answer better, but that not every server knows.

    Which one does cannot be told beforehand. One that is refused is not sent again: `refused` is where the
    caller remembers them from one request to the next. Several names for one value are tried in turn.
    """

    def __init__(self, refused: set[str]) -> None:
        self._refused = refused
        self._wishes: list[tuple[tuple[str, ...], object]] = []

    def add(self, *names: str, value: object) -> None:
        """Wish for `value` under the first of `names` that was not refused."""
        self._wishes.append((names, value))

    @property
    def body(self) -> dict[str, object]:
        """What is still wished for, as fields of the request's body."""
        named = ((next((n for n in names if n not in self._refused), ""), v) for names, v in self._wishes)
        return {name: value for name, value in named if name}

    def give_up(self, fault: Fault) -> bool:
        """Whether `fault` refuses one of them; that one is no longer wished for then."""
        if fault.status not in _REFUSALS:
            return False
        found = next((name for name in self.body if name in fault.message), None)
        if found is not None:
            self._refused.add(found)
        return found is not None


_REFUSALS = (400, 422)
_ERROR_BODY = 1 << 16
_LINGER = 0.1
_LINGER_READS = 4


@asynccontextmanager
async def exchange(
    provider: Provider,
    client: AnyClient,
    send: Callable[[dict[str, object]], AbstractAsyncContextManager[Answer]],
    decoder: Decoder,
    *,
    wishes: Wishes | None = None,
    origin: Origin = Origin.START,
    events: Callable[[AsyncIterator[bytes]], AsyncGenerator[ServerSentEvent | Alive, None]] = events,
) -> AsyncIterator[AsyncIterator[StreamItem]]:
    """Make one request, and give out what comes back as items, `Connected` first.

    `send` is given the wishes to put into the request's body; `events` finds the events in the bytes.
    Entering waits for the response's head; entering and reading raise `Fault`; leaving closes the response.
    """
    finished = False

    async def items() -> AsyncGenerator[StreamItem, None]:
        nonlocal finished
        yield connected(response, origin)
        try:
            async for item in decoded:
                finished = isinstance(item, Finished)
                yield item
        except Fault as fault:
            raise hidden(fault, client) from None

    async with AsyncExitStack() as stack:
        response = await answered(stack, provider, client, send, wishes)
        pieces = await stack.enter_async_context(aclosing(received(response, provider, client)))
        found = await stack.enter_async_context(aclosing(events(pieces)))
        decoded = await stack.enter_async_context(aclosing(read(found, decoder)))
        yield await stack.enter_async_context(aclosing(items()))
        if finished:
            await _read_out(pieces)


async def answered(
    stack: AsyncExitStack,
    provider: Provider,
    client: AnyClient,
    send: Callable[[dict[str, object]], AbstractAsyncContextManager[Answer]],
    wishes: Wishes | None = None,
) -> httpx2.Response:
    """The response to a request, its body not read yet: an event stream, or a `Fault`."""
    while True:
        try:
            with translated(provider, client):
                answer = await stack.enter_async_context(send(wishes.body if wishes else {}))
        except Fault as fault:
            # Not a retry: what is asked now is something else, and was never refused.
            if wishes is None or not wishes.give_up(fault):
                raise
            continue
        response = answer.http_response
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            return response
        body = await _beginning(response, provider, client) if kind == "application/json" else b""
        raise hidden(unexpected(response, body, provider), client)


async def received(
    response: httpx2.Response, provider: Provider, client: AnyClient
) -> AsyncGenerator[bytes, None]:
    """The bytes of a response as they come in; raises `Fault`."""
    with translated(provider, client):
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                yield piece


def connected(response: httpx2.Response, origin: Origin) -> Connected:
    """What is known of the connection a response came by."""
    return Connected(origin, response.http_version, CONNECTED not in response.request.extensions)


async def _beginning(response: httpx2.Response, provider: Provider, client: AnyClient) -> bytes:
    body = b""
    async with aclosing(received(response, provider, client)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > _ERROR_BODY:
                break
    return body


async def _read_out(pieces: AsyncIterator[bytes]) -> None:
    """Read what follows an end marker, so that the connection can be used again.

    As a rule that is the end of the body, and there already. A server that has more to say, or takes its
    time, loses its connection instead.
    """
    with suppress(Fault, TimeoutError):
        async with asyncio.timeout(_LINGER):
            for _ in range(_LINGER_READS):
                if await anext(pieces, None) is None:
                    return
