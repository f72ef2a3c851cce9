"""OpenAI, and every server that speaks its APIs: Responses at OpenAI itself, Chat Completions elsewhere."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from debate_tui.domain.stream import Fault, FaultKind, Origin
from debate_tui.sources.background import POLL_INTERVAL, Background
from debate_tui.sources.continuation import continued
from debate_tui.sources.exchange import Wishes, exchange
from debate_tui.sources.llamacpp import PlacedChatDecoder, Replays, kept_under
from debate_tui.sources.outliving import Outliving
from debate_tui.sources.payloads.chat import ChatDecoder
from debate_tui.sources.payloads.models import conversational
from debate_tui.sources.payloads.responses import ResponsesDecoder
from debate_tui.sources.sdkfaults import translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from contextlib import AbstractAsyncContextManager

    from openai import AsyncOpenAI, Omit
    from openai.types.chat import ChatCompletionMessageParam
    from openai.types.responses import ResponseInputItemParam

    from debate_tui.domain.stream import Request, Resume, StreamItem
    from debate_tui.sources.exchange import Answer
    from debate_tui.sources.providers import Provider
    from debate_tui.sources.sdk import Client, SdkClients

    Stream = AbstractAsyncContextManager[AsyncIterator[StreamItem]]

MIN_OUTPUT_TOKENS = 16
"""The Responses API refuses less."""


class OpenAISource:
    """A model behind one of OpenAI's APIs; which one, and where, `provider` says.

    Without a `model` the provider's first one is used. With `background` a response of OpenAI's own goes on
    when the connection is lost, at the price of being stored there; `poll_interval`, in seconds, is how often
    one is asked after that can only be had whole. The clients of `sdk` are shared with other sources, and
    closed by whoever made them.
    """

    def __init__(
        self,
        model: str,
        *,
        provider: Provider,
        sdk: SdkClients,
        background: bool = False,
        poll_interval: float = POLL_INTERVAL,
    ) -> None:
        self._model = model
        self._provider = provider
        self._sdk = sdk
        self._background = background
        self._poll_interval = poll_interval
        self._refused: set[str] = set()
        self._outliving = Outliving()

    @property
    def model(self) -> str:
        """See `Source.model`."""
        return self._model or self._provider.title

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        client = await self._sdk.openai(self._provider)
        try:
            if not self._model:
                self._model = await self._first_model(client)
            async with self._ask(client, request, resume) as items:
                yield items
        except Fault as fault:
            if fault.kind is FaultKind.AUTH:
                self._sdk.forget(self._provider)
            raise

    async def aclose(self) -> None:
        """See `Source.aclose`: there is nothing that only this source holds."""

    def _ask(self, client: Client[AsyncOpenAI], request: Request, resume: Resume | None) -> Stream:
        cursor = resume.cursor if resume else None
        if self._provider.api == "responses":
            ask = partial(self._responses, client, request, resume)
            if not self._background:
                return ask()
            background = Background(self._provider, client, self._poll_interval)
            return self._outliving.open(background, cursor, ask)
        if not self._provider.replays:
            return self._chat(client, request, resume)
        name = uuid4().hex
        ask = partial(self._chat, client, request, resume, name)
        return self._outliving.open(Replays(self._provider, client), cursor, ask, name)

    def _responses(self, client: Client[AsyncOpenAI], request: Request, resume: Resume | None) -> Stream:
        wishes = Wishes(self._refused)
        # Refused by models that do not reason, and to organisations that are not verified.
        wishes.add("reasoning", value={"summary": "auto"})
        if request.max_output_tokens is not None:
            limit = max(request.max_output_tokens, MIN_OUTPUT_TOKENS)
            wishes.add("max_output_tokens", value=limit)

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[Answer]:
            from openai import omit

            return client.sdk.responses.with_streaming_response.create(
                model=self._model,
                input=cast("list[ResponseInputItemParam]", _messages(request, resume)),
                stream=True,
                background=self._background or omit,
                # Only what is stored can be asked for again.
                store=self._background,
                extra_body=body,
            )

        decoder = ResponsesDecoder()
        return exchange(self._provider, client, send, decoder, wishes=wishes, origin=_origin(resume))

    def _chat(
        self, client: Client[AsyncOpenAI], request: Request, resume: Resume | None, conversation: str = ""
    ) -> Stream:
        wishes = Wishes(self._refused)
        if self._provider.usage_option:
            wishes.add("stream_options", value={"include_usage": True})
        if request.max_output_tokens is not None:
            # The older name is the one nearly all servers know; OpenAI's own newer models refuse it.
            wishes.add("max_tokens", "max_completion_tokens", value=request.max_output_tokens)
        headers: dict[str, str | Omit] = {**_unsent(self._provider, client.key)}
        if conversation:
            headers |= kept_under(conversation)

        def send(body: dict[str, object]) -> AbstractAsyncContextManager[Answer]:
            return client.sdk.chat.completions.with_streaming_response.create(
                model=self._model,
                messages=cast("Iterable[ChatCompletionMessageParam]", _messages(request, resume)),
                stream=True,
                extra_body=body,
                extra_headers=headers,
            )

        asked = partial(exchange, self._provider, client, send, wishes=wishes, origin=_origin(resume))
        if not conversation:
            return asked(ChatDecoder())
        decoder = PlacedChatDecoder(conversation)
        return asked(decoder, events=decoder.events)

    async def _first_model(self, client: Client[AsyncOpenAI]) -> str:
        with translated(self._provider, client):
            answer = await client.sdk.models.with_raw_response.list(
                extra_headers=_unsent(self._provider, client.key)
            )
        found = next(iter(conversational(answer.content)), "")
        if not found:
            raise Fault(
                FaultKind.BAD_REQUEST,
                f"{self._provider.title} at {self._provider.host} lists no model.",
                hint=f"Load one, or name one: {self._provider.name}:MODEL",
            )
        return found


def _messages(request: Request, resume: Resume | None) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in continued(request, resume)]


def _origin(resume: Resume | None) -> Origin:
    return Origin.CONTINUATION if resume is not None and resume.text else Origin.START


def _unsent(provider: Provider, key: str) -> dict[str, str | Omit]:
    """Headers the SDK would send to any server, though they are meant for OpenAI's."""
    if provider.name == "openai":
        return {}
    from openai import omit

    custom = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    names = {"OpenAI-Organization", "OpenAI-Project", *(line.partition(":")[0].strip() for line in custom)}
    names.discard("")
    if key:
        names = {name for name in names if name.lower() != "authorization"}
    else:
        names.add("Authorization")
    return dict.fromkeys(names, omit)
