"""One request through an SDK, and its response as stream items.

The SDKs' own stream readers end normally at a cut, an HTML page or an empty body, and are ten times slower.
So the body is read as bytes, which `sse_parser` and `payloads` decode.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import secret_values
from debate_tui.domain.stream import Connected, Fault, FaultKind, Finished, KeepAlive, Message, StreamOrigin
from debate_tui.sources.http import decode_body, has_framed_end, read_start
from debate_tui.sources.http_errors import redact_fault, translate_sdk_errors, unexpected_body_fault
from debate_tui.sources.payloads import decode_stream
from debate_tui.sources.payloads.body import identify_body, parse_json_body, prepend
from debate_tui.sources.sdk import NEW_CONNECTION
from debate_tui.sources.sse_parser import EVENT_LIMIT, parse_sse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from typing import Protocol

    import httpx2
    from httpx_sse import ServerSentEvent

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import Resume, StreamItem, TurnRequest
    from debate_tui.sources.optional_params import OptionalParams
    from debate_tui.sources.payloads import PayloadDecoder
    from debate_tui.sources.payloads.body import BodyKind
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import AnySdkClient, SdkClients

    EventParser = Callable[[AsyncIterator[bytes]], AsyncGenerator[ServerSentEvent | KeepAlive, None]]

    class RawResponse(Protocol):
        """The SDKs' wrapper of a response whose body has not been read."""

        http_response: httpx2.Response


@asynccontextmanager
async def open_with_fresh_key(
    provider: Provider,
    sdk_clients: SdkClients,
    parameters: ModelParameters,
    open_stream: Callable[[], AbstractAsyncContextManager[AsyncIterator[StreamItem]]],
) -> AsyncIterator[AsyncIterator[StreamItem]]:
    """Open a stream; if its key is rejected, look the key up again for the next request.

    A key printed by a command may have expired: the command is run again and the stream reopened once.
    Secrets in headers and body are redacted from any fault that passes through.
    """
    async with AsyncExitStack() as stack:
        try:
            try:
                items = await stack.enter_async_context(open_stream())
            except Fault as fault:
                if fault.status != 401 or not provider.key_command:
                    raise
                sdk_clients.discard_client(provider)
                items = await stack.enter_async_context(open_stream())
            yield items
        except Fault as fault:
            if fault.kind is FaultKind.AUTH:
                sdk_clients.discard_client(provider)
            fault.redact(*parameters.secrets, *secret_values(provider.headers))
            raise


STREAM_HEADERS: Mapping[str, str] = {"Cache-Control": "no-cache"}
"""Sent with every request for a stream, as Fetch does."""

_DRAIN_TIMEOUT = 0.1
_DRAIN_READS = 4


@asynccontextmanager
async def open_sdk_stream(
    provider: Provider,
    client: AnySdkClient,
    send: Callable[[dict[str, object]], AbstractAsyncContextManager[RawResponse]],
    decoder: PayloadDecoder,
    *,
    optional_params: OptionalParams | None = None,
    origin: StreamOrigin = StreamOrigin.START,
    parse_events: EventParser = parse_sse,
) -> AsyncIterator[AsyncIterator[StreamItem]]:
    """Make one request, and yield its response as items, starting with `Connected`.

    `send` gets the optional parameters for the request's body; `parse_events` splits the bytes into events.
    Entering waits for the response's headers; entering and iterating raise `Fault`; exiting closes the
    response.
    """
    async with AsyncExitStack() as stack:
        response = await open_event_stream(stack, provider, client, send, optional_params)
        pieces = await stack.enter_async_context(aclosing(read_bytes(response, provider, client)))
        body = _StreamBody(response, pieces, provider, client)
        await body.check_start()
        connected = connected_item(response, origin, optional_params)
        yield await stack.enter_async_context(
            aclosing(body.items(connected, decoder, parse_events, optional_params))
        )
        if body.finished:
            await _drain(pieces)


class _StreamBody:
    """A response body, identified by its first bytes, and its items; `finished` once all were read."""

    def __init__(
        self,
        response: httpx2.Response,
        pieces: AsyncGenerator[bytes],
        provider: Provider,
        client: AnySdkClient,
    ) -> None:
        self._response = response
        self._pieces = pieces
        self._provider = provider
        self._client = client
        content_type: str = response.headers.get("content-type", "")
        self._is_event_stream = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._head = b""
        self._kind: BodyKind | None = None
        self.finished = False

    async def check_start(self) -> None:
        """Raise a fault if a body not labelled as a stream starts with something other than an answer."""
        if self._is_event_stream:
            return  # the first bytes of a stream may take time
        self._head = await anext(self._pieces, b"")
        self._kind = identify_body(self._head, is_event_stream=False)
        if not self._head or self._kind in ("page", "text"):
            raise redact_fault(await self._unexpected_fault(), self._client)

    async def items(
        self,
        connected: Connected,
        decoder: PayloadDecoder,
        parse_events: EventParser,
        optional_params: OptionalParams | None,
    ) -> AsyncGenerator[StreamItem, None]:
        """Yield the items of the body; raise `Fault`."""
        yield connected
        try:
            while self._kind is None:
                if self._head:
                    yield KeepAlive()
                if not (piece := await anext(self._pieces, b"")):
                    break
                self._head += piece
                self._kind = identify_body(self._head, self._is_event_stream)
            if self._kind not in ("events", "json"):
                raise await self._unexpected_fault()
            parse = parse_events if self._kind == "events" else parse_json_body
            async with (
                aclosing(prepend(self._head, self._pieces)) as whole,
                aclosing(parse(whole)) as found,
                aclosing(decode_stream(found, decoder, lambda: has_framed_end(self._response))) as decoded,
            ):
                async for item in decoded:
                    self.finished = isinstance(item, Finished)
                    yield item
        except Fault as fault:
            raise _retry_without_refused(redact_fault(fault, self._client), optional_params) from None

    async def _unexpected_fault(self) -> Fault:
        self._head += await read_start(self._pieces)
        return unexpected_body_fault(self._response, self._head, self._kind, self._provider)


