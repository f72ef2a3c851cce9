"""What real providers sent, replayed over HTTP to the source it belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from debate_tui.domain.stream import Chunk, Connected, Fault, FaultKind, Finished, Usage, UsageUpdate
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from debate_tui.sources.sdk import SdkClients
from tests.fakes.provider_server import CHAT, MESSAGES, RESPONSES, ProviderReply, ProviderServer
from tests.sources.source_reader import REQUEST, SourceOutput, read_source

if TYPE_CHECKING:
    from debate_tui.domain.stream import Source

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "captures"
INDEX = FOLDER / "index.json"
CAPTURES: list[dict[str, Any]] = json.loads(INDEX.read_text())["captures"] if INDEX.exists() else []
PATHS = {"chat.completions": CHAT, "responses": RESPONSES, "messages": MESSAGES}
KNOWN = [capture for capture in CAPTURES if capture["api"] in PATHS]
REASONS = {
    "stop": "complete",
    "completed": "complete",
    "end_turn": "complete",
    "stop_sequence": "complete",
    "length": "length",
    "refusal": "refused",
}
KINDS = {
    "insufficient_quota": FaultKind.QUOTA,
    "overloaded_error": FaultKind.OVERLOADED,
    "server_error": FaultKind.SERVER,
    "tool_use_failed": FaultKind.BAD_REQUEST,
    400: FaultKind.BAD_REQUEST,
}

pytestmark = pytest.mark.skipif(not CAPTURES, reason="the captures are not beside the repository")
each_capture = pytest.mark.parametrize("capture", KNOWN, ids=lambda capture: capture["file"])


def source_for(capture: dict[str, Any], server: ProviderServer, sdk: SdkClients) -> Source:
    if capture["api"] == "messages":
        return AnthropicSource(
            "m", sdk_clients=sdk, provider=replace(find_provider("anthropic"), base_url=server.url)
        )
    name = capture["provider"] if capture["provider"] != "azure" else "openai"
    api = "responses" if capture["api"] == "responses" else "chat"
    return OpenAISource(
        "m", provider=replace(find_provider(name), base_url=server.base, api=api), sdk_clients=sdk
    )


async def replay(capture: dict[str, Any], body: bytes, **reply: Any) -> SourceOutput:
    keys = ("OPENAI", "ANTHROPIC", "GROQ", "MISTRAL", "DEEPSEEK", "PERPLEXITY", "OPENROUTER")
    sdk = SdkClients(environ={f"{name}_API_KEY": "key-for-tests" for name in keys})
    async with ProviderServer() as server:
        answer = ProviderReply(body, content_type=capture["content_type"], **reply)
        server.script(PATHS[capture["api"]], answer)
        try:
            return await read_source(source_for(capture, server, sdk), REQUEST)
        finally:
            await sdk.aclose()


def usage_of(capture: dict[str, Any]) -> Usage | None:
    usage = capture["usage"]
    if usage is None:
        return None
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return Usage(
        usage.get("prompt_tokens", usage.get("input_tokens")),
        usage.get("completion_tokens", usage.get("output_tokens")),
        details.get("reasoning_tokens", details.get("thinking_tokens")),
    )


def check(heard: SourceOutput, capture: dict[str, Any]) -> None:
    assert isinstance(heard.items[0], Connected)
    assert heard.text == capture["final_text"] + capture["refusal_text"]
    assert heard.reasoning == capture["reasoning_text"]
    error = capture["error"]
    if error is None:
        finished = heard.items[-1]
        assert isinstance(finished, Finished)
        refused = bool(capture["refusal_text"])
        assert finished.reason == ("refused" if refused else REASONS[capture["finish_reason"]])
        assert finished.usage == usage_of(capture)
    else:
        assert not any(isinstance(item, Finished) for item in heard.items)
        assert isinstance(heard.fault, Fault)
        assert heard.fault.kind is KINDS[error.get("code") or error.get("type")]
        assert heard.fault.text_seen == any(isinstance(item, Chunk) for item in heard.items)
        assert error["message"][:60] in heard.fault.message
        so_far = [item.usage for item in heard.items if isinstance(item, UsageUpdate)]
        assert (so_far[-1] if so_far else None) == usage_of(capture)


@each_capture
async def test_is_heard_as_it_was_said(capture: dict[str, Any]) -> None:
    check(await replay(capture, (FOLDER / capture["file"]).read_bytes()), capture)


@each_capture
async def test_does_not_depend_on_how_the_network_cuts_it(capture: dict[str, Any]) -> None:
    body = (FOLDER / capture["file"]).read_bytes()
    # The large ones are cut into pieces no field name fits into: byte by byte they take too long.
    piece = 1 if len(body) < 8_000 else 7
    check(await replay(capture, body, piece=piece), capture)


@each_capture
async def test_is_never_finished_when_cut_in_the_middle(capture: dict[str, Any]) -> None:
    body = (FOLDER / capture["file"]).read_bytes()
    heard = await replay(capture, body[: len(body) // 2], ending="cut")
    assert heard.fault is not None
    assert not any(isinstance(item, Finished) for item in heard.items)
    assert (capture["final_text"] + capture["refusal_text"]).startswith(heard.text)
    assert capture["reasoning_text"].startswith(heard.reasoning)
