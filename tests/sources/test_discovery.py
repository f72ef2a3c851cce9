"""What is used when nobody says which models to use."""

from __future__ import annotations

import asyncio
import json

import pytest

from debate_tui.sources.discovery import discover_sources, parse_chat_models
from tests.fakes.provider_server import (
    MODELS,
    NO_LOCAL_SERVERS,
    NOWHERE,
    ProviderReply,
    ProviderServer,
    listing,
)


def test_without_keys_or_servers_nothing_is_found() -> None:
    assert discover_sources(NO_LOCAL_SERVERS) == ()


def test_one_key_gives_two_debaters() -> None:
    found = discover_sources({**NO_LOCAL_SERVERS, "ANTHROPIC_API_KEY": "k"})
    assert len(found) == 2
    assert len(set(found)) == 1
    assert found[0].startswith("anthropic:claude")


def test_several_keys_give_one_debater_each_up_to_the_number_asked_for() -> None:
    keys = {f"{name}_API_KEY": "k" for name in ("OPENAI", "ANTHROPIC", "GROQ", "XAI", "MISTRAL")}
    environ = {**NO_LOCAL_SERVERS, **keys}
    assert [source.partition(":")[0] for source in discover_sources(environ)] == ["openai", "anthropic"]
    four = [source.partition(":")[0] for source in discover_sources(environ, count=4)]
    assert len({*four}) == 4
    assert {*four} <= {"openai", "anthropic", "groq", "xai", "mistral"}


def test_fewer_keys_than_debaters_speak_more_than_once() -> None:
    keys = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
    found = discover_sources({**NO_LOCAL_SERVERS, **keys}, count=4)
    assert [source.partition(":")[0] for source in found] == ["openai", "anthropic"] * 2


async def test_a_local_server_lends_its_models_but_not_for_embedding() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("nomic-embed-text", "qwen3:4b", "llama3.2"))
        environ = {**NO_LOCAL_SERVERS, "OLLAMA_BASE_URL": server.base}
        found = await asyncio.to_thread(discover_sources, environ)
    assert found == ("ollama:qwen3:4b", "ollama:llama3.2")


OTHER_MODELS = """
text-embedding-3-large nomic-embed-text bge-m3 gte-large intfloat/e5-mistral all-minilm
rerank-v3.5 dall-e-3 gpt-image-1 google/gemini-3-flash-image imagen-4 stable-diffusion-3
flux-1.1-pro sora-2 veo-3 whisper-1 tts-1 gpt-4o-mini-tts gpt-audio gpt-4o-transcribe
gpt-realtime omni-moderation-latest llama-guard-4
"""


@pytest.mark.parametrize("name", OTHER_MODELS.split())
def test_models_that_hold_no_conversation_are_skipped(name: str) -> None:
    assert parse_chat_models(json.dumps({"data": [{"id": name}, {"id": "m"}]}).encode()) == ("m",)


CHAT_MODELS = """
gpt-5.6-terra claude-sonnet-5-5 qwen3:4b llama3.2 openai/gpt-oss-120b llava:13b phi-4
gemma-3n-e5b qwen2.5-vl-7b mistral-small granite-4 kimi-k2 glm-5 deepseek-v4-flash
imagine-chat
"""


@pytest.mark.parametrize("name", CHAT_MODELS.split())
def test_models_that_hold_one_are_kept(name: str) -> None:
    assert parse_chat_models(json.dumps({"data": [{"id": name}]}).encode()) == (name,)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "embedding"},
        {"type": "image"},
        {"type": "audio"},
        {"capabilities": {"completion_chat": False}},
        {"capabilities": ["embedding"]},
        {"architecture": {"output_modalities": ["image", "text"]}},
        {"id": ""},
        {"id": None},
        {"id": 7},
    ],
)
def test_what_a_list_says_of_a_model_counts(entry: dict[str, object]) -> None:
    usual = {
        "type": "image-text-to-text",
        "capabilities": {"completion_chat": True},
        "architecture": {"output_modalities": ["text"]},
    }
    models = [{"id": "x", **entry}, 7, None, {"id": "m", **usual}]
    for body in ({"data": models}, models):
        assert parse_chat_models(json.dumps(body).encode()) == ("m",)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"7", b"null", b'{"data": {}}', b'{"data": null}', b"<html>"]
)
def test_a_list_of_another_shape_has_no_models(body: bytes) -> None:
    assert parse_chat_models(body) == ()


async def test_a_server_without_models_or_sense_is_passed_over() -> None:
    async with ProviderServer() as server, ProviderServer() as confused:
        server.script(MODELS, listing())
        confused.script(MODELS, ProviderReply(b"<html>", content_type="text/html"))
        environ = {**NO_LOCAL_SERVERS, "OLLAMA_BASE_URL": server.base, "LMSTUDIO_BASE_URL": confused.base}
        assert await asyncio.to_thread(discover_sources, environ) == ()


async def test_keys_go_before_local_servers() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("llama3.2"))
        environ = {**NO_LOCAL_SERVERS, "OLLAMA_BASE_URL": server.base, "OPENAI_API_KEY": "k"}
        found = await asyncio.to_thread(discover_sources, environ)
        assert server.requests == []
    assert all(source.startswith("openai:") for source in found)


async def test_a_server_that_openai_was_moved_to_lends_its_models_and_is_shown_its_key() -> None:
    async with ProviderServer() as server, ProviderServer() as local:
        server.script(MODELS, listing("qwen3", "llama3.2"))
        local.script(MODELS, listing("other"))
        environ = {**NO_LOCAL_SERVERS, "OPENAI_BASE_URL": server.base, "OLLAMA_BASE_URL": local.base}
        assert await asyncio.to_thread(discover_sources, environ) == ("openai:qwen3", "openai:llama3.2")
        assert "authorization" not in server.requests[0].headers
        await asyncio.to_thread(discover_sources, {**environ, "OPENAI_API_KEY": "sk-test"})
        assert server.requests[1].headers["authorization"] == "Bearer sk-test"
        assert not any("authorization" in each.headers for each in local.requests)


async def test_the_usual_model_goes_first_where_a_server_has_it() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("a", "gpt-5.6-terra"))
        found = await asyncio.to_thread(
            discover_sources, {**NO_LOCAL_SERVERS, "OPENAI_BASE_URL": server.base}
        )
    assert found == ("openai:gpt-5.6-terra", "openai:a")


def test_an_invalid_address_or_key_is_skipped() -> None:
    for address, key in (("http://127.0.0.1:port/v1", "k"), ("ftp://x", "k"), (NOWHERE, "k\nx")):
        assert discover_sources({**NO_LOCAL_SERVERS, "OPENAI_BASE_URL": address, "OPENAI_API_KEY": key}) == ()
