"""The Anthropic source: what it asks, what it makes of the answer, and that a cut is never an end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from debate_tui.domain.debate import NO_PARAMETERS, ModelParameters
from debate_tui.domain.stream import (
    Connected,
    FaultKind,
    Finished,
    Message,
    ResumePoint,
    StreamOrigin,
    Usage,
    UsageUpdate,
)
from debate_tui.sources.anthropic import DEFAULT_MAX_TOKENS, AnthropicSource
from debate_tui.sources.providers import find_provider
from debate_tui.sources.sdk import SdkClients
from tests.fakes.provider_server import (
    JSON,
    MESSAGES,
    ProviderReply,
    ProviderServer,
    error,
    event,
    messages_events,
)
from tests.sources.conftest import KEYS
from tests.sources.source_reader import REQUEST, TEXT_PIECES, read_fault, read_source

KEY = KEYS["ANTHROPIC_API_KEY"]


def claude(
    server: ProviderServer, sdk: SdkClients, parameters: ModelParameters = NO_PARAMETERS
) -> AnthropicSource:
    provider = replace(find_provider("anthropic", {}), base_url=server.url)
    return AnthropicSource("m", sdk_clients=sdk, provider=provider, parameters=parameters)


async def test_text_thinking_and_usage_are_streamed(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(TEXT_PIECES, reasoning=["Hm", "m."]), piece=1))
    heard = await read_source(claude(server, sdk))
    assert heard.items[0] == Connected(StreamOrigin.START, "HTTP/1.1", reused=False)
    assert heard.items[1] == UsageUpdate(Usage(10, 1))
    assert heard.text == "".join(TEXT_PIECES)
    assert heard.reasoning == "Hmm."
    assert heard.finished == Finished("complete", Usage(10, 20), response="msg_1")


async def test_what_is_asked(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(TEXT_PIECES)))
    source = claude(server, sdk)
    await read_source(source)
    await read_source(source, replace(REQUEST, messages=(Message("user", "Hi."),), max_output_tokens=99))
    first, second = server.requests
    assert any(value.endswith(KEY) for value in first.headers.values())
    assert first.json == {
        "model": "m",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "system": [{"type": "text", "text": "You argue.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Go on."}],
        "stream": True,
        "thinking": {"type": "adaptive", "display": "summarized"},
    }
    assert second.json["max_tokens"] == 99
    assert "system" not in second.json


async def test_a_bearer_token_will_do(server: ProviderServer) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(TEXT_PIECES)))
    sdk = SdkClients(environ={"ANTHROPIC_AUTH_TOKEN": "token-1"})
    assert (await read_source(claude(server, sdk))).text == "".join(TEXT_PIECES)
    await sdk.aclose()
    assert server.requests[0].headers["authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "complete"),
        ("stop_sequence", "complete"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refused"),
    ],
)
async def test_how_it_ended(server: ProviderServer, sdk: SdkClients, stop: str, reason: str) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(TEXT_PIECES, stop=stop)))
    heard = await read_source(claude(server, sdk))
    assert heard.finished is not None
    assert heard.finished.reason == reason


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", FaultKind.OVERLOADED),
        ("api_error", FaultKind.SERVER),
        ("rate_limit_error", FaultKind.RATE_LIMIT),
        ("billing_error", FaultKind.QUOTA),
        ("timeout_error", FaultKind.TIMEOUT),
        ("invalid_request_error", FaultKind.BAD_REQUEST),
    ],
)
async def test_an_error_in_the_middle_comes_with_a_good_status(
    server: ProviderServer, sdk: SdkClients, kind: str, expected: FaultKind
) -> None:
    broken = event({"type": "error", "error": {"type": kind, "message": "Sorry."}}, "error")
    server.script(MESSAGES, ProviderReply([*messages_events(TEXT_PIECES)[:5], broken]))
    heard = await read_source(claude(server, sdk))
    assert heard.text
    assert heard.fault is not None
    assert (heard.fault.kind, heard.fault.message, heard.fault.text_seen) == (expected, "Sorry.", True)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("invalid_request_error", "Bad."), FaultKind.BAD_REQUEST),
        (400, error("invalid_request_error", "Your credit balance is too low."), FaultKind.QUOTA),
        (
            400,
            error("invalid_request_error", "You have reached your specified API usage limits."),
            FaultKind.QUOTA,
        ),
        (401, error("authentication_error", "invalid x-api-key"), FaultKind.AUTH),
        (402, error("billing_error"), FaultKind.QUOTA),
        (403, error("permission_error"), FaultKind.AUTH),
        (404, error("not_found_error", "model: m"), FaultKind.BAD_REQUEST),
        (413, error("request_too_large"), FaultKind.BAD_REQUEST),
        (429, error("rate_limit_error"), FaultKind.RATE_LIMIT),
        (500, error("api_error"), FaultKind.SERVER),
        (529, error("overloaded_error", "Overloaded"), FaultKind.OVERLOADED),
    ],
)
async def test_error_statuses_are_told_apart(
    server: ProviderServer, sdk: SdkClients, status: int, body: bytes, kind: FaultKind
) -> None:
    server.script(MESSAGES, ProviderReply(body, status, JSON, {"retry-after": "3"}))
    fault = await read_fault(claude(server, sdk))
    assert (fault.kind, fault.status, fault.retry_after) == (kind, status, 3.0)
    assert len(server.requests) == 1


async def test_a_model_that_cannot_show_its_thinking_is_asked_without(
    server: ProviderServer, sdk: SdkClients
) -> None:
    refusal = error("invalid_request_error", "adaptive thinking is not supported on this model")
    server.script(MESSAGES, ProviderReply(refusal, 400, JSON), ProviderReply(messages_events(TEXT_PIECES)))
    assert (await read_source(claude(server, sdk))).text == "".join(TEXT_PIECES)
    assert "thinking" not in server.requests[1].json


async def test_a_cut_answer_is_continued_without_prefill(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(["tinued."])))
    resume = ResumePoint(attempt=2, cursor=None, text=f"{'x' * 1000}It was con")
    heard = await read_source(claude(server, sdk), resume=resume)
    connected = heard.items[0]
    assert isinstance(connected, Connected)
    assert connected.origin is StreamOrigin.CONTINUATION
    messages: Any = server.requests[0].json["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[1]["content"] == resume.text
    assert "It was con</tail>" in messages[2]["content"]


async def test_a_missing_key_is_said(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debate_tui.sources.credentials.key_in_keyring", lambda provider: "")
    sdk = SdkClients(environ={})
    fault = await read_fault(claude(server, sdk))
    await sdk.aclose()
    assert fault.kind is FaultKind.AUTH
    assert "ANTHROPIC_API_KEY" in fault.hint


async def test_both_sdks_can_be_first_at_once(server: ProviderServer) -> None:
    sdk = SdkClients(environ=KEYS)
    claude_, gpt = await asyncio.gather(
        sdk.client(find_provider("anthropic")), sdk.client(find_provider("openai"))
    )
    await sdk.aclose()
    assert (claude_.sdk.max_retries, gpt.sdk.max_retries) == (0, 0)


@pytest.mark.parametrize(
    ("effort", "expected"),
    [
        ("high", {"output_config": {"effort": "high"}}),
        ("minimal", {"output_config": {"effort": "low"}}),
        ("none", {"thinking": {"type": "disabled"}}),
    ],
)
async def test_an_effort_is_asked_for_in_anthropics_words(
    server: ProviderServer, sdk: SdkClients, effort: Any, expected: dict[str, object]
) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(TEXT_PIECES)))
    parameters = ModelParameters(effort=effort, system="Rhyme.", headers={"X-Team": "red"})
    await read_source(claude(server, sdk, parameters))
    (request,) = server.requests
    assert {key: request.json.get(key) for key in expected} == expected
    assert request.headers["x-team"] == "red"
    assert "You argue.\n\nRhyme." in str(request.json["system"]).replace("\\n", "\n")


async def test_a_temperature_goes_without_thinking(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(MESSAGES, ProviderReply(messages_events(TEXT_PIECES)))
    await read_source(claude(server, sdk, ModelParameters(temperature=0.2, max_output_tokens=50)))
    (request,) = server.requests
    assert (request.json["temperature"], request.json["max_tokens"]) == (0.2, 50)
    assert "thinking" not in request.json


async def test_an_effort_that_a_model_does_not_support_is_dropped(
    server: ProviderServer, sdk: SdkClients
) -> None:
    message = "This model does not support the effort parameter."
    refusal = ProviderReply(error("invalid_request_error", message), 400, JSON)
    server.script(MESSAGES, refusal, ProviderReply(messages_events(["Tea."])))
    heard = await read_source(claude(server, sdk, ModelParameters(effort="high")))
    assert [item.dropped for item in heard.items if isinstance(item, Connected)] == [("effort",)]
    assert "output_config" not in server.requests[1].json
