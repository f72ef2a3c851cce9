"""One request through an SDK, and what it sends back as stream items.

The SDKs' own reading of a stream would end normally at a cut, an HTML page or an empty body, and costs ten
times as much. So the body is read as bytes, and `eventstream` and `payloads` say what it amounts to.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from debate_tui.domain.debate import secret_values
from debate_tui.domain.stream import Connected, Fault, FaultKind, Finished, KeepAlive, Message, StreamOrigin
from debate_tui.sources.credentials import redact_keys
from debate_tui.sources.http import decode_body, has_framed_end, read_start
from debate_tui.sources.http_errors import redact_fault, translate_sdk_errors, unexpected_body_fault
from debate_tui.sources.payloads import decode_stream
from debate_tui.sources.payloads.body import identify_body, parse_json_body, prepend
from debate_tui.sources.payloads.errors import ReportedFault
from debate_tui.sources.sdk import NEW_CONNECTION
from debate_tui.sources.sse_parser import EVENT_LIMIT, parse_sse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Protocol

    import httpx2
    from httpx_sse import ServerSentEvent

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import Resume, StreamItem, TurnRequest
    from debate_tui.sources.payloads import PayloadDecoder
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import AnySdkClient, SdkClients

    class RawResponse(Protocol):
        """What both SDKs make of a response whose body was not read."""

        http_response: httpx2.Response


@asynccontextmanager
async def open_with_fresh_key(
    provider: Provider,
    sdk_clients: SdkClients,
    parameters: ModelParameters,
    open_stream: Callable[[], AbstractAsyncContextManager[AsyncIterator[StreamItem]]],
) -> AsyncIterator[AsyncIterator[StreamItem]]:
    """Open a stream; where its key is refused, have it looked up again for the next request.

    What a command printed may have run out: it is asked again, and the stream opened once more. No fault
    that passes through here tells a secret of the headers or the body.
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
            fault.message = redact_keys(fault.message, *parameters.secrets, *secret_values(provider.headers))
            fault.args = (fault.message,)
            raise


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
        self._features: list[str] = []

    def add(self, *names: str, value: object, setting: str = "") -> None:
        """Send `value` under the first of `names` that was not refused.

        Names of nested fields are joined by dots: ``reasoning.effort``. `setting` is what the user calls it,
        empty for what the program itself would like.
        """
        self._params.append(OptionalParam(names, value, setting))

    def add_feature(self, name: str) -> None:
        """Note that the request has a field of this name elsewhere, as long as `sends` says so."""
        self._features.append(name)

    def sends(self, feature: str) -> bool:
        """Whether a feature was not refused."""
        return feature not in self._refused

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

    @property
    def system_in_user(self) -> bool:
        """Whether the instructions go to the head of the user message, as the system role was refused."""
        return not self.sends(_SYSTEM_ROLE)

    def drop_refused(self, fault: Fault) -> bool:
        """Whether `fault` refuses one of them, or the system role; that is not sent any more then.

        Of several that a message names the program's own go first: they are what the user's do not go with.
        """
        if fault.kind not in _REFUSAL_KINDS or fault.status not in _REFUSAL_STATUSES:
            return False
        parameters = fault.parameters if isinstance(fault, ReportedFault) else ()
        report = _LINK.sub("", fault.report if isinstance(fault, ReportedFault) else fault.message)
        found = next((names for place in parameters if (names := self._find_mentioned(place))), [])
        if not found and (fault.status in (400, 422) or _REFUSAL_WORDING.search(report)):
            found = self._find_mentioned(report)
        if not found and not self.system_in_user and _refuses_system_role(parameters, report):
            found = [_SYSTEM_ROLE]
        self._refused.update(found)
        return bool(found)

    def _find_mentioned(self, text: str) -> list[str]:
        """The names of what is sent and named in `text`; all fields of a parameter that is named itself."""
        sent = [name for name in self._features if self.sends(name)]
        sent += [name for param in sorted(self._params, key=_is_users) if (name := self._name(param))]
        found = [name for name in sent if _mentions(text, name)][:1]
        return found or [name for name in sent if _mentions(text, name.partition(".")[0])]

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