def _retry_without_refused(fault: Fault, optional_params: OptionalParams | None) -> Fault:
    """Make the fault retryable if it refuses a parameter: some servers do so in the stream, after a 200."""
    if optional_params is None or fault.text_seen or not optional_params.drop_refused(fault):
        return fault
    return Fault(FaultKind.SERVER, fault.message, status=fault.status)


async def open_event_stream(
    stack: AsyncExitStack,
    provider: Provider,
    client: AnySdkClient,
    send: Callable[[dict[str, object]], AbstractAsyncContextManager[RawResponse]],
    optional_params: OptionalParams | None = None,
) -> httpx2.Response:
    """Return a response with a success status and its body unread; raise `Fault`."""
    while True:
        try:
            with translate_sdk_errors(provider, client):
                raw_response = await stack.enter_async_context(
                    send(optional_params.body if optional_params else {})
                )
        except Fault as fault:
            # Not a retry: this request is a different one and has not been refused.
            if optional_params is None or not optional_params.drop_refused(fault):
                raise
            continue
        return raw_response.http_response


async def read_document(
    response: httpx2.Response, provider: Provider, client: AnySdkClient, limit: int = EVENT_LIMIT
) -> bytes:
    """Return the body of a response that is not a stream; raise `Fault`, also above `limit` bytes."""
    body = bytearray()
    async with aclosing(read_bytes(response, provider, client)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > limit:
                message = f"{provider.host} answered with more than {limit:,} bytes."
                raise Fault(FaultKind.BAD_REQUEST, message, status=response.status_code)
    return bytes(body)


async def read_bytes(
    response: httpx2.Response, provider: Provider, client: AnySdkClient
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a response as they arrive; raise `Fault`."""
    coding = response.headers.get("content-encoding", "")
    with translate_sdk_errors(provider, client):
        async with aclosing(decode_body(response.aiter_raw(), coding)) as pieces:
            async for piece in pieces:
                yield piece


def connected_item(
    response: httpx2.Response, origin: StreamOrigin, optional_params: OptionalParams | None = None
) -> Connected:
    """Return the facts about the connection that carries a response."""
    return Connected(
        origin,
        response.http_version,
        NEW_CONNECTION not in response.request.extensions,
        optional_params.take_dropped_settings() if optional_params else (),
    )


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what follows the end marker, so that the connection can be reused.

    Usually the body ends there and has been received. If the server sends more or is slow, the connection is
    closed instead.
    """
    with suppress(Fault, TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT):
            for _ in range(_DRAIN_READS):
                if await anext(pieces, None) is None:
                    return


# Prompts that ask a model to continue an interrupted answer.


CONTINUATION_TAIL = 240
"""Characters quoted from the end of the text: enough to identify the place."""

_CONTINUATION_PROMPT = """\
Your answer was cut off on its way to the reader. The last of it that arrived is:

<tail>{tail}</tail>

Continue exactly where it stopped: begin with the very next character, even inside a word or a sentence. \
Do not repeat anything, do not start again, and do not mention the interruption."""


def continuation_messages(
    request: TurnRequest, resume: Resume | None, system: str = ""
) -> tuple[Message, ...]:
    """Return the messages to send; with partial text, it and a request to continue are added.

    `system` is added to the instructions. The partial answer is followed by a user message because several
    models refuse a conversation that ends with the assistant.
    """
    messages = _with_instructions(request.messages, system)
    if resume is None or not resume.text:
        return messages
    ask = _CONTINUATION_PROMPT.format(tail=resume.text[-CONTINUATION_TAIL:])
    return *messages, Message("assistant", resume.text), Message("user", ask)


def move_system_to_user(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages with the system prompt moved to the start of the first user message."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    if not system:
        return messages
    if not others or others[0].role != "user":
        return Message("user", system), *others
    return Message("user", f"{system}\n\n{others[0].content}"), *others[1:]


def output_limit(request: TurnRequest, parameters: ModelParameters) -> int | None:
    """Return the output limit in tokens: the lower of the request's and the user's, or `None`."""
    limits = (request.max_output_tokens, parameters.max_output_tokens)
    return min((limit for limit in limits if limit is not None), default=None)


def _with_instructions(messages: tuple[Message, ...], system: str) -> tuple[Message, ...]:
    if not system:
        return messages
    if messages and messages[0].role == "system":
        return Message("system", f"{messages[0].content}\n\n{system}"), *messages[1:]
    return Message("system", system), *messages
