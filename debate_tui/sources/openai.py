"""OpenAI and compatible servers: Responses at OpenAI itself, Chat Completions elsewhere."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.domain.stream import Fault, FaultKind, StreamOrigin
from debate_tui.sources.discovery import parse_chat_models
from debate_tui.sources.http_errors import translate_sdk_errors
from debate_tui.sources.optional_params import OptionalParams, RefusedParams
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.resumable import (
    POLL_INTERVAL,
    BackgroundResponses,
    ByteCursorChatDecoder,
    LlamaCppStreams,
    ServerKeptResponses,
    conversation_headers,
)
from debate_tui.sources.sdk import omitted_headers
from debate_tui.sources.sdk_stream import (
    STREAM_HEADERS,
    continuation_messages,
    move_system_to_user,
    open_sdk_stream,
    open_with_fresh_key,
    output_limit,
    read_document,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from openai import AsyncOpenAI, Omit
    from openai.types.chat import ChatCompletionMessageParam
    from openai.types.responses import ResponseInputItemParam

    from debate_tui.domain.debate import ModelParameters
    from debate_tui.domain.stream import Resume, StreamItem, TurnRequest
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import SdkClient, SdkClients
    from debate_tui.sources.sdk_stream import RawResponse

    StreamContext = AbstractAsyncContextManager[AsyncIterator[StreamItem]]

MIN_OUTPUT_TOKENS = 16
"""Minimum that the Responses API accepts."""


_MAX_MODEL_LIST = 1 << 22


class OpenAISource:
    """A model that is reached through one of OpenAI's APIs; `provider` determines which API and where.

    Without a `model`, the first one the server lists is used. With `background`, a response at OpenAI
    continues after a lost connection, but is stored there; `poll_interval` is the number of seconds between
    polls for a response that can only be had complete. `parameters` are the user's settings. The clients in
    `sdk_clients` are shared and not closed by this source.
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
        self._model = model
        self._provider = provider
        self._sdk_clients = sdk_clients
        self._background = background
        self._poll_interval = poll_interval
        self._parameters = parameters
        self._refused_params = RefusedParams()
        self._kept_responses = ServerKeptResponses()

    @property
    def model(self) -> str:
        """See `Source.model`."""
        return self._model or self._provider.title

    def open(self, request: TurnRequest, resume: Resume | None = None) -> StreamContext:
        """See `Source.open`."""
        opening = partial(self._open, request, resume)
        return open_with_fresh_key(self._provider, self._sdk_clients, self._parameters, opening)

    @asynccontextmanager
    async def _open(
        self, request: TurnRequest, resume: Resume | None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        client = await self._sdk_clients.openai(self._provider)
        if not self._model:
            self._model = await self._first_model(client)
        async with self._open_stream(client, request, resume) as items:
            yield items

    async def aclose(self) -> None:
        """See `Source.aclose`: this source owns no resources."""

    def _open_stream(
        self, client: SdkClient[AsyncOpenAI], request: TurnRequest, resume: Resume | None
    ) -> StreamContext:
        cursor = resume.cursor if resume else None
        resume = resume.for_new_answer() if resume else None  # used if the cursor leads nowhere
        if self._provider.api == "responses":
            open_new = partial(self._open_responses, client, request, resume)
            if not self._background:
                return open_new()
            background = BackgroundResponses(self._provider, client, self._poll_interval)
            return self._kept_responses.open(background, cursor, open_new)
        if not self._provider.replays:
            return self._open_chat(client, request, resume)
        stream_id = uuid4().hex
        open_new = partial(self._open_chat, client, request, resume, stream_id)
        return self._kept_responses.open(LlamaCppStreams(self._provider, client), cursor, open_new, stream_id)

    def _open_responses(
        self, client: SdkClient[AsyncOpenAI], request: TurnRequest, resume: Resume | None
    ) -> StreamContext:
        optional_params = OptionalParams(self._refused_params)
        # Refused by models that do not reason, and for organisations that are not verified.
        optional_params.add("reasoning.summary", value="auto")
        # Only stored responses can be retrieved. OpenAI stores by default, so `store` is always sent there,
        # whatever an error says; other servers may refuse a field they do not know.
        always_says = self._background or self._provider.name == "openai"
        if not always_says:
            optional_params.add("store", value=False)
        optional_params.add_parameters(self._parameters, self._provider)
        if limit := output_limit(request, self._parameters):
            limit = max(limit, MIN_OUTPUT_TOKENS)
            optional_params.add("max_output_tokens", value=limit, setting="max_output_tokens")

        headers = self._stream_headers(client)

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            from openai import omit

            return client.sdk.responses.with_streaming_response.create(
                model=self._model,
                input=cast(
                    "list[ResponseInputItemParam]", self._message_dicts(request, resume, optional_params)
                ),
                stream=True,
                background=self._background or omit,
                store=self._background if always_says else omit,
                extra_body=body,
                extra_headers=headers,
            )

        decoder = ResponsesDecoder()
        return open_sdk_stream(
            self._provider,
            client,
            send,
            decoder,
            optional_params=optional_params,
            origin=_stream_origin(resume),
        )

    def _open_chat(
        self,
        client: SdkClient[AsyncOpenAI],
        request: TurnRequest,
        resume: Resume | None,
        conversation_id: str = "",
    ) -> StreamContext:
        optional_params = OptionalParams(self._refused_params)
        if self._provider.usage_option:
            optional_params.add("stream_options", value={"include_usage": True})
        optional_params.add_parameters(self._parameters, self._provider)
        if limit := output_limit(request, self._parameters):
            # Nearly all servers know the older name; OpenAI's own newer models refuse it.
            names = ("max_tokens", "max_completion_tokens")
            optional_params.add(*names, value=limit, setting="max_output_tokens")
        headers = self._stream_headers(client)
        if conversation_id:
            headers |= conversation_headers(conversation_id)

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[RawResponse]:
            return client.sdk.chat.completions.with_streaming_response.create(
                model=self._model,
                messages=cast(
                    "Iterable[ChatCompletionMessageParam]",
                    self._message_dicts(request, resume, optional_params),
                ),
                stream=True,
                extra_body=body,
                extra_headers=headers,
            )

        open_chat_stream = partial(
            open_sdk_stream,
            self._provider,
            client,
            send,
            optional_params=optional_params,
            origin=_stream_origin(resume),
        )
        if not conversation_id:
            return open_chat_stream(ChatDecoder())
        decoder = ByteCursorChatDecoder(conversation_id)
        return open_chat_stream(decoder, parse_events=decoder.parse_events)

    def _message_dicts(
        self, request: TurnRequest, resume: Resume | None, optional_params: OptionalParams
    ) -> list[dict[str, str]]:
        messages = continuation_messages(request, resume, self._parameters.system)
        if optional_params.system_in_user:
            messages = move_system_to_user(messages)
        return [{"role": message.role, "content": message.content} for message in messages]

    def _stream_headers(self, client: SdkClient[AsyncOpenAI]) -> dict[str, str | Omit]:
        omitted = self._omitted_headers(client)
        return {**STREAM_HEADERS, **omitted, **self._parameters.headers}

    def _omitted_headers(self, client: SdkClient[AsyncOpenAI]) -> dict[str, Omit]:
        from openai import omit

        return omitted_headers(self._provider, client.key, omit)

    async def _first_model(self, client: SdkClient[AsyncOpenAI]) -> str:
        with translate_sdk_errors(self._provider, client):
            listing = client.sdk.models.with_streaming_response.list(
                extra_headers=self._omitted_headers(client)
            )
            async with listing as answer:
                body = await read_document(
                    answer.http_response, self._provider, client, limit=_MAX_MODEL_LIST
                )
        found = next(iter(parse_chat_models(body)), "")
        if not found:
            raise Fault(
                FaultKind.BAD_REQUEST,
                f"{self._provider.title} at {self._provider.host} lists no model.",
                hint=f"Load one, or name one: {self._provider.name}:MODEL",
            )
        return found


def _stream_origin(resume: Resume | None) -> StreamOrigin:
    return StreamOrigin.CONTINUATION if resume is not None and resume.text else StreamOrigin.START
