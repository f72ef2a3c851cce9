"""What is used when nobody says which models to use."""

from __future__ import annotations

import asyncio
import json

from debate_tui.sources.discovery import at_hand, of_a_server
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
        assert await asyncio.to_thread(of_a_server, environ) == ()


async def test_keys_go_before_local_servers() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("llama3.2"))
        environ = {**SILENT, "OLLAMA_BASE_URL": server.base, "OPENAI_API_KEY": "k"}
        found = await asyncio.to_thread(at_hand, environ)
        assert server.requests == []
    assert all(source.startswith("openai:") for source in found)


async def test_a_server_that_openai_was_moved_to_lends_its_models_and_is_shown_its_key() -> None:
    async with ProviderServer() as server, ProviderServer() as local:
        server.script(MODELS, listing("qwen3", "llama3.2"))
        local.script(MODELS, listing("other"))
        environ = {**SILENT, "OPENAI_BASE_URL": server.base, "OLLAMA_BASE_URL": local.base}
        assert await asyncio.to_thread(at_hand, environ) == ("openai:qwen3", "openai:llama3.2")
        assert "authorization" not in server.requests[0].headers
        await asyncio.to_thread(at_hand, {**environ, "OPENAI_API_KEY": "sk-test"})
        assert server.requests[1].headers["authorization"] == "Bearer sk-test"
        assert not any("authorization" in each.headers for each in local.requests)


async def test_the_usual_model_goes_first_where_a_server_has_it() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("a", "gpt-5.6-terra"))
        found = await asyncio.to_thread(at_hand, {**SILENT, "OPENAI_BASE_URL": server.base})
    assert found == ("openai:gpt-5.6-terra", "openai:a")


def test_an_address_that_is_none_and_a_key_that_is_none_disturb_nothing() -> None:
    for address, key in (("http://127.0.0.1:port/v1", "k"), ("ftp://x", "k"), (NOWHERE, "k\nx")):
        assert at_hand({**SILENT, "OPENAI_BASE_URL": address, "OPENAI_API_KEY": key}) == ()
