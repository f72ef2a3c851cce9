"""One request through an SDK, and its response as stream items.

The SDKs' own stream readers end normally at a cut, an HTML page or an empty body, and are ten times slower.
So the body is read as bytes, which `sse_parser` and `payloads` decode.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from debate_tui.domain import prompts
from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.domain.sanitise import secret_values
from debate_tui.domain.stream import Connected, Fault, FaultKind, KeepAlive, Message, StreamOrigin
from debate_tui.sources.http import decode_body, has_framed_end, read_start
from debate_tui.sources.http_errors import translate_errors, unexpected_body_fault
from debate_tui.sources.optional_params import OptionalParams, RefusedParams
from debate_tui.sources.payloads import decode_stream
from debate_tui.sources.payloads.body import identify_body, parse_json_body, prepend
from debate_tui.sources.sdk import NEW_CONNECTION, omitted_headers
from debate_tui.sources.sse_parser import EVENT_LIMIT, SseParser

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from typing import Protocol, TypeVar

    import httpx2

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import ResumePoint, StreamItem, TurnRequest
    from debate_tui.sources.payloads import PayloadEvent
    from debate_tui.sources.payloads.body import BodyKind
    from debate_tui.sources.payloads.json_decoder import JsonDecoder
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClient, SdkClients

    class RawResponse(Protocol):
        """The SDKs' wrapper of a response whose body has not been read."""

        @property
        def http_response(self) -> httpx2.Response: ...

    H = TypeVar("H")
    StreamContext = AbstractAsyncContextManager[AsyncIterator[StreamItem]]
    SendRequest = Callable[[dict[str, object]], AbstractAsyncContextManager[RawResponse]]

STREAM_HEADERS = {"Cache-Control": "no-cache"}
"""Sent with every request for a stream, as Fetch does."""

_DRAIN_TIMEOUT = 0.1
_DRAIN_READS = 4