def _mentions(text: str, name: str) -> bool:
    """Whether `text` names a parameter: as it is, in camel case, or in words."""
    spelling = "[ _-]?".join(map(re.escape, name.split("_")))
    return re.search(rf"(?<![\w-]){spelling}(?![\w-])", text, re.IGNORECASE) is not None


def _refuses_system_role(parameters: Sequence[str], report: str) -> bool:
    if _ROLES_WORDING.search(report):
        return True
    refused = _REFUSAL_WORDING.search(report)
    return bool(refused and _SYSTEM_WORDING.search("\n".join((*parameters, report))))


def _merge(body: dict[str, object], more: dict[str, object]) -> None:
    for name, value in more.items():
        known = body.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        else:
            body[name] = dict(value) if isinstance(value, dict) else value


STREAM_HEADERS: Mapping[str, str] = {"Cache-Control": "no-cache"}
"""What is sent where a stream is asked for, as Fetch does."""

_SYSTEM_ROLE = "the system role"
"""What stands for it among the refused parameters; not a name a parameter can have."""
_REFUSAL_STATUSES = (None, 400, 404, 422, 500, 501)
"""Chat templates fail as 500, and OpenRouter finds no provider (404) that knows a parameter."""
_REFUSAL_KINDS = (FaultKind.BAD_REQUEST, FaultKind.SERVER, FaultKind.UNKNOWN)
_REFUSAL_WORDING = re.compile(
    r"support|recogni[sz]ed|unknown|unexpected|permitted|allowed|invalid|extra|verif(?:y|ied)|deprecated|\bonly\b"
    r"|\bmust\b|should be|too (?:large|high|big)|exceed|cannot|can't"
    r"|not (?:a valid|available|enabled|accepted|valid|one of)",
    re.IGNORECASE,
)
_SYSTEM_WORDING = re.compile(
    r"\b(?:system|developer)\b['\"`]?[ _-](?:role|message|prompt|instruction|turn)s?\b"
    r"|\broles?\b[^.\n]{0,40}\b(?:system|developer)\b|['\"`](?:system|developer)['\"`]"
    r"|messages[.[]\d+\]?\.role|^system(?=:|$)",
    re.IGNORECASE | re.MULTILINE,
)
_ROLES_WORDING = re.compile(
    r"roles must alternate|only user and assistant|first message must be (?:a |from )?(?:the )?user"
    r"|without (?:a )?system (?:message|prompt)",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://\S{1,300}")
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
        is_event_stream = _media_type(response) == "text/event-stream"
        try:
            head, kind = b"", None
            async for piece in pieces:
                head += piece
                if kind := identify_body(head, is_event_stream):
                    break
                yield KeepAlive()
            if kind not in ("events", "json"):
                head += await read_start(pieces)
                raise unexpected_body_fault(response, head, kind, provider)
            parse = parse_events if kind == "events" else parse_json_body
            async with (
                aclosing(parse(prepend(head, pieces))) as found,
                aclosing(decode_stream(found, decoder, lambda: has_framed_end(response))) as decoded,
            ):
                async for item in decoded:
                    finished = isinstance(item, Finished)
                    yield item
        except Fault as fault:
            raise _retry_without_refused(redact_fault(fault, client), optional_params) from None

    async with AsyncExitStack() as stack:
        response = await open_event_stream(stack, provider, client, send, optional_params)
        pieces = await stack.enter_async_context(aclosing(read_bytes(response, provider, client)))
        yield await stack.enter_async_context(aclosing(items()))
        if finished:
            await _drain(pieces)


def _media_type(response: httpx2.Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _retry_without_refused(fault: Fault, optional_params: OptionalParams | None) -> Fault:
    """The fault, retried if it refuses a parameter: some servers do so in the stream, after a good status."""
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
    """The response to a request, with a good status and its body not read yet; raises `Fault`."""
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
        return raw_response.http_response


async def read_document(
    response: httpx2.Response, provider: Provider, client: AnySdkClient, limit: int = EVENT_LIMIT
) -> bytes:
    """The whole body of a response that is not a stream; raises `Fault`, also for more than `limit` bytes."""
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


def move_system_to_user(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages without a system role: its text comes at the head of the first user message."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    if not system:
        return messages
    if not others or others[0].role != "user":
        return Message("user", system), *others
    return Message("user", f"{system}\n\n{others[0].content}"), *others[1:]


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
