"""What works here, in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.process import run_program
from tests.fakes.provider_server import (
    CHAT,
    MODELS,
    NO_LOCAL_SERVERS,
    ProviderReply,
    ProviderServer,
    chat_events,
    listing,
)
from tests.fakes.sse_server import SseServer, reply

if TYPE_CHECKING:
    from pathlib import Path


async def test_without_sources_it_says_what_to_set_up() -> None:
    done = await run_program("doctor", **NO_LOCAL_SERVERS)
    assert (done.code, done.err) == (0, "")
    assert "no key; set OPENAI_API_KEY" in done.out
    assert "prices" in done.out
    assert "genai-prices 0." in done.out
    assert "runs its scripted demo" in done.out


async def test_a_source_is_tried() -> None:
    done = await run_program("doctor", "-d", "demo", **NO_LOCAL_SERVERS)
    assert done.code == 0
    assert "✓ demo" in done.out


async def test_a_server_that_openai_was_moved_to_is_shown_and_its_models_are_tried() -> None:
    async with ProviderServer() as server:
        server.script(MODELS, listing("qwen3"))
        server.script(CHAT, ProviderReply(b"".join(chat_events("ready"))))
        moved = {**NO_LOCAL_SERVERS, "OPENAI_BASE_URL": server.base, "OPENAI_API_KEY": "sk-test"}
        done = await run_program("doctor", **moved)
        assert (done.code, done.err) == (0, "")
        assert "set in OPENAI_BASE_URL: qwen3" in done.out
        assert "✓ openai:qwen3" in done.out
        server.script(MODELS, listing())
        done = await run_program("doctor", **moved)
        assert done.code == 0
        assert "lists no models" in done.out
        assert "name a model: debate-tui -d openai:MODEL" in done.out
        assert "sk-test" not in done.out


async def test_what_cannot_be_used_is_named_as_in_a_debate() -> None:
    environ = {
        **NO_LOCAL_SERVERS,
        "OLLAMA_BASE_URL": "",
        "OLLAMA_HOST": "127.0.0.1:99999",
        "LMSTUDIO_BASE_URL": "http://[::1/v1",
        "OPENAI_BASE_URL": "http://model.test/v1",
        "OPENAI_API_KEY": "'sk-test'",
        "GROQ_API_KEY": "gsk with blanks",
        "ALL_PROXY": "http://me:hunter2-secret@web:99999",
    }
    done = await run_program("doctor", "-d", "openai:m", "-d", "http://words.test/e", **environ)
    assert (done.code, done.err) == (4, "")
    assert "OLLAMA_HOST cannot be used: its port" in done.out
    assert "LMSTUDIO_BASE_URL cannot be used: its host" in done.out
    assert "GROQ_API_KEY: The key for Groq contains invalid characters" in done.out
    assert done.out.count("ALL_PROXY cannot be used: its port") == 3
    assert "hunter2" not in done.out


async def test_a_source_is_tried_as_its_settings_say(tmp_path: Path) -> None:
    async with SseServer(reply(b'data: {"delta": "ready"}\n\n', b"event: done\ndata:\n\n")) as server:
        debate = tmp_path / "debate.toml"
        table = f'[[debater]]\nsource = "{server.url}"\nmethod = "POST"\n'
        debate.write_text(table * 2)
        done = await run_program("doctor", "--config", str(debate), **NO_LOCAL_SERVERS)
    assert done.code == 0, done.out
    assert [request.method for request in server.requests] == ["POST"]