class SdkSource(ABC):
    """A model that is reached through its provider's SDK; a subclass makes the requests of one API.

    `parameters` are the user's settings. The clients in `sdk_clients` are shared and not closed by this
    source.
    """

    def __init__(
        self,
        model: str,
        *,
        provider: Provider,
        sdk_clients: SdkClients,
        parameters: ModelParameters = NO_PARAMETERS,
    ) -> None:
        self._model = model
        self._provider = provider
        self._sdk_clients = sdk_clients
        self._parameters = parameters
        self._refused_params = RefusedParams()

    @property
    def model(self) -> str:
        return self._model or self._provider.title

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`.

        A key printed by a command may have expired: after a 401 the command is run again and the request
        repeated once. Secrets in headers and body are redacted from any fault that passes through.
        """
        try:
            async with AsyncExitStack() as stack:
                try:
                    items = await self._open(stack, request, resume)
                except Fault as fault:
                    if fault.status != 401 or not self._provider.key_command:
                        raise
                    self._sdk_clients.discard_client(self._provider)
                    items = await self._open(stack, request, resume)
                yield items
        except Fault as fault:
            if fault.kind is FaultKind.AUTH:
                self._sdk_clients.discard_client(self._provider)
            fault.redact(*self._parameters.secrets, *secret_values(self._provider.headers))
            raise

    @abstractmethod
    async def request_stream(
        self, client: SdkClient[Any], request: TurnRequest, resume: ResumePoint | None
    ) -> StreamContext:
        """Return the stream of an answer, which is requested when it is entered; raise `Fault`."""

    async def _open(
        self, stack: AsyncExitStack, request: TurnRequest, resume: ResumePoint | None
    ) -> AsyncIterator[StreamItem]:
        client = await self._sdk_clients.client(self._provider)
        return await stack.enter_async_context(await self.request_stream(client, request, resume))

    def _messages(
        self, request: TurnRequest, resume: ResumePoint | None, optional_params: OptionalParams
    ) -> tuple[Message, ...]:
        """Return the messages to send, without a system role if the server refuses it."""
        partial = resume.text if resume else ""
        messages = prompts.messages_to_send(request.messages, self._parameters.system, partial)
        return _move_system_to_user(messages) if optional_params.system_in_user else messages

    def _headers(self, client: SdkClient[object], omit: H) -> dict[str, str | H]:
        """Return the headers of a request for a stream; `omit` is the SDK's value for those not to send."""
        return {**STREAM_HEADERS, **omitted_headers(client, omit), **self._parameters.headers}

    def _output_limit(self, request: TurnRequest) -> int | None:
        """Return the output limit in tokens: the lower of the request's and the user's, or `None`."""
        limits = (request.max_output_tokens, self._parameters.max_output_tokens)
        return min((limit for limit in limits if limit is not None), default=None)


@asynccontextmanager
async def open_sdk_stream(
    client: SdkClient[object],
    send: SendRequest,
    decoder: JsonDecoder[Any],
    *,
    optional_params: OptionalParams | None = None,
    origin: StreamOrigin = StreamOrigin.START,
    parser: SseParser | None = None,
) -> AsyncIterator[AsyncIterator[StreamItem]]:
    """Make one request, and yield its response as items, starting with `Connected`.

    `send` gets the optional parameters for the request's body; `parser` splits the bytes into events.
    Entering waits for the response's headers; entering and iterating raise `Fault`; exiting closes the
    response.
    """
    try:
        async with AsyncExitStack() as stack:
            response = await _open_response(stack, client, send, optional_params)
            body = _StreamBody(response, client, parser or SseParser())
            await stack.enter_async_context(aclosing(body.pieces))
            await body.check_start()
            events = await stack.enter_async_context(aclosing(body.events()))
            connected = connected_item(response, origin, optional_params)
            items = decode_stream(events, decoder, lambda: has_framed_end(response), connected)
            yield await stack.enter_async_context(aclosing(items))
            if decoder.is_finished:
                await body.drain()
    except Fault as fault:
        fault.redact(client.peer.key)
        if optional_params and not fault.text_seen and optional_params.drop_refused(fault):
            fault.kind = FaultKind.SERVER  # a retry helps: some servers refuse parameters in the stream
        raise


async def _open_response(
    stack: AsyncExitStack,
    client: SdkClient[object],
    send: SendRequest,
    optional_params: OptionalParams | None,
) -> httpx2.Response:
    """Return a response with a success status and its body unread; raise `Fault`."""
    while True:
        try:
            with translate_errors(client.peer):
                raw = await stack.enter_async_context(send(optional_params.body if optional_params else {}))
        except Fault as fault:
            # Not a retry: this request is a different one and has not been refused.
            if optional_params is None or not optional_params.drop_refused(fault):
                raise
        else:
            return raw.http_response


class _StreamBody:
    """A response body, identified by its first bytes; `pieces` are its bytes after content decoding."""

    def __init__(self, response: httpx2.Response, client: SdkClient[object], parser: SseParser) -> None:
        self._response = response
        self._client = client
        self._parser = parser
        self.pieces = _decode_response(response)
        content_type: str = response.headers.get("content-type", "")
        self._is_event_stream = content_type.partition(";")[0].strip().lower() == "text/event-stream"
        self._head = b""
        self._kind: BodyKind | None = None

    async def check_start(self) -> None:
        """Raise a fault if a body not labelled as a stream starts with something other than an answer."""
        if self._is_event_stream:
            return  # the first bytes of a stream may take time
        with translate_errors(self._client.peer):
            self._head = await anext(self.pieces, b"")
        self._kind = identify_body(self._head, is_event_stream=False)
        if not self._head or self._kind in ("page", "text"):
            raise await self._unexpected_fault()

    async def events(self) -> AsyncGenerator[PayloadEvent | KeepAlive, None]:
        """Yield the events of the body, and signs of life between them; raise `Fault`."""
        with translate_errors(self._client.peer):
            while self._kind is None:
                if self._head:
                    yield KeepAlive()
                if not (piece := await anext(self.pieces, b"")):
                    break
                self._head += piece
                self._kind = identify_body(self._head, self._is_event_stream)
            if self._kind == "json":
                async with aclosing(parse_json_body(prepend(self._head, self.pieces))) as events:
                    async for event in events:
                        yield event
                return
            if self._kind != "events":
                raise await self._unexpected_fault()
            for event in self._parser.feed(self._head):
                yield event
            async for piece in self.pieces:
                for event in self._parser.feed(piece):
                    yield event
            if unfinished := self._parser.finish():
                yield unfinished

    async def drain(self) -> None:
        """Read what follows the end marker, so that the connection can be reused.

        Usually the body ends there and has been received. If the server sends more or is slow, the connection
        is closed instead.
        """
        with suppress(Fault, TimeoutError), translate_errors(self._client.peer):
            async with asyncio.timeout(_DRAIN_TIMEOUT):
                for _ in range(_DRAIN_READS):
                    if await anext(self.pieces, None) is None:
                        return

    async def _unexpected_fault(self) -> Fault:
        self._head += await read_start(self.pieces, self._client.peer.client_library.HTTPError)
        return unexpected_body_fault(self._response, self._head, self._kind, self._client.provider)


async def read_document(
    response: httpx2.Response, client: SdkClient[object], limit: int = EVENT_LIMIT
) -> bytes:
    """Return the body of a response that is not a stream; raise `Fault`, also above `limit` bytes."""
    body = bytearray()
    with translate_errors(client.peer):
        async with aclosing(_decode_response(response)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > limit:
                    message = f"{client.provider.host} answered with more than {limit:,} bytes."
                    raise Fault(FaultKind.BAD_REQUEST, message, status=response.status_code)
    return bytes(body)


def _decode_response(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    return decode_body(response.aiter_raw(), response.headers.get("content-encoding", ""))


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


def stream_origin(resume: ResumePoint | None) -> StreamOrigin:
    """Return where the text of a new answer starts, given what is known of the interrupted one."""
    return StreamOrigin.CONTINUATION if resume is not None and resume.text else StreamOrigin.START


def _move_system_to_user(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages with the system prompt moved to the start of the first user message."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    if not system:
        return messages
    if not others or others[0].role != "user":
        return Message("user", system), *others
    return Message("user", f"{system}\n\n{others[0].content}"), *others[1:]
