"""Anthropic's Messages API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.sources.optional_params import OptionalParams
from debate_tui.sources.payloads.messages import MessagesDecoder
from debate_tui.sources.providers import find_provider
from debate_tui.sources.sdk_stream import SdkSource, open_sdk_stream, stream_origin

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from anthropic import AsyncAnthropic
    from anthropic.types import MessageParam, TextBlockParam

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import Message, ResumePoint, TurnRequest
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClient, SdkClients
    from debate_tui.sources.sdk_stream import RawResponse, StreamContext

DEFAULT_MAX_TOKENS = 16_384
"""`max_tokens` when the request sets no limit: the API requires one, and thinking counts too."""


_CACHE_CONTROL = "cache_control"


class AnthropicSource(SdkSource):
    """A Claude model, or a model of another server with Anthropic's API."""

    def __init__(
        self,
        model: str,
        *,
        sdk_clients: SdkClients,
        provider: Provider | None = None,
        parameters: ModelParameters = NO_PARAMETERS,
    ) -> None:
        provider = provider or find_provider("anthropic")
        super().__init__(
            model or provider.model, provider=provider, sdk_clients=sdk_clients, parameters=parameters
        )

    async def request_stream(
        self, client: SdkClient[AsyncAnthropic], request: TurnRequest, resume: ResumePoint | None
    ) -> StreamContext:
        from anthropic import omit

        optional_params = OptionalParams(self._refused_params)
        optional_params.add_feature(_CACHE_CONTROL)
        if self._parameters.temperature is None and self._parameters.effort != "none":
            # Models that can think do so anyway; this asks for a summary of it. They cannot think while a
            # temperature is set.
            optional_params.add("thinking", value={"type": "adaptive", "display": "summarized"})
        optional_params.add_parameters(self._parameters, self._provider)

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            messages = self._messages(request, resume, optional_params)
            return client.sdk.messages.with_streaming_response.create(
                model=self._model,
                max_tokens=self._output_limit(request) or DEFAULT_MAX_TOKENS,
                system=_system_blocks(messages, with_cache=optional_params.sends(_CACHE_CONTROL)) or omit,
                messages=cast(
                    "list[MessageParam]",
                    [{"role": m.role, "content": m.content} for m in messages if m.role != "system"],
                ),
                stream=True,
                extra_body=body,
                extra_headers=self._headers(client, omit),
            )

        return open_sdk_stream(
            client, send, MessagesDecoder(), optional_params=optional_params, origin=stream_origin(resume)
        )


def _system_blocks(messages: tuple[Message, ...], *, with_cache: bool) -> list[TextBlockParam]:
    """Return the system prompt as blocks; `with_cache` marks it as a cached prefix shared by all turns."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    if not system:
        return []
    block: TextBlockParam = {"type": "text", "text": system}
    return [block | {"cache_control": {"type": "ephemeral"}} if with_cache else block]
