"""One request through an SDK, and what it sends back as stream items.

The SDKs' own reading of a stream would end normally at a cut, an HTML page or an empty body, and costs ten
times as much. So the body is read as bytes, and `eventstream` and `payloads` say what it amounts to.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from debate_tui.domain.stream import Connected, Fault, Finished, Message, StreamOrigin
from debate_tui.sources.http import decode_body, has_framed_end
from debate_tui.sources.http_errors import redact_fault, translate_sdk_errors, unexpected_response_fault
from debate_tui.sources.payloads import decode_stream
from debate_tui.sources.sdk import NEW_CONNECTION
from debate_tui.sources.sse_parser import parse_sse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Protocol

    import httpx2
    from httpx_sse import ServerSentEvent

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import KeepAlive, Resume, StreamItem, TurnRequest
    from debate_tui.sources.payloads import PayloadDecoder
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import AnySdkClient

    class RawResponse(Protocol):
        """What both SDKs make of a response whose body was not read."""

        http_response: httpx2.Response


class RefusedParams(set[str]):
    """The parameters a server has refused, by their names, as its source remembers them between requests."""

    def __init__(self) -> None:
        super().__init__()
        self.told_settings: set[str] = set()
        """What the user set in vain, as far as that was reported."""


class OptionalParam(NamedTuple):
    """A value that is sent under the first of `names` that was not refused; see `OptionalParams.add`."""

    names: tuple[str, ...]
    value: object
    setting: str


class OptionalParams:
    """Parameters of one request that not every server knows.

    Which one does cannot be told beforehand. One that is refused is not sent again.
    """

    def __init__(self, refused: RefusedParams) -> None:
        self._refused = refused
        self._params: list[OptionalParam] = []

    def add(self, *names: str, value: object, setting: str = "") -> None:
        """Send `value` under the first of `names` that was not refused.

        Names of nested fields are joined by dots: ``reasoning.effort``. `setting` is what the user calls it,
        empty for what the program itself would like.
        """
        self._params.append(OptionalParam(names, value, setting))

    def add_parameters(self, parameters: ModelParameters, provider: Provider) -> None:
        """Send what the user set, but for what an API wants in a place of its own."""
        if parameters.effort is not None:
            for name, value in provider.effort_params(parameters.effort):
                self.add(name, value=value, setting="effort")
        if parameters.temperature is not None:
            self.add("temperature", value=parameters.temperature, setting="temperature")
        if parameters.seed is not None:
            self.add("seed", value=parameters.seed, setting="seed")
        for name, value in parameters.extra_body.items():
            self.add(name, value=value, setting=f"extra_body.{name}")

    @property
    def body(self) -> dict[str, object]:
        """What is still to be sent, as fields of the request's body."""
        body: dict[str, object] = {}
        for param in self._params:
            if name := self._name(param):
                *parents, last = name.split(".")
                value = param.value
                for part in reversed((*parents, last)):
                    value = {part: value}
                _merge(body, cast("dict[str, object]", value))
        return body

    def drop_refused(self, fault: Fault) -> bool:
        """Whether `fault` refuses one of them; that one is not sent any more then.

        Of several that a message names the program's own go first: they are what the user's do not go with.
        """
        if fault.status not in _REFUSAL_STATUSES:
            return False
        sent = [name for param in sorted(self._params, key=_is_users) if (name := self._name(param))]
        found = [name for name in sent if _mentions(fault.message, name)][:1]
        found = found or [name for name in sent if _mentions(fault.message, name.partition(".")[0])]
        self._refused.update(found)
        return bool(found)

    def take_dropped_settings(self) -> tuple[str, ...]:
        """The settings that are not sent because they were refused, each once."""
        dropped = {param.setting: None for param in self._params if param.setting and not self._name(param)}
        untold = tuple(setting for setting in dropped if setting not in self._refused.told_settings)
        self._refused.told_settings.update(untold)
        return untold

    def _name(self, param: OptionalParam) -> str:
        return next((name for name in param.names if name not in self._refused), "")


def _is_users(param: OptionalParam) -> bool:
    return bool(param.setting)


