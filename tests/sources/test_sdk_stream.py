"""One request through an SDK, over real sockets: refusals in any words, any body, and no endless reading."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from debate_tui.domain.stream import Chunk, Cursor, FaultKind, Message, ResumePoint
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from tests.fakes.provider_server import (
    CHAT,
    JSON,
    MESSAGES,
    MODELS,
    RESPONSES,
    ProviderReply,
    ProviderServer,
    chat_events,
    event,
    messages_events,
    responses_events,
)
from tests.sources.source_reader import REQUEST, TEXT_PIECES, read_fault, read_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.stream import Fault, Source
    from debate_tui.sources.sdk import SdkClients
    from tests.fakes.provider_server import ProviderRequest

SSE = "text/event-stream"
APIS = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}
ANSWERS = {
    "chat": chat_events(["Hel", "lo."]),
    "responses": responses_events(["Hel", "lo."]),
    "messages": messages_events(["Hel", "lo."]),
}
REASONING = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
WHOLE_ANSWERS: dict[str, dict[str, object]] = {
    "chat": {
        "id": "c",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello.", "reasoning_content": "Hm."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    },
    "responses": {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [REASONING, MESSAGE],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "messages": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
}
LIMIT = 12 << 20
"""How much a source may keep of a body without end, with the server in the same process."""


def make_source(
    api: str, server: ProviderServer, sdk: SdkClients, model: str = "m", path: str = "", **options: Any
) -> Source:
    if api == "messages":
        provider = replace(find_provider("anthropic", {}), base_url=server.url + path)
        return AnthropicSource(model, provider=provider, sdk_clients=sdk, **options)
    provider = replace(find_provider("openai", {}), api=api, base_url=server.url + (path or "/v1"))
    return OpenAISource(model, provider=provider, sdk_clients=sdk, **options)


# Refused parameters


def refusing(field: str, refusal: object, status: int, answer: list[bytes]) -> Any:
    """A server that refuses requests with a field, and answers all others."""

    def respond(request: ProviderRequest) -> ProviderReply:
        asked: Any = request.json
        for name in field.split("."):
            asked = asked.get(name) if isinstance(asked, dict) else None
        if asked is None:
            return ProviderReply(answer)
        body = refusal if isinstance(refusal, bytes) else json.dumps(refusal).encode()
        return ProviderReply(body, status, JSON)

    return respond


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (
            400,
            {
                "error": {
                    "message": "Bad parameter.",
                    "param": "stream_options",
                    "code": "unsupported_parameter",
                }
            },
        ),
        (400, {"error": {"message": "Bad.", "param": "stream_options.include_usage"}}),
        (
            422,
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}
                ]
            },
        ),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "Bad: stream_options"}]}),
        (422, {"detail": "Unknown field stream_options"}),
        (
            422,
            {"object": "error", "message": {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra"}]}},
        ),
        (400, {"success": False, "errors": [{"code": 5006, "message": "'stream_options' not allowed"}]}),
        (400, {"errors": ["streamOptions is not supported"]}),
        (400, [{"error": {"code": 400, "message": 'Unknown name "stream_options": Cannot find field.'}}]),
        (
            400,
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {
                        "raw": json.dumps({"error": {"message": "stream_options is not supported"}})
                    },
                }
            },
        ),
        (
            400,
            {"error": {"message": "Error code: 400 - {'error': {'message': \"Extra: 'stream_options'\"}}"}},
        ),
        (400, {"message": "x" * 5000 + " stream_options: extra fields not permitted"}),
        (400, b"Unknown argument: stream_options"),
        (400, {"error": {"message": "Failed.", "cause": json.dumps({"error": {"param": "stream_options"}})}}),
        (400, {"message": "参数stream_options不支持"}),
        (500, {"error": {"message": "unexpected keyword argument 'stream_options'"}}),
        (404, {"error": {"code": 404, "message": "No endpoints found that support stream_options."}}),
    ],
)
async def test_a_refused_parameter_is_found_wherever_the_refusal_names_it(
    server: ProviderServer, sdk: SdkClients, status: int, refusal: object
) -> None:
    server.respond(CHAT, refusing("stream_options", refusal, status, ANSWERS["chat"]))
    source = make_source("chat", server, sdk)
    assert [(await read_source(source)).text for _ in range(2)] == ["Hello."] * 2
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("api", "field", "refusal"),
    [
        ("responses", "reasoning", "Reasoning is not enabled for this model."),
        (
            "responses",
            "reasoning",
            "Unsupported parameter: 'reasoning.summary' is not supported with this model.",
        ),
        ("messages", "thinking", "adaptive thinking is not supported on this model"),
        ("messages", "thinking", "thinking.adaptive: Extra inputs are not permitted"),
    ],
)
async def test_every_api_gives_a_refused_parameter_up(
    server: ProviderServer, sdk: SdkClients, api: str, field: str, refusal: str
) -> None:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": refusal}}
    server.respond(APIS[api], refusing(field, body, 400, ANSWERS[api]))
    assert (await read_source(make_source(api, server, sdk))).text == "Hello."


async def test_a_refused_cache_mark_is_not_sent_again(server: ProviderServer, sdk: SdkClients) -> None:
    def respond(request: ProviderRequest) -> ProviderReply:
        if b"cache_control" not in request.body:
            return ProviderReply(ANSWERS["messages"])
        message = "system.0.cache_control: Extra inputs are not permitted"
        return ProviderReply(json.dumps({"error": {"message": message}}).encode(), 400, JSON)

    server.respond(MESSAGES, respond)
    assert (await read_source(make_source("messages", server, sdk))).text == "Hello."
    assert b"You argue." in server.requests[1].body


async def test_a_parameter_refused_in_the_stream_is_not_sent_again(
    server: ProviderServer, sdk: SdkClients
) -> None:
    refusal = event({"error": {"message": "stream_options is not supported", "code": 400}})
    server.script(CHAT, ProviderReply(refusal), ProviderReply(ANSWERS["chat"]))
    source = make_source("chat", server, sdk)
    fault = await read_fault(source)
    assert fault.kind is FaultKind.SERVER  # which is retried
    assert (await read_source(source)).text == "Hello."
    assert "stream_options" not in server.requests[1].json


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
        "Your prompt was flagged; see https://platform.openai.com/docs/guides/reasoning#advice",
        "The model 'stream_options-7b' is unknown.",
    ],
)
async def test_what_only_sounds_like_a_parameter_is_kept(
    server: ProviderServer, sdk: SdkClients, message: str
) -> None:
    body = json.dumps({"error": {"message": message, "code": "invalid_prompt"}}).encode()
    for api in ("chat", "responses"):
        server.script(APIS[api], ProviderReply(body, 400, JSON))
        assert (await read_source(make_source(api, server, sdk))).fault is not None
    assert len(server.requests) == 2


# A refused system role


SYSTEM_REFUSALS = [
    (400, {"error": {"message": "role 'system' is not supported on this model"}}),
    (400, {"detail": "System messages are not allowed"}),
    (
        400,
        {
            "errors": [
                {"loc": ["body", "messages", 1, "role"], "msg": "Input should be 'user' or 'assistant'"}
            ]
        },
    ),
    (400, {"error": {"message": "message[0].role不能为system"}}),
    (422, {"error": {"message": "role only allows user / assistant"}}),
    (
        400,
        {"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400},
    ),
    (
        400,
        {
            "error": {
                "message": "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
                "param": "messages[0].role",
            }
        },
    ),
    (400, {"error": {"message": "Developer instruction is not enabled for models/gemma-3-27b-it"}}),
    (400, {"error": 'Error rendering prompt with jinja template: "System role not supported".'}),
    (
        500,
        {
            "error": {
                "code": 500,
                "message": "Jinja Exception: Conversation roles must alternate user/assistant",
            }
        },
    ),
    (
        422,
        {
            "detail": [
                {"loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user' or 'assistant'"}
            ]
        },
    ),
    (400, {"message": "This model doesn't support system messages. Try again without system messages."}),
    (400, {"error": {"message": "system: Extra inputs are not permitted"}}),
    (400, {"error": {"message": "Invalid role 'system'. Only user and assistant roles are supported!"}}),
]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("status", "refusal"), SYSTEM_REFUSALS)
async def test_a_refused_system_role_moves_into_the_user_message(
    server: ProviderServer, sdk: SdkClients, api: str, status: int, refusal: object
) -> None:
    def respond(request: ProviderRequest) -> ProviderReply:
        asked = request.json
        turns: Any = asked.get("messages") or asked.get("input")
        if "system" in asked or any(turn["role"] == "system" for turn in turns):
            return ProviderReply(json.dumps(refusal).encode(), status, JSON)
        assert turns[0] == {"role": "user", "content": "You argue.\n\nGo on."}
        return ProviderReply(ANSWERS[api])

    server.respond(APIS[api], respond)
    source = make_source(api, server, sdk)
    assert [(await read_source(source)).text for _ in range(2)] == ["Hello."] * 2
    assert len(server.requests) == 3


async def test_a_system_role_refused_twice_is_a_fault(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(b'{"message": "System role not supported"}', 400, JSON))
    fault = await read_fault(make_source("chat", server, sdk))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert len(server.requests) == 2


async def test_a_continuation_keeps_its_order_without_a_system_role(
    server: ProviderServer, sdk: SdkClients
) -> None:
    server.script(
        CHAT,
        ProviderReply(b'{"message": "System role not supported"}', 400, JSON),
        ProviderReply(ANSWERS["chat"]),
    )
    request = replace(REQUEST, messages=(Message("system", "A."), Message("user", "B.")))
    await read_source(
        make_source("chat", server, sdk), request, ResumePoint(1, None, "So far, so good, and on it goes: ")
    )
    asked: Any = server.requests[1].json["messages"]
    assert [message["role"] for message in asked] == ["user", "assistant", "user"]
    assert asked[0]["content"] == "A.\n\nB."


# What the first bytes say


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json", "application/x-ndjson", "text/html", "binary/octet-stream"],
)
async def test_an_event_stream_is_one_whatever_it_is_called(
    server: ProviderServer, sdk: SdkClients, api: str, content_type: str
) -> None:
    for head in (b"", b": hello\n\n", b"\n\n", b"\xef\xbb\xbf", b"retry: 1000\n\n"):
        body = head + b"".join(ANSWERS[api])
        server.script(APIS[api], ProviderReply(body, content_type=content_type, piece=1))
        heard = await read_source(make_source(api, server, sdk))
        assert (heard.text, heard.fault) == ("Hello.", None)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("content_type", [JSON, SSE, "text/plain", ""])
@pytest.mark.parametrize("indent", [None, 2])
async def test_a_whole_answer_is_read_as_one(
    server: ProviderServer, sdk: SdkClients, api: str, content_type: str, indent: int | None
) -> None:
    body = json.dumps(WHOLE_ANSWERS[api], indent=indent).encode()
    for whole, piece in ((body, 0), (body + b"\n", 7), (b"\n \n" + body, 1)):
        server.script(APIS[api], ProviderReply(whole, content_type=content_type, piece=piece))
        heard = await read_source(make_source(api, server, sdk))
        assert (heard.text, heard.reasoning, heard.fault) == ("Hello.", "Hm.", None)
        assert heard.finished is not None
        assert heard.finished.reason == "complete"
        assert heard.finished.usage is not None
        assert (heard.finished.usage.input_tokens, heard.finished.usage.output_tokens) == (3, 2)


@pytest.mark.parametrize("api", APIS)
async def test_a_whole_answer_may_be_an_event(server: ProviderServer, sdk: SdkClients, api: str) -> None:
    for end in (b"", b"data: [DONE]\n\n"):
        server.script(APIS[api], ProviderReply(event(WHOLE_ANSWERS[api]) + end, piece=5))
        heard = await read_source(make_source(api, server, sdk))
        assert (heard.text, heard.reasoning, heard.fault) == ("Hello.", "Hm.", None)


@pytest.mark.parametrize("api", APIS)
async def test_a_whole_answer_cut_anywhere_is_a_fault(
    server: ProviderServer, sdk: SdkClients, api: str
) -> None:
    body = json.dumps(WHOLE_ANSWERS[api]).encode()
    for cut in range(0, len(body), 9):
        server.script(APIS[api], ProviderReply(body[:cut], content_type=JSON, ending="cut"))
        heard = await read_source(make_source(api, server, sdk))
        assert (heard.text, heard.finished) == ("", None)
        assert heard.fault is not None
        assert heard.fault.kind is FaultKind.NETWORK


async def test_a_whole_answer_says_how_it_ended(server: ProviderServer, sdk: SdkClients) -> None:
    for api, body, reason in (
        ("chat", {"choices": [{"message": {"content": "Hello."}, "finish_reason": "length"}]}, "length"),
        ("responses", WHOLE_ANSWERS["responses"] | {"status": "incomplete"}, "length"),
        ("messages", WHOLE_ANSWERS["messages"] | {"stop_reason": "max_tokens"}, "length"),
        ("messages", WHOLE_ANSWERS["messages"] | {"stop_reason": "refusal"}, "refused"),
    ):
        server.script(APIS[api], ProviderReply(json.dumps(body).encode(), content_type=JSON))
        heard = await read_source(make_source(api, server, sdk))
        assert heard.finished is not None, heard.fault
        assert (heard.text, heard.finished.reason) == ("Hello.", reason)


@pytest.mark.parametrize("api", APIS)
async def test_events_may_come_as_json_lines(server: ProviderServer, sdk: SdkClients, api: str) -> None:
    events = b"".join(ANSWERS[api]).decode().split("\n")
    lines = [line.removeprefix("data: ") for line in events if line.startswith("data: ")]
    for separator in ("\n", "\r\n", "\n\n"):
        body = separator.join(lines).encode()
        server.script(APIS[api], ProviderReply(body, content_type="application/x-ndjson", piece=3))
        heard = await read_source(make_source(api, server, sdk))
        assert (heard.text, heard.fault) == ("Hello.", None)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("content_type", "body", "kind", "says"),
    [
        (
            "text/html",
            b"<!doctype html><title>Sign in</title>",
            FaultKind.BAD_REQUEST,
            "a web page ('Sign in')",
        ),
        (SSE, b"\n<html><body>Welcome", FaultKind.BAD_REQUEST, "a web page"),
        (JSON, b"", FaultKind.BAD_REQUEST, "an empty body"),
        ("", b" \n", FaultKind.BAD_REQUEST, "an empty body"),
        (SSE, b"", FaultKind.NETWORK, "an empty body"),
        ("text/plain", b"Ollama is running", FaultKind.BAD_REQUEST, "text/plain ('Ollama is running')"),
        ("", b"d", FaultKind.BAD_REQUEST, "text ('d')"),
        (JSON, b'{"status": "ok", "version": 1}', FaultKind.BAD_REQUEST, "'status', 'version'"),
        (JSON, b'{"choices": []}\n', FaultKind.BAD_REQUEST, "JSON instead of an event stream"),
        (JSON, b"[]", FaultKind.BAD_REQUEST, "JSON instead of an event stream"),
        (JSON, b'{"error": {"message": "No."}}', FaultKind.UNKNOWN, "No."),
        (JSON, b'[{"error": {"message": "Later.", "code": 503}}]\n', FaultKind.OVERLOADED, "Later."),
        (
            SSE,
            b'{"object": "error", "message": "Too long.", "code": 400}',
            FaultKind.BAD_REQUEST,
            "Too long.",
        ),
        (JSON, b'{\n "detail": "Not authenticated",\n "status": 401\n}', FaultKind.AUTH, "Not authenticated"),
    ],
)
async def test_what_is_no_answer_is_named(
    server: ProviderServer,
    sdk: SdkClients,
    api: str,
    content_type: str,
    body: bytes,
    kind: FaultKind,
    says: str,
) -> None:
    server.script(APIS[api], ProviderReply(body, content_type=content_type, piece=1))
    heard = await read_source(make_source(api, server, sdk))
    assert heard.fault is not None
    assert heard.fault.kind is kind
    assert says in heard.fault.message
    assert heard.text == ""


# What is cut, and what is left early


UNFINISHED = {
    "chat": chat_events(TEXT_PIECES, finish=None, done=False),
    "responses": responses_events(TEXT_PIECES, status=""),
    "messages": messages_events(TEXT_PIECES)[:-2],  # a stop reason would complete the answer
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("ending", ["cut", "reset", "end"])
async def test_an_end_without_end_marker_is_a_fault_at_every_event(
    server: ProviderServer, sdk: SdkClients, api: str, ending: Any
) -> None:
    """At every boundary between events, and in the middle of every event and of its characters."""
    events = UNFINISHED[api]
    whole = b"".join(events)
    source = make_source(api, server, sdk)
    bounds = [sum(map(len, events[:count])) for count in range(len(events) + 1)]
    middles = [place - 7 for place in bounds[1:]] + [whole.index("🍵".encode()) + 2]
    for place in (*bounds, *middles):
        server.script(APIS[api], ProviderReply(whole[:place], ending=ending))
        heard = await read_source(source)
        assert heard.finished is None
        assert heard.fault is not None
        assert heard.fault.kind is FaultKind.NETWORK
        assert heard.fault.text_seen == bool(heard.text)
        assert "".join(TEXT_PIECES).startswith(heard.text)


@pytest.mark.parametrize("api", APIS)
async def test_leaving_reaches_the_server_at_once(server: ProviderServer, sdk: SdkClients, api: str) -> None:
    server.script(APIS[api], ProviderReply(UNFINISHED[api], ending="stall"))
    async with make_source(api, server, sdk).open(REQUEST) as items:
        async for item in items:
            if isinstance(item, Chunk):
                break
    request = await server.received(1)
    await asyncio.wait_for(request.gone.wait(), 1)


# Addresses that lead nowhere


@pytest.mark.parametrize(
    ("api", "path", "says"),
    [
        ("chat", "/v1/v1", "/v1/v1/chat/completions': it has '/v1' twice."),
        ("chat", "/api", "/api/chat/completions': it has no '/v1'."),
        ("chat", "/v1/chat/completions", "it has '/chat/completions' twice."),
        ("responses", "/v1/responses", "it has '/responses' twice."),
        ("messages", "/v1", "/v1/v1/messages': it has '/v1' twice."),
        ("chat", "/openai/v1", "/openai/v1/chat/completions'."),
        ("chat", "/api/paas/v4", "/api/paas/v4/chat/completions'."),
    ],
)
async def test_a_404_names_the_url_and_what_is_odd_about_it(
    server: ProviderServer, sdk: SdkClients, api: str, path: str, says: str
) -> None:
    reply = ProviderReply(b"404 page not found", 404, "text/plain")
    for known in (f"{path}/chat/completions", f"{path}/responses", f"{path}/v1/messages"):
        server.script(known, reply)
    fault = await read_fault(make_source(api, server, sdk, path=f"{path}?key=SECRET-KEY"))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert fault.message.startswith("404 page not found The requested URL was 'http://127.0.0.1:")
    assert fault.message.endswith(says)
    assert "SECRET" not in str(fault) + fault.hint


async def test_a_404_for_a_model_says_nothing_about_the_path(server: ProviderServer, sdk: SdkClients) -> None:
    body = b'{"error": {"message": "model \'m\' not found", "code": "model_not_found"}}'
    server.script("/api/chat/completions", ProviderReply(body, 404, JSON))
    fault = await read_fault(make_source("chat", server, sdk, path="/api"))
    assert "/v1" not in fault.message


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, "Input was flagged by moderation", FaultKind.REFUSED),
        (403, "Country, region, or territory not supported", FaultKind.BAD_REQUEST),
        (400, "API key not valid. Please pass a valid API key.", FaultKind.AUTH),
    ],
)
@pytest.mark.parametrize("api", APIS)
async def test_only_a_fault_of_the_key_asks_for_it(
    server: ProviderServer, sdk: SdkClients, api: str, status: int, message: str, kind: FaultKind
) -> None:
    server.script(
        APIS[api], ProviderReply(json.dumps({"error": {"message": message}}).encode(), status, JSON)
    )
    fault = await read_fault(make_source(api, server, sdk))
    assert (fault.kind, "API_KEY" in fault.hint) == (kind, kind is FaultKind.AUTH)


# Nothing an SDK reads is unbounded


def endless(head: bytes = b"") -> Iterator[bytes]:
    yield head
    while True:
        yield b"x" * (1 << 16)


def endless_gzip() -> Iterator[bytes]:
    member = gzip.compress(b"x" * (1 << 20)) * 32
    while True:
        yield member


async def measure(source: Source, resume: ResumePoint | None = None) -> tuple[Fault, int]:
    """The fault a source ends with, and how much memory was in use at most, server included."""
    await read_source(source)  # imports what it needs
    tracemalloc.start()
    try:
        fault = await read_fault(source, resume=resume)
        return fault, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("status", [302, 307, 400, 404, 500])
@pytest.mark.parametrize("coding", ["", "gzip", "br"])
async def test_a_body_of_an_error_without_end_is_bounded(
    server: ProviderServer, sdk: SdkClients, api: str, status: int, coding: str
) -> None:
    body = endless_gzip() if coding == "gzip" else endless(b'{"error": {"message": "Sorry.", "more": "')
    headers = {"location": "/elsewhere"} | ({"content-encoding": coding} if coding else {})
    server.script(APIS[api], ProviderReply(b"", 400), ProviderReply(body, status, JSON, headers))
    fault, peak = await measure(make_source(api, server, sdk))
    assert fault.status == status
    assert "Sorry." in fault.message or status < 400 or coding
    assert peak < LIMIT


@pytest.mark.parametrize("head", [b'{"data": [{"id": "', b"", b"{", b" "])
async def test_a_model_list_without_end_is_bounded(
    server: ProviderServer, sdk: SdkClients, head: bytes
) -> None:
    server.script(MODELS, ProviderReply(b"", 400), ProviderReply(endless(head), content_type=JSON))
    fault, peak = await measure(make_source("chat", server, sdk, model=""))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert "4,194,304 bytes" in fault.message
    assert peak < LIMIT


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("content_type", [JSON, SSE, "text/html"])
@pytest.mark.parametrize("head", [b'{"choices": [{"message": {"content": "', b"<html>", b"data: ", b""])
async def test_a_body_without_end_is_bounded(
    server: ProviderServer, sdk: SdkClients, api: str, content_type: str, head: bytes
) -> None:
    server.script(APIS[api], ProviderReply(b"", 400), ProviderReply(endless(head), content_type=content_type))
    fault, peak = await measure(make_source(api, server, sdk))
    assert fault.kind is FaultKind.BAD_REQUEST
    assert peak < LIMIT


async def test_a_polled_response_and_a_cancellation_without_end_are_bounded(
    server: ProviderServer, sdk: SdkClients
) -> None:
    path = f"{RESPONSES}/resp_1"
    server.script(
        path, ProviderReply(b"{}", 400, JSON), ProviderReply(endless(b'{"id": "'), content_type=JSON)
    )
    server.script(f"{path}/cancel", ProviderReply(endless(), content_type=JSON))
    source = make_source("responses", server, sdk, background=True)
    _, peak = await measure(source, ResumePoint(1, Cursor("4", "resp_1"), "So"))
    assert peak < LIMIT


async def test_a_compressed_error_is_read(server: ProviderServer, sdk: SdkClients) -> None:
    body = gzip.compress(b'{"error": {"message": "Sorry."}}')
    server.script(CHAT, ProviderReply(body, 400, JSON, {"content-encoding": "gzip"}))
    fault = await read_fault(make_source("chat", server, sdk))
    assert fault.message == "Sorry."


async def test_the_connection_of_an_error_is_used_again(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(b'{"error": "Busy."}', 503, JSON), ProviderReply(ANSWERS["chat"]))
    source = make_source("chat", server, sdk)
    await read_source(source)
    assert (await read_source(source)).text == "Hello."
    assert {request.connection for request in server.requests} == {1}


# As Fetch does


@pytest.mark.parametrize("api", APIS)
async def test_streams_are_asked_for_without_a_cache(
    server: ProviderServer, sdk: SdkClients, api: str
) -> None:
    server.script(APIS[api], ProviderReply(ANSWERS[api]))
    await read_source(make_source(api, server, sdk))
    assert server.requests[0].headers["cache-control"] == "no-cache"
