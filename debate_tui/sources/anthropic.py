"""Anthropic's Messages API."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.domain.stream import StreamOrigin
from debate_tui.sources.optional_params import OptionalParams, RefusedParams
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.providers import find_provider as named
from debate_tui.sources.sdk import omitted_headers
from debate_tui.sources.sdk_stream import (
    STREAM_HEADERS,
    continuation_messages,
    move_system_to_user,
    open_sdk_stream,
    open_with_fresh_key,
    output_limit,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from anthropic.types import MessageParam, TextBlockParam

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import Message, Resume, StreamItem, TurnRequest
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClients
    from debate_tui.sources.sdk_stream import RawResponse

DEFAULT_MAX_TOKENS = 16_384
"""`max_tokens` when the request sets no limit: the API requires one, and thinking counts too."""


_CACHE_CONTROL = "cache_control"


class AnthropicSource:
    """A Claude model. The clients in `sdk_clients` are shared and not closed by this source."""

    def __init__(
        self,
        model: str,
        *,
        sdk_clients: SdkClients,
        provider: Provider | None = None,
        parameters: ModelParameters = NO_PARAMETERS,
    ) -> None:
        self._provider = provider or named("anthropic")
        self._model = model or self._provider.model
        self._sdk_clients = sdk_clients
        self._parameters = parameters
        self._refused_params = RefusedParams()

    @property
    def model(self) -> str:
        """See `Source.model`."""
        return self._model

    def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        opening = partial(self._open, request, resume)
        return open_with_fresh_key(self._provider, self._sdk_clients, self._parameters, opening)

    @asynccontextmanager
    async def _open(
        self, request: TurnRequest, resume: Resume | None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        client = await self._sdk_clients.anthropic(self._provider)
        messages = continuation_messages(request, resume, self._parameters.system)
        optional_params = OptionalParams(self._refused_params)
        optional_params.add_feature(_CACHE_CONTROL)
        if self._parameters.temperature is None and self._parameters.effort != "none":
            # Models that can think do so anyway; this asks for a summary of it. They cannot think while a
            # temperature is set.
            optional_params.add("thinking", value={"type": "adaptive", "display": "summarized"})
        optional_params.add_parameters(self._parameters, self._provider)

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            from anthropic import omit

            sent = move_system_to_user(messages) if optional_params.system_in_user else messages
            return client.sdk.messages.with_streaming_response.create(
                model=self._model,
                max_tokens=output_limit(request, self._parameters) or DEFAULT_MAX_TOKENS,
                system=_system_blocks(sent, with_cache=optional_params.sends(_CACHE_CONTROL)) or omit,
                messages=cast(
                    "list[MessageParam]",
                    [{"role": m.role, "content": m.content} for m in sent if m.role != "system"],
                ),
                stream=True,
                extra_body=body,
                extra_headers={
                    **STREAM_HEADERS,
                    **omitted_headers(self._provider, client.key, omit),
                    **self._parameters.headers,
                },
            )

        origin = StreamOrigin.CONTINUATION if resume is not None and resume.text else StreamOrigin.START
        async with open_sdk_stream(
            self._provider, client, send, MessagesDecoder(), optional_params=optional_params, origin=origin
        ) as items:
            yield items

    async def aclose(self) -> None:
        """See `Source.aclose`: this source owns no resources."""


def _system_blocks(messages: tuple[Message, ...], *, with_cache: bool) -> list[TextBlockParam]:
    """Return the system prompt as blocks; `with_cache` marks it as a cached prefix shared by all turns."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    if not system:
        return []
    block: TextBlockParam = {"type": "text", "text": system}
    return [block | {"cache_control": {"type": "ephemeral"}} if with_cache else block]
