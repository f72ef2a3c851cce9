"""The OpenAI source: what it asks, what it makes of the answer, and that it never takes a cut for an end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.domain.debate import ModelParameters
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    FaultKind,
    Finished,
    Message,
    ResumePoint,
    StreamOrigin,
    Usage,
)
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import Provider, find_provider
from debate_tui.sources.sdk import SdkClients
from tests.fakes.provider_server import (
    CHAT,
    JSON,
    MODELS,
    RESPONSES,
    ProviderReply,
    ProviderServer,
    chat_events,
    error,
    event,
    responses_events,
)
from tests.sources.conftest import KEYS
from tests.sources.source_reader import REQUEST, TEXT_PIECES, read_fault, read_source

KEY = KEYS["OPENAI_API_KEY"]


def at(server: ProviderServer, name: str = "openai", **changes: Any) -> Provider:
    return replace(find_provider(name, {}), base_url=server.base, **changes)


def chat(server: ProviderServer, sdk: SdkClients, name: str = "openai", model: str = "m") -> OpenAISource:
    return OpenAISource(model, provider=at(server, name, api="chat"), sdk_clients=sdk)


def responses(server: ProviderServer, sdk: SdkClients) -> OpenAISource:
    return OpenAISource("m", provider=at(server), sdk_clients=sdk)


async def test_chat_streams_text_reasoning_and_usage(server: ProviderServer, sdk: SdkClients) -> None:
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 9,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES, reasoning=["Hm", "m."], usage=usage), piece=1))
    heard = await read_source(chat(server, sdk))
    assert heard.items[0] == Connected(StreamOrigin.START, "HTTP/1.1", reused=False)
    assert heard.text == "".join(TEXT_PIECES)
    assert heard.reasoning == "Hmm."
    assert heard.finished == Finished("complete", Usage(3, 9, 4), model="fake", response="chatcmpl-1")


async def test_chat_asks_for_a_stream_with_usage(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    await read_source(chat(server, sdk), replace(REQUEST, max_output_tokens=99))
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json == {
        "model": "m",
        "messages": [{"role": "system", "content": "You argue."}, {"role": "user", "content": "Go on."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 99,
    }


async def test_responses_stream_text_reasoning_and_usage(server: ProviderServer, sdk: SdkClients) -> None:
    usage = {"input_tokens": 3, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 4}}
    server.script(
        RESPONSES, ProviderReply(responses_events(TEXT_PIECES, reasoning=["Hm", "m."], usage=usage), piece=1)
    )
    heard = await read_source(responses(server, sdk), replace(REQUEST, max_output_tokens=5))
    assert heard.text == "".join(TEXT_PIECES)
    assert heard.reasoning == "Hmm."
    assert heard.finished == Finished("complete", Usage(3, 9, 4), response="resp_1")
    cursors = [item.cursor for item in heard.items if isinstance(item, Chunk)]
    assert cursors == [Cursor(str(number), "resp_1") for number in range(2, 9)]
    (request,) = server.requests
    assert request.json == {
        "model": "m",
        "input": [{"role": "system", "content": "You argue."}, {"role": "user", "content": "Go on."}],
        "stream": True,
        "store": False,
        "reasoning": {"summary": "auto"},
        "max_output_tokens": 16,
    }


@pytest.mark.parametrize(
    ("status", "details", "reason"),
    [
        ("completed", None, "complete"),
        ("incomplete", {"reason": "max_output_tokens"}, "length"),
        ("incomplete", {"reason": "content_filter"}, "refused"),
    ],
)
async def test_responses_say_how_they_ended(
    server: ProviderServer, sdk: SdkClients, status: str, details: dict[str, object] | None, reason: str
) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(TEXT_PIECES, status=status, details=details)))
    heard = await read_source(responses(server, sdk))
    assert heard.finished is not None
    assert heard.finished.reason == reason


async def test_a_refusal_is_said_and_ends_as_refused(server: ProviderServer, sdk: SdkClients) -> None:
    events = responses_events([])
    refusal = {"type": "response.refusal.delta", "delta": "I cannot.", "sequence_number": 2}
    server.script(
        RESPONSES, ProviderReply([*events[:-1], event(refusal, "response.refusal.delta"), events[-1]])
    )
    heard = await read_source(responses(server, sdk))
    assert heard.text == "I cannot."
    assert heard.finished == Finished("refused", None, response="resp_1")


async def test_parts_of_a_summary_are_kept_apart(server: ProviderServer, sdk: SdkClients) -> None:
    events = responses_events([], reasoning=["One.", "Two."])
    part = {"type": "response.reasoning_summary_part.added", "summary_index": 1, "sequence_number": 9}
    server.script(RESPONSES, ProviderReply([*events[:3], event(part), *events[3:]]))
    assert (await read_source(responses(server, sdk))).reasoning == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("word", "reason"),
    [("stop", "complete"), ("length", "length"), ("content_filter", "refused"), ("model_length", "length")],
)
async def test_chat_says_how_it_ended(
    server: ProviderServer, sdk: SdkClients, word: str, reason: str
) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES, finish=word)))
    heard = await read_source(chat(server, sdk))
    assert heard.finished is not None
    assert heard.finished.reason == reason


async def test_chat_broken_off_by_the_provider_is_a_fault(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES, finish="insufficient_system_resource")))
    heard = await read_source(chat(server, sdk))
    assert heard.text == "".join(TEXT_PIECES)
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.OVERLOADED


async def test_a_finish_reason_is_an_end_however_the_connection_ends(
    server: ProviderServer, sdk: SdkClients
) -> None:
    server.script(
        CHAT,
        ProviderReply(chat_events(TEXT_PIECES, done=False)),
        ProviderReply(chat_events(TEXT_PIECES, done=False), ending="cut"),
    )
    source = chat(server, sdk)
    for _ in range(2):
        finished = (await read_source(source)).finished
        assert finished == Finished("complete", None, model="fake", response="chatcmpl-1")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("invalid_request_error", "Bad."), FaultKind.BAD_REQUEST),
        (400, error("invalid_request_error", "Filtered.", "content_filter"), FaultKind.REFUSED),
        (401, error("invalid_request_error", "Wrong key.", "invalid_api_key"), FaultKind.AUTH),
        (401, error("invalid_request_error", "Not a member."), FaultKind.AUTH),
        (402, b"Payment required", FaultKind.QUOTA),
        (403, b"", FaultKind.AUTH),
        (403, error("", "Your team doesn't have any credits yet."), FaultKind.QUOTA),
        (404, error("invalid_request_error", "No such model.", "model_not_found"), FaultKind.BAD_REQUEST),
        (408, b"", FaultKind.SERVER),
        (409, b"", FaultKind.SERVER),
        (413, b"<html>too large</html>", FaultKind.BAD_REQUEST),
        (429, error("requests", "Slow down.", "rate_limit_exceeded"), FaultKind.RATE_LIMIT),
        (429, error("insufficient_quota", "Quota.", "insufficient_quota"), FaultKind.QUOTA),
        (500, error("server_error", "Sorry."), FaultKind.SERVER),
        (502, b"<html>bad gateway</html>", FaultKind.SERVER),
        (503, b"", FaultKind.OVERLOADED),
        (529, b"", FaultKind.OVERLOADED),
    ],
)
async def test_error_statuses_are_told_apart(
    server: ProviderServer, sdk: SdkClients, status: int, body: bytes, kind: FaultKind
) -> None:
    server.script(CHAT, ProviderReply(body, status, JSON if body.startswith(b"{") else "text/html"))
    fault = await read_fault(chat(server, sdk))
    assert (fault.kind, fault.status, fault.text_seen) == (kind, status, False)
    assert fault.message
    assert "<html>" not in fault.message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5), ({}, None)],
)
async def test_the_wait_a_server_asks_for_is_passed_on(
    server: ProviderServer, sdk: SdkClients, headers: dict[str, str], wait: float | None
) -> None:
    server.script(CHAT, ProviderReply(error("requests"), 429, JSON, headers))
    fault = await read_fault(chat(server, sdk))
    assert fault.retry_after == wait


async def test_no_key_is_in_any_message(server: ProviderServer, sdk: SdkClients) -> None:
    quoted = f"Incorrect API key provided: {KEY[:8]}*********{KEY[-4:]}; you sent Bearer {KEY}."
    server.script(CHAT, ProviderReply(error("invalid_request_error", quoted, "invalid_api_key"), 401, JSON))
    fault = await read_fault(chat(server, sdk))
    assert not any(KEY[:8] in text or KEY[-4:] in text for text in (fault.message, str(fault), fault.hint))
    assert "OPENAI_API_KEY" in fault.hint


async def test_no_key_is_in_the_message_of_a_broken_stream(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(event({"error": {"message": f"bad {KEY}", "type": "server_error"}})))
    fault = await read_fault(chat(server, sdk))
    assert fault.kind is FaultKind.SERVER
    assert KEY not in str(fault)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", b"<html>Welcome to the wifi</html>"), ("application/json", b'{"choices": []}'), ("", b"")],
)
async def test_what_is_no_event_stream_is_a_wrong_address(
    server: ProviderServer, sdk: SdkClients, kind: str, body: bytes
) -> None:
    server.script(CHAT, ProviderReply(body, content_type=kind))
    fault = await read_fault(chat(server, sdk))
    assert (fault.kind, fault.status) == (FaultKind.BAD_REQUEST, 200)
    assert "instead of an event stream" in fault.message


async def test_an_error_that_comes_as_json_with_a_good_status_counts(
    server: ProviderServer, sdk: SdkClients
) -> None:
    server.script(CHAT, ProviderReply(error("overloaded_error", "Later."), content_type=JSON))
    fault = await read_fault(chat(server, sdk))
    assert (fault.kind, fault.message) == (FaultKind.OVERLOADED, "Later.")


async def test_an_empty_stream_is_a_cut(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(b""))
    fault = await read_fault(chat(server, sdk))
    assert fault.kind is FaultKind.NETWORK


async def test_a_redirect_is_not_followed_with_the_key(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(b"", 307, headers={"location": f"{server.url}/elsewhere"}))
    fault = await read_fault(chat(server, sdk))
    assert (fault.kind, fault.status) == (FaultKind.BAD_REQUEST, 307)
    assert "/elsewhere" in fault.message
    assert len(server.requests) == 1


async def test_a_server_that_is_not_running_is_named(server: ProviderServer) -> None:
    sdk = SdkClients(environ={})
    gone = ProviderServer()
    async with gone:
        base = gone.base
    source = OpenAISource("m", provider=replace(find_provider("ollama", {}), base_url=base), sdk_clients=sdk)
    fault = await read_fault(source)
    await sdk.aclose()
    assert fault.kind is FaultKind.NETWORK
    assert fault.message == f"Could not connect to 127.0.0.1:{gone.port}: connection refused."
    assert "ollama serve" in fault.hint


@pytest.mark.parametrize("address", ["localhost:1/v1", "http://[::1", "ftp://127.0.0.1/v1"])
async def test_an_address_that_is_none_is_named(sdk: SdkClients, address: str) -> None:
    source = OpenAISource(
        "m", provider=replace(find_provider("openai", {}), base_url=address), sdk_clients=sdk
    )
    fault = await read_fault(source)
    assert fault.kind is FaultKind.BAD_REQUEST
    assert "OPENAI_BASE_URL" in fault.hint


async def test_a_refused_parameter_is_given_up_for_good(server: ProviderServer, sdk: SdkClients) -> None:
    refusal = error(
        "invalid_request_error", "Unsupported parameter: 'reasoning.summary'.", "unsupported_parameter"
    )
    server.script(RESPONSES, ProviderReply(refusal, 400, JSON), ProviderReply(responses_events(TEXT_PIECES)))
    source = responses(server, sdk)
    for _ in range(2):
        assert (await read_source(source)).text == "".join(TEXT_PIECES)
    assert ["reasoning" in request.json for request in server.requests] == [True, False, False]


async def test_the_other_name_of_a_limit_is_tried(server: ProviderServer, sdk: SdkClients) -> None:
    refusal = error("invalid_request_error", "'max_tokens' is not supported. Use 'max_completion_tokens'.")
    server.script(CHAT, ProviderReply(refusal, 400, JSON), ProviderReply(chat_events(TEXT_PIECES)))
    await read_source(chat(server, sdk), replace(REQUEST, max_output_tokens=99))
    assert server.requests[1].json["max_completion_tokens"] == 99
    assert "max_tokens" not in server.requests[1].json


async def test_a_refusal_of_something_needed_stands(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(error("invalid_request_error", "messages: too long"), 400, JSON))
    fault = await read_fault(chat(server, sdk))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert len(server.requests) == 1


async def test_peculiarities_of_a_provider_are_respected(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    await read_source(chat(server, sdk, "mistral"))
    assert "stream_options" not in server.requests[0].json


async def test_what_is_meant_for_openai_is_sent_to_nobody_else(
    server: ProviderServer, sdk: SdkClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gate-secret\nAuthorization: Bearer other-secret")
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    await read_source(chat(server, sdk))
    await read_source(chat(server, sdk, "groq"))
    await read_source(chat(server, sdk, "ollama"))
    openai, groq, ollama = ([*request.headers.values()] for request in server.requests)
    assert {"org-secret", "proj-secret", "gate-secret"} <= {*openai}
    for others in (groq, ollama):
        assert not any("secret" in value or KEY in value for value in others)
    assert f"Bearer {KEYS['GROQ_API_KEY']}" in groq
    assert "authorization" not in server.requests[2].headers


async def test_a_missing_key_is_said_before_anything_is_asked(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("debate_tui.sources.credentials.key_in_keyring", lambda provider: "")
    sdk = SdkClients(environ={})
    fault = await read_fault(OpenAISource("m", provider=at(server), sdk_clients=sdk))
    await sdk.aclose()
    assert fault.kind is FaultKind.AUTH
    assert "OPENAI_API_KEY" in fault.hint
    assert not server.requests


async def test_a_key_that_was_put_right_is_used(server: ProviderServer) -> None:
    environ = {"OPENAI_API_KEY": "sk-wrong-key"}
    sdk = SdkClients(environ=environ)
    refusal = ProviderReply(error("invalid_request_error", "Wrong.", "invalid_api_key"), 401, JSON)
    server.script(CHAT, refusal, ProviderReply(chat_events(TEXT_PIECES)))
    source = chat(server, sdk)
    assert (await read_source(source)).fault is not None
    environ["OPENAI_API_KEY"] = "sk-right-key"
    assert (await read_source(source)).finished is not None
    await sdk.aclose()
    assert server.requests[1].headers["authorization"] == "Bearer sk-right-key"


async def test_the_first_model_a_local_server_lists_is_used(server: ProviderServer, sdk: SdkClients) -> None:
    models = b'{"object": "list", "data": [{"id": "nomic-embed-text"}, {"id": "qwen3:8b"}]}'
    server.script(MODELS, ProviderReply(models, content_type=JSON))
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    source = chat(server, sdk, "ollama", model="")
    assert source.model == "Ollama"
    assert (await read_source(source)).text == "".join(TEXT_PIECES)
    assert source.model == "qwen3:8b"
    assert server.requests[1].json["model"] == "qwen3:8b"


@pytest.mark.parametrize(
    ("listed", "content_type"),
    [
        (b'{"object": "list", "data": []}', JSON),
        (b'{"object": "list", "data": null}', JSON),
        (b"[" * 90_000, JSON),
        (b"\xff", JSON),
        (b"", JSON),
        (b"<html>Welcome!</html>", "text/html"),
    ],
    ids=["empty", "null", "nested", "no text", "nothing", "a page"],
)
async def test_a_local_server_without_models_says_so(
    server: ProviderServer, sdk: SdkClients, listed: bytes, content_type: str
) -> None:
    server.script(MODELS, ProviderReply(listed, content_type=content_type))
    fault = await read_fault(chat(server, sdk, "ollama", model=""))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert "ollama:MODEL" in fault.hint


async def test_a_connection_is_used_again(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    source = chat(server, sdk)
    connected = [(await read_source(source)).items[0] for _ in range(2)]
    assert [item.reused for item in connected if isinstance(item, Connected)] == [False, True]
    assert {request.connection for request in server.requests} == {1}


async def test_sources_share_a_client_and_import_once(server: ProviderServer, sdk: SdkClients) -> None:
    clients = await asyncio.gather(*(sdk.client(at(server)) for _ in range(4)))
    assert len({id(client) for client in clients}) == 1
    assert clients[0].sdk.max_retries == 0


async def test_being_cancelled_reaches_the_server_too(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply([asyncio.Event()]))
    task = asyncio.create_task(read_source(chat(server, sdk)))
    request = await server.received(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(request.gone.wait(), 1)


async def test_one_who_stops_waiting_for_a_client_does_not_take_it_from_others(
    server: ProviderServer, sdk: SdkClients
) -> None:
    first = asyncio.create_task(sdk.client(at(server)))
    second = asyncio.create_task(sdk.client(at(server)))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).peer.key == KEY


async def test_a_cut_answer_is_continued(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(["tinued."])))
    resume = ResumePoint(attempt=2, cursor=None, text="It was soon to be con")
    heard = await read_source(chat(server, sdk), resume=resume)
    connected = heard.items[0]
    assert isinstance(connected, Connected)
    assert connected.origin is StreamOrigin.CONTINUATION
    messages = server.requests[0].json["messages"]
    assert isinstance(messages, list)
    assert messages[2] == {"role": "assistant", "content": "It was soon to be con"}
    assert messages[3]["role"] == "user"
    assert "<tail>It was soon to be con</tail>" in messages[3]["content"]


async def test_an_answer_nothing_was_heard_of_is_asked_for_anew(
    server: ProviderServer, sdk: SdkClients
) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    heard = await read_source(
        chat(server, sdk), resume=ResumePoint(attempt=2, cursor=None, text="", reasoning="Hm")
    )
    connected = heard.items[0]
    assert isinstance(connected, Connected)
    assert connected.origin is StreamOrigin.START
    assert len(server.requests[0].json["messages"]) == 2  # type: ignore[arg-type]


async def test_any_message_reaches_the_server_as_it_is(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    said = 'Zitat: "»\u202e«"\n\t🍵'
    await read_source(chat(server, sdk), replace(REQUEST, messages=(Message("user", said),)))
    assert server.requests[0].json["messages"] == [{"role": "user", "content": said}]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=8),
    reasoning=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=3),
    size=st.integers(1, 64),
    api=st.sampled_from(["chat", "responses"]),
)
def test_text_arrives_whatever_it_is_and_however_it_is_cut(
    pieces: list[str], reasoning: list[str], size: int, api: Any
) -> None:
    async def scenario() -> None:
        sdk = SdkClients(environ=KEYS)
        async with ProviderServer() as server:
            make = chat_events if api == "chat" else responses_events
            server.script(
                CHAT if api == "chat" else RESPONSES,
                ProviderReply(make(pieces, reasoning=reasoning), piece=size),
            )
            heard = await read_source(OpenAISource("m", provider=at(server, api=api), sdk_clients=sdk))
            await sdk.aclose()
        assert heard.text == "".join(pieces)
        assert heard.reasoning == "".join(reasoning)
        assert heard.finished is not None

    asyncio.run(scenario())


# What the user set


ALL_SET = ModelParameters(
    effort="high",
    temperature=0.5,
    seed=7,
    max_output_tokens=300,
    system="Speak in rhymes.",
    extra_body={"top_k": 3, "metadata": {"run": "1"}},
    headers={"X-Team": "red"},
)
SYSTEM = {"role": "system", "content": "You argue.\n\nSpeak in rhymes."}


async def test_chat_sends_what_the_user_set(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    source = OpenAISource("m", provider=at(server, api="chat"), sdk_clients=sdk, parameters=ALL_SET)
    assert (await read_source(source)).text == "".join(TEXT_PIECES)
    (request,) = server.requests
    assert request.headers["x-team"] == "red"
    assert request.json == {
        "model": "m",
        "messages": [SYSTEM, {"role": "user", "content": "Go on."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "high",
        "temperature": 0.5,
        "seed": 7,
        "max_tokens": 300,
        "top_k": 3,
        "metadata": {"run": "1"},
    }


async def test_responses_send_what_the_user_set(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(TEXT_PIECES)))
    source = OpenAISource("m", provider=at(server), sdk_clients=sdk, parameters=ALL_SET)
    await read_source(source, replace(REQUEST, max_output_tokens=200))
    (request,) = server.requests
    assert request.headers["x-team"] == "red"
    assert request.json == {
        "model": "m",
        "input": [SYSTEM, {"role": "user", "content": "Go on."}],
        "stream": True,
        "store": False,
        "reasoning": {"summary": "auto", "effort": "high"},
        "temperature": 0.5,
        "seed": 7,
        "max_output_tokens": 200,
        "top_k": 3,
        "metadata": {"run": "1"},
    }


@pytest.mark.parametrize(
    ("name", "effort", "expected"),
    [
        ("groq", "low", {"reasoning_effort": "low"}),
        ("dashscope", "none", {"enable_thinking": False}),
        ("dashscope", "high", {"enable_thinking": True}),
        ("zai", "none", {"thinking": {"type": "disabled"}}),
        ("moonshot", "medium", {"thinking": {"type": "enabled"}}),
    ],
)
async def test_each_provider_is_asked_for_an_effort_its_own_way(
    server: ProviderServer, name: str, effort: Any, expected: dict[str, object]
) -> None:
    sdk = SdkClients(environ=dict.fromkeys(find_provider(name, {}).key_env, KEY))
    server.script(CHAT, ProviderReply(chat_events(TEXT_PIECES)))
    await read_source(
        OpenAISource(
            "m", provider=at(server, name), sdk_clients=sdk, parameters=ModelParameters(effort=effort)
        )
    )
    await sdk.aclose()
    (request,) = server.requests
    assert {key: request.json.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("parameter", "refused", "setting"),
    [
        (ModelParameters(temperature=0.5), "temperature", "temperature"),
        (ModelParameters(effort="high"), "reasoning_effort", "effort"),
        (ModelParameters(seed=1), "seed", "seed"),
        (ModelParameters(extra_body={"top_k": 3}), "top_k", "extra_body.top_k"),
    ],
)
async def test_a_refused_setting_is_dropped_and_reported_once(
    server: ProviderServer, sdk: SdkClients, parameter: ModelParameters, refused: str, setting: str
) -> None:
    refusal = ProviderReply(error("invalid_request_error", f"Unsupported value: '{refused}'."), 400, JSON)
    server.script(CHAT, refusal, ProviderReply(chat_events(TEXT_PIECES)))
    source = OpenAISource("m", provider=at(server, api="chat"), sdk_clients=sdk, parameters=parameter)
    first, second = await read_source(source), await read_source(source)
    dropped = [item.dropped for item in (*first.items, *second.items) if isinstance(item, Connected)]
    assert dropped == [(setting,), ()]
    assert [refused in request.json for request in server.requests] == [True, False, False]


async def test_a_refused_summary_leaves_the_effort(server: ProviderServer, sdk: SdkClients) -> None:
    refusal = ProviderReply(error("invalid_request_error", "Verify to use reasoning.summary."), 400, JSON)
    server.script(RESPONSES, refusal, ProviderReply(responses_events(TEXT_PIECES)))
    source = OpenAISource("m", provider=at(server), sdk_clients=sdk, parameters=ModelParameters(effort="low"))
    heard = await read_source(source)
    assert [item.dropped for item in heard.items if isinstance(item, Connected)] == [()]
    assert server.requests[-1].json["reasoning"] == {"effort": "low"}
