"""What works here, in a pipe."""

from __future__ import annotations

from tests.cli.process import run_program
from tests.fakes.provider_server import CHAT, MODELS, ProviderReply, ProviderServer, chat_events
from tests.sources.test_discovery import NO_LOCAL_SERVERS, listing


async def test_without_sources_it_says_what_to_set_up() -> None:
    done = await run_program("doctor", **NO_LOCAL_SERVERS)
    assert (done.code, done.err) == (0, "")
    assert "none: set OPENAI_API_KEY" in done.out
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
        assert "named by OPENAI_BASE_URL: qwen3" in done.out
        assert "✓ openai:qwen3" in done.out
        server.script(MODELS, listing())
        done = await run_program("doctor", **moved)
        assert done.code == 0
        assert "lists no models" in done.out
        assert "Name a model of your server: debate-tui -d openai:MODEL" in done.out
        assert "sk-test" not in done.out
