"""A provider's server and SDK clients for each test that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.sources.sdk import SdkClients
from tests.fakes.provider_server import ProviderServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as running:
        yield running


KEYS = {
    "ANTHROPIC_API_KEY": "sk-ant-api03-0123456789abcdef",
    "OPENAI_API_KEY": "sk-test-0123456789abcdef",
    "GROQ_API_KEY": "gsk_0123456789abcdef",
    "MISTRAL_API_KEY": "mistral-secret",
}


@pytest.fixture
async def sdk() -> AsyncIterator[SdkClients]:
    clients = SdkClients(environ=KEYS)
    yield clients
    await clients.aclose()
