"""What is used when nobody says which models to use."""

from __future__ import annotations

import asyncio
import json

from debate_tui.sources.discovery import at_hand, on_this_machine
from tests.fakes.provider_server import MODELS, ProviderServer, Reply

NOWHERE = "http://127.0.0.1:9/v1"
SILENT = {f"{name}_BASE_URL": NOWHERE for name in ("OLLAMA", "LMSTUDIO", "LLAMACPP")}


def listing(*models: str) -> Reply:
    body = json.dumps({"object": "list", "data": [{"id": model} for model in models]})
    return Reply(body.encode(), content_type="application/json")


def test_nothing_is_found_where_nothing_is() -> None:
    assert at_hand(SILENT) == ()


def test_one_key_gives_two_debaters() -> None:
    found = at_hand({**SILENT, "ANTHROPIC_API_KEY": "k"})
    assert len(found) == 2
    assert len(set(found)) == 1
    assert found[0].startswith("anthropic:claude")


def test_several_keys_give_one_debater_each_and_four_at_most() -> None:
    keys = {f"{name}_API_KEY": "k" for name in ("OPENAI", "ANTHROPIC", "GROQ", "XAI", "MISTRAL")}
    found = at_hand({**SILENT, **keys})
    assert len(found) == 4
    assert {source.partition(":")[0] for source in found} <= {"openai", "anthropic", "groq", "xai", "mistral"}
    assert [source.partition(":")[0] for source in found][:2] == ["openai", "anthropic"]


async def test_a_local_server_lends_its_models_but_not_for_embedding() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("nomic-embed-text", "qwen3:4b", "llama3.2"))
        environ = {**SILENT, "OLLAMA_BASE_URL": server.base}
        found = await asyncio.to_thread(at_hand, environ)
    assert found == ("ollama:qwen3:4b", "ollama:llama3.2")


async def test_a_server_without_models_or_sense_is_passed_over() -> None:
    async with ProviderServer() as server, ProviderServer() as confused:
        server.script(MODELS, listing())
        confused.script(MODELS, Reply(b"<html>", content_type="text/html"))
        environ = {**SILENT, "OLLAMA_BASE_URL": server.base, "LMSTUDIO_BASE_URL": confused.base}
        assert await asyncio.to_thread(on_this_machine, environ) == ()


async def test_keys_go_before_local_servers() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("llama3.2"))
        environ = {**SILENT, "OLLAMA_BASE_URL": server.base, "OPENAI_API_KEY": "k"}
        found = await asyncio.to_thread(at_hand, environ)
        assert server.requests == []
    assert all(source.startswith("openai:") for source in found)