def _mentions(message: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", message) is not None


def _merge(body: dict[str, object], more: dict[str, object]) -> None:
    for name, value in more.items():
        known = body.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            body[name] = dict(value) if isinstance(value, dict) else value


_REFUSAL_STATUSES = (400, 422)
_MAX_ERROR_BODY = 1 << 16
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
    parse_events: Callable[
        [AsyncIterator[bytes]], AsyncGenerator[ServerSentEvent | KeepAlive, None]
    ] = parse_sse,
) -> AsyncIterator[AsyncIterator[StreamItem]]:
    """Make one request, and give out what comes back as items, `Connected` first.

    `send` is given the wishes to put into the request's body; `parse_events` finds the events in the bytes.
    Entering waits for the response's head; entering and reading raise `Fault`; leaving closes the response.
    """
    finished = False

    async def items() -> AsyncGenerator[StreamItem, None]:
        nonlocal finished
        yield connected_item(response, origin, optional_params)
        try:
            async for item in decoded:
                finished = isinstance(item, Finished)
                yield item
        except Fault as fault:
            raise redact_fault(fault, client) from None

    async with AsyncExitStack() as stack:
        response = await open_event_stream(stack, provider, client, send, optional_params)
        pieces = await stack.enter_async_context(aclosing(read_bytes(response, provider, client)))
        found = await stack.enter_async_context(aclosing(parse_events(pieces)))
        decoded = await stack.enter_async_context(
            aclosing(decode_stream(found, decoder, lambda: has_framed_end(response)))
        )
        yield await stack.enter_async_context(aclosing(items()))
        if finished:
            await _drain(pieces)


async def open_event_stream(
    stack: AsyncExitStack,
    provider: Provider,
    client: AnySdkClient,
    send: Callable[[dict[str, object]], AbstractAsyncContextManager[RawResponse]],
    optional_params: OptionalParams | None = None,
) -> httpx2.Response:
    """The response to a request, its body not read yet: an event stream, or a `Fault`."""
    while True:
        try:
            with translate_sdk_errors(provider, client):
                raw_response = await stack.enter_async_context(
                    send(optional_params.body if optional_params else {})
                )
        except Fault as fault:
            # Not a retry: what is asked now is something else, and was never refused.
            if optional_params is None or not optional_params.drop_refused(fault):
                raise
            continue
        response = raw_response.http_response
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type == "text/event-stream":
            return response
        body = await _read_error_body(response, provider, client) if media_type == "application/json" else b""
        raise redact_fault(unexpected_response_fault(response, body, provider), client)


async def read_bytes(
    response: httpx2.Response, provider: Provider, client: AnySdkClient
) -> AsyncGenerator[bytes, None]:
    """The bytes of a response as they come in; raises `Fault`."""
    coding = response.headers.get("content-encoding", "")
    with translate_sdk_errors(provider, client):
        async with aclosing(decode_body(response.aiter_raw(), coding)) as pieces:
            async for piece in pieces:
                yield piece


def connected_item(
    response: httpx2.Response, origin: StreamOrigin, optional_params: OptionalParams | None = None
) -> Connected:
    """What is known of the connection a response came by."""
    return Connected(
        origin,
        response.http_version,
        NEW_CONNECTION not in response.request.extensions,
        optional_params.take_dropped_settings() if optional_params else (),
    )


async def _read_error_body(response: httpx2.Response, provider: Provider, client: AnySdkClient) -> bytes:
    body = b""
    async with aclosing(read_bytes(response, provider, client)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > _MAX_ERROR_BODY:
                break
    return body


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what follows an end marker, so that the connection can be used again.

    As a rule that is the end of the body, and there already. A server that has more to say, or takes its
    time, loses its connection instead.
    """
    with suppress(Fault, TimeoutError):
        async with asyncio.timeout(_DRAIN_TIMEOUT):
            for _ in range(_DRAIN_READS):
                if await anext(pieces, None) is None:
                    return


# How a model is asked to go on with an answer that was cut off on its way.


CONTINUATION_TAIL = 240
"""How many of the last characters are quoted: enough to be unmistakable."""

_CONTINUATION_PROMPT = """\
Your answer was cut off on its way to the reader. The last of it that arrived is:

<tail>{tail}</tail>

Continue exactly where it stopped: begin with the very next character, even inside a word or a sentence. \
Do not repeat anything, do not start again, and do not mention the interruption."""


def continuation_messages(
    request: TurnRequest, resume: Resume | None, system: str = ""
) -> tuple[Message, ...]:
    """The messages to send: the request's own, and if some of the answer is there already, that and the plea.

    `system` is added to the instructions. The partial answer is followed by a user message: several models
    refuse a conversation that ends with the assistant.
    """
    messages = _with_instructions(request.messages, system)
    if resume is None or not resume.text:
        return messages
    ask = _CONTINUATION_PROMPT.format(tail=resume.text[-CONTINUATION_TAIL:])
    return *messages, Message("assistant", resume.text), Message("user", ask)


def output_limit(request: TurnRequest, parameters: ModelParameters) -> int | None:
    """The longest answer that is wanted, in tokens: the lower of the request's limit and the user's."""
    limits = (request.max_output_tokens, parameters.max_output_tokens)
    return min((limit for limit in limits if limit is not None), default=None)


def _with_instructions(messages: tuple[Message, ...], system: str) -> tuple[Message, ...]:
    if not system:
        return messages
    if messages and messages[0].role == "system":
        return Message("system", f"{messages[0].content}\n\n{system}"), *messages[1:]
    return Message("system", system), *messages
