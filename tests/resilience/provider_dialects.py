"""The providers' APIs: where each is requested, how it answers, and the source that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from tests.fakes.provider_server import (
    CHAT,
    MESSAGES,
    RESPONSES,
    ProviderServer,
    chat_events,
    messages_events,
    responses_events,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.stream import Source
    from debate_tui.sources.sdk import SdkClients


KEYS = {"OPENAI_API_KEY": "sk-test-0123456789abcdef", "ANTHROPIC_API_KEY": "sk-ant-0123456789abcdef"}


class Dialect:
    """A provider's API: where it is asked, how it answers, and the source that speaks it."""

    def __init__(
        self,
        path: str,
        events: Callable[..., list[bytes]],
        make: Callable[[ProviderServer, SdkClients], Source],
    ) -> None:
        self.path = path
        self.events = events
        self.make = make


def make_chat(server: ProviderServer, sdk: SdkClients) -> Source:
    return OpenAISource(
        "m", provider=replace(find_provider("openai", {}), base_url=server.base, api="chat"), sdk_clients=sdk
    )


def make_responses(server: ProviderServer, sdk: SdkClients) -> Source:
    return OpenAISource(
        "m", provider=replace(find_provider("openai", {}), base_url=server.base), sdk_clients=sdk
    )


def make_background(server: ProviderServer, sdk: SdkClients) -> Source:
    at = replace(find_provider("openai", {}), base_url=server.base)
    return OpenAISource("m", provider=at, sdk_clients=sdk, background=True, poll_interval=0)


def make_llama(server: ProviderServer, sdk: SdkClients) -> Source:
    return OpenAISource(
        "m", provider=replace(find_provider("llamacpp", {}), base_url=server.base), sdk_clients=sdk
    )


def make_messages(server: ProviderServer, sdk: SdkClients) -> Source:
    return AnthropicSource(
        "m", provider=replace(find_provider("anthropic", {}), base_url=server.url), sdk_clients=sdk
    )


CHAT_API = Dialect(CHAT, chat_events, make_chat)


RESPONSES_API = Dialect(RESPONSES, responses_events, make_responses)


MESSAGES_API = Dialect(MESSAGES, messages_events, make_messages)


DIALECTS = [
    pytest.param(CHAT_API, id="chat"),
    pytest.param(RESPONSES_API, id="responses"),
    pytest.param(MESSAGES_API, id="messages"),
]
