"""OpenAI and compatible servers: Responses at OpenAI itself, Chat Completions elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.discovery import parse_chat_models
from debate_tui.sources.http_errors import translate_errors
from debate_tui.sources.optional_params import OptionalParams
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.resumable import (
    POLL_INTERVAL,
    BackgroundResponses,
    ByteCountingParser,
    ByteCursorChatDecoder,
    LlamaCppStreams,
    ServerKeptResponses,
    conversation_headers,
)
from debate_tui.sources.sdk import omitted_headers
from debate_tui.sources.sdk_stream import SdkSource, open_sdk_stream, read_document, stream_origin

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from openai import AsyncOpenAI

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import ResumePoint, TurnRequest
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClient, SdkClients
    from debate_tui.sources.sdk_stream import RawResponse, StreamContext

MIN_OUTPUT_TOKENS = 16
"""Minimum that the Responses API accepts."""


_MAX_MODEL_LIST = 1 << 22


class OpenAISource(SdkSource):
    """A model that is reached through one of OpenAI's APIs; `provider` determines which API and where.

    Without a `model`, the first one the server lists is used. With `background`, a response at OpenAI
    continues after a lost connection, but is stored there; `poll_interval` is the number of seconds between
    polls for a response that can only be had complete.
    """

    def __init__(
        self,
        model: str,
        *,
        provider: Provider,
        sdk_clients: SdkClients,
        background: bool = False,
        poll_interval: float = POLL_INTERVAL,
        parameters: ModelParameters = NO_PARAMETERS,
    ) -> None:
        super().__init__(model, provider=provider, sdk_clients=sdk_clients, parameters=parameters)
        self._background = background
        self._poll_interval = poll_interval
        self._kept_responses = ServerKeptResponses()

    async def request_stream(
        self, client: SdkClient[AsyncOpenAI], request: TurnRequest, resume: ResumePoint | None
    ) -> StreamContext:
        self._model = self._model or await _first_model(client)
        cursor = resume.cursor if resume else None
        resume = resume.for_new_answer() if resume else None  # used if the cursor leads nowhere
        if self._provider.api == "responses":
            open_new = partial(self._open_responses, client, request, resume)
            if not self._background:
                return open_new()
            background = BackgroundResponses(client, self._poll_interval)
            return self._kept_responses.open(background, cursor, open_new)
        if not self._provider.replays:
            return self._open_chat(client, request, resume)
        stream_id = uuid4().hex
        open_new = partial(self._open_chat, client, request, resume, stream_id)
        return self._kept_responses.open(LlamaCppStreams(client), cursor, open_new, stream_id)

    def _open_responses(
        self, client: SdkClient[AsyncOpenAI], request: TurnRequest, resume: ResumePoint | None
    ) -> StreamContext:
        from openai import omit

        optional_params = OptionalParams(self._refused_params)
        # Refused by models that do not reason, and for organisations that are not verified.
        optional_params.add("reasoning.summary", value="auto")
        # Only stored responses can be retrieved. OpenAI stores by default, so `store` is always sent there,
        # whatever an error says; other servers may refuse a field they do not know.
        always_says = self._background or self._provider.name == "openai"
        if not always_says:
            optional_params.add("store", value=False)
        optional_params.add_parameters(self._parameters, self._provider)
        if limit := self._output_limit(request):
            limit = max(limit, MIN_OUTPUT_TOKENS)
            optional_params.add("max_output_tokens", value=limit, setting="max_output_tokens")

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            return client.sdk.responses.with_streaming_response.create(
                model=self._model,
                input=self._message_dicts(request, resume, optional_params),
                stream=True,
                background=self._background or omit,
                store=self._background if always_says else omit,
                extra_body=body,
                extra_headers=self._headers(client, omit),
            )

        return open_sdk_stream(
            client,
            send,
            ResponsesDecoder(),
            optional_params=optional_params,
            origin=stream_origin(resume),
        )

    def _open_chat(
        self,
        client: SdkClient[AsyncOpenAI],
        request: TurnRequest,
        resume: ResumePoint | None,
        conversation_id: str = "",
    ) -> StreamContext:
        from openai import omit

        optional_params = OptionalParams(self._refused_params)
        if self._provider.usage_option:
            optional_params.add("stream_options", value={"include_usage": True})
        optional_params.add_parameters(self._parameters, self._provider)
        if limit := self._output_limit(request):
            # Nearly all servers know the older name; OpenAI's own newer models refuse it.
            names = ("max_tokens", "max_completion_tokens")
            optional_params.add(*names, value=limit, setting="max_output_tokens")
        kept_headers = conversation_headers(conversation_id) if conversation_id else {}

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            return client.sdk.chat.completions.with_streaming_response.create(
                model=self._model,
                messages=self._message_dicts(request, resume, optional_params),
                stream=True,
                extra_body=body,
                extra_headers=self._headers(client, omit) | kept_headers,
            )

        parser = ByteCountingParser() if conversation_id else None
        return open_sdk_stream(
            client,
            send,
            ByteCursorChatDecoder(conversation_id, parser) if parser else ChatDecoder(),
            optional_params=optional_params,
            origin=stream_origin(resume),
            parser=parser,
        )

    def _message_dicts(
        self, request: TurnRequest, resume: ResumePoint | None, optional_params: OptionalParams
    ) -> Any:
        """Return the messages as the SDK's types for messages, which differ between the APIs."""
        messages = self._messages(request, resume, optional_params)
        return [{"role": message.role, "content": message.content} for message in messages]


async def _first_model(client: SdkClient[AsyncOpenAI]) -> str:
    from openai import omit

    with translate_errors(client.peer):
        listing = client.sdk.models.with_streaming_response.list(extra_headers=omitted_headers(client, omit))
        async with listing as answer:
            body = await read_document(answer.http_response, client, limit=_MAX_MODEL_LIST)
    found = next(iter(parse_chat_models(body)), "")
    if not found:
        provider = client.provider
        raise Fault(
            FaultKind.BAD_REQUEST,
            f"{provider.title} at {provider.host} lists no models.",
            hint=f"Load a model, or name one: {provider.name}:MODEL",
        )
    return found
