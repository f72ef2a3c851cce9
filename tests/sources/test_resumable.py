"""Answers of OpenAI's background mode and of llama.cpp, read on where they broke off, or stopped for good."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    FaultKind,
    Finished,
    KeepAlive,
    ResumePoint,
    StreamOrigin,
    Usage,
)
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from tests.fakes.provider_server import (
    CHAT,
    JSON,
    RESPONSES,
    STREAM,
    ProviderReply,
    ProviderServer,
    chat_events,
    error,
    event,
    responses_events,
)
from tests.sources.source_reader import REQUEST, SourceOutput, read_source

if TYPE_CHECKING:
    from debate_tui.sources.sdk import SdkClients

TEXT = ["Tea ", "🍵 is ", "茶 and", " café", "."]
LONG_TEXT = ["Tea is older than coffee, ", *TEXT[1:]]
RESPONSE = f"{RESPONSES}/resp_1"


@pytest.fixture
def gpt(server: ProviderServer, sdk: SdkClients) -> OpenAISource:
    at = replace(find_provider("openai", {}), base_url=server.base)
    return OpenAISource("m", provider=at, sdk_clients=sdk, background=True, poll_interval=0)


@pytest.fixture
def llama(server: ProviderServer, sdk: SdkClients) -> OpenAISource:
    return OpenAISource(
        "m", provider=replace(find_provider("llamacpp", {}), base_url=server.base), sdk_clients=sdk
    )


def resume_of(heard: SourceOutput) -> ResumePoint:
    cursors = [item.cursor for item in heard.items if isinstance(item, (Chunk, KeepAlive)) and item.cursor]
    return ResumePoint(attempt=1, cursor=cursors[-1] if cursors else None, text=heard.text)


def origin_of(heard: SourceOutput) -> StreamOrigin:
    assert isinstance(heard.items[0], Connected)
    return heard.items[0].origin


def whole_response(status: str, text: str = "".join(TEXT)) -> ProviderReply:
    output = [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": part} for part in ("One.", "Two.")],
        },
        {"type": "message", "content": [{"type": "output_text", "text": text}]},
    ]
    usage = {"input_tokens": 1, "output_tokens": 2}
    body = {"id": "resp_1", "status": status, "output": output if text else [], "usage": usage}
    return ProviderReply(json.dumps(body).encode(), content_type=JSON)


async def test_the_background_is_asked_for_and_the_answer_stored(
    server: ProviderServer, gpt: OpenAISource
) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(TEXT)))
    assert (await read_source(gpt)).text == "".join(TEXT)
    (request,) = server.requests
    assert (request.json["background"], request.json["store"]) == (True, True)


async def test_a_background_response_is_read_on_behind_every_event(
    server: ProviderServer, gpt: OpenAISource
) -> None:
    events = responses_events(TEXT)
    for cut in range(1, len(events)):
        server.script(RESPONSES, ProviderReply(events[:cut], ending="cut"))
        broken = await read_source(gpt)
        resume = resume_of(broken)
        assert resume.cursor == Cursor(str(cut - 1), "resp_1")
        server.script(RESPONSE, ProviderReply(events[cut:]))
        rest = await read_source(gpt, resume=resume)
        request = server.requests[-1]
        assert (request.method, dict(request.query)) == (
            "GET",
            {"stream": "true", "starting_after": str(cut - 1)},
        )
        assert origin_of(rest) is StreamOrigin.CURSOR
        assert broken.text + rest.text == "".join(TEXT)
        assert rest.finished == Finished("complete", None, response="resp_1")


@pytest.mark.parametrize("status", [400, 404])
async def test_who_comes_too_late_is_told_the_whole(
    server: ProviderServer, gpt: OpenAISource, status: int
) -> None:
    server.script(
        RESPONSE,
        ProviderReply(error("invalid_request_error", "too old"), status, JSON),
        whole_response("queued", ""),
        whole_response("in_progress", ""),
        whole_response("completed"),
    )
    heard = await read_source(gpt, resume=ResumePoint(attempt=1, cursor=Cursor("3", "resp_1"), text="Tea "))
    assert origin_of(heard) is StreamOrigin.START
    assert heard.items[1:3] == [KeepAlive(), KeepAlive()]
    assert heard.text == "".join(TEXT)
    assert heard.reasoning == "One.\n\nTwo."
    assert heard.finished == Finished("complete", Usage(1, 2), response="resp_1")


async def test_a_response_that_failed_meanwhile_is_a_fault(server: ProviderServer, gpt: OpenAISource) -> None:
    failed = {"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "Sorry."}}
    late = ProviderReply(error("invalid_request_error"), 400, JSON)
    server.script(RESPONSE, late, ProviderReply(json.dumps(failed).encode(), content_type=JSON))
    fault = (
        await read_source(gpt, resume=ResumePoint(attempt=1, cursor=Cursor("3", "resp_1"), text="Tea "))
    ).fault
    assert fault is not None
    assert (fault.kind, fault.message) == (FaultKind.SERVER, "Sorry.")


@pytest.mark.parametrize("shown", [TEXT[0], LONG_TEXT[0]])
async def test_a_response_that_is_gone_is_continued(
    server: ProviderServer, gpt: OpenAISource, shown: str
) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(TEXT[1:], response="resp_2")))
    heard = await read_source(gpt, resume=ResumePoint(attempt=1, cursor=Cursor("3", "resp_1"), text=shown))
    assert [request.method for request in server.requests] == ["GET", "GET", "POST"]
    # What is short is requested again from its start.
    assert origin_of(heard) is (StreamOrigin.CONTINUATION if len(shown) > 20 else StreamOrigin.START)
    assert heard.text == "".join(TEXT[1:])


async def test_a_server_in_trouble_is_asked_again_later(server: ProviderServer, gpt: OpenAISource) -> None:
    server.script(RESPONSE, ProviderReply(error("server_error"), 503, JSON))
    fault = (
        await read_source(gpt, resume=ResumePoint(attempt=1, cursor=Cursor("3", "resp_1"), text="Tea "))
    ).fault
    assert fault is not None
    assert fault.kind is FaultKind.OVERLOADED
    assert len(server.requests) == 1


async def listen_up_to_text(source: OpenAISource, resume: ResumePoint | None = None) -> SourceOutput:
    heard = SourceOutput()
    async with source.open(REQUEST, resume) as items:
        async for item in items:
            heard.items.append(item)
            if isinstance(item, Chunk):
                break
    return heard


async def test_a_background_response_nobody_wants_is_cancelled(
    server: ProviderServer, gpt: OpenAISource
) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(LONG_TEXT, status=""), ending="stall"))
    server.script(f"{RESPONSE}/cancel", whole_response("cancelled"))
    heard = await listen_up_to_text(gpt)
    assert [(r.method, r.path) for r in server.requests[1:]] == [("POST", f"{RESPONSE}/cancel")]
    # What was stopped cannot be read on.
    again = await listen_up_to_text(gpt, resume_of(heard))
    assert origin_of(again) is StreamOrigin.CONTINUATION


async def test_being_cancelled_cancels_the_response(server: ProviderServer, gpt: OpenAISource) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(TEXT, status=""), ending="stall"))
    server.script(f"{RESPONSE}/cancel", whole_response("cancelled"))
    begun = asyncio.Event()

    async def turn() -> None:
        async with gpt.open(REQUEST) as items:
            async for item in items:
                if isinstance(item, Chunk):
                    begun.set()

    task = asyncio.create_task(turn())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.requests[-1].path == f"{RESPONSE}/cancel"


async def test_stopping_does_not_depend_on_the_server(server: ProviderServer, gpt: OpenAISource) -> None:
    server.script(RESPONSES, ProviderReply(responses_events(TEXT, status=""), ending="stall"))
    server.script(f"{RESPONSE}/cancel", ProviderReply(error("server_error"), 500, JSON))
    assert (await listen_up_to_text(gpt)).text == TEXT[0]


async def test_a_finished_or_broken_response_is_not_cancelled(
    server: ProviderServer, gpt: OpenAISource
) -> None:
    events = responses_events(TEXT)
    server.script(RESPONSES, ProviderReply(events), ProviderReply(events[:4], ending="cut"))
    await read_source(gpt)
    await read_source(gpt)
    assert [request.path for request in server.requests] == [RESPONSES, RESPONSES]


async def test_llama_cpp_reads_on_behind_every_byte_it_was_told(
    server: ProviderServer, llama: OpenAISource
) -> None:
    body = b": begin\n\n" + b"".join(chat_events(TEXT, reasoning=["Hm."]))
    last = body.index(b"data: [DONE]")
    for cut in range(body.index(b"Tea"), last, 7):
        server.requests.clear()
        server.script(CHAT, ProviderReply(body[:cut], ending="cut", piece=5))
        broken = await read_source(llama)
        resume = resume_of(broken)
        assert resume.cursor is not None
        (asked,) = server.requests
        assert asked.headers["x-conversation-id"] == resume.cursor.stream
        assert asked.headers["accept-encoding"] == "identity"
        begin = int(resume.cursor.position)
        assert begin <= cut
        server.script(STREAM, ProviderReply(body[begin:], piece=3))
        rest = await read_source(llama, resume=resume)
        assert server.requests[-1].method == "GET"
        assert dict(server.requests[-1].query) == {"conv_id": resume.cursor.stream, "from": str(begin)}
        assert origin_of(rest) is StreamOrigin.CURSOR
        assert broken.text + rest.text == "".join(TEXT)
        assert broken.reasoning + rest.reasoning == "Hm."
        assert rest.finished is not None


async def test_only_the_last_piece_of_an_event_has_llama_cpps_place(
    server: ProviderServer, llama: OpenAISource
) -> None:
    delta = {"choices": [{"delta": {"reasoning_content": "Hm.", "content": "Tea."}, "finish_reason": "stop"}]}
    server.script(CHAT, ProviderReply([event(delta), event("[DONE]")]))
    chunks = [item for item in (await read_source(llama)).items if isinstance(item, Chunk)]
    assert [(chunk.text, chunk.cursor is not None) for chunk in chunks] == [("Hm.", False), ("Tea.", True)]


@pytest.mark.parametrize("status", [400, 404])
async def test_what_llama_cpp_has_lost_is_continued(
    server: ProviderServer, llama: OpenAISource, status: int
) -> None:
    server.script(STREAM, ProviderReply(error("not_found_error", "Stream not found"), status, JSON))
    server.script(CHAT, ProviderReply(chat_events(TEXT[1:])))
    heard = await read_source(
        llama, resume=ResumePoint(attempt=1, cursor=Cursor("3", "conversation"), text=LONG_TEXT[0])
    )
    assert origin_of(heard) is StreamOrigin.CONTINUATION
    assert heard.text == "".join(TEXT[1:])
    older = [f"{STREAM}/conversation"] if status == 404 else []
    assert [request.path for request in server.requests] == [STREAM, *older, CHAT]


async def test_an_older_llama_cpp_has_the_name_in_the_path(
    server: ProviderServer, llama: OpenAISource
) -> None:
    body = chat_events(TEXT)
    server.script(f"{STREAM}/conversation", ProviderReply(body))
    heard = await read_source(
        llama, resume=ResumePoint(attempt=1, cursor=Cursor("3", "conversation"), text="")
    )
    assert origin_of(heard) is StreamOrigin.CURSOR
    assert dict(server.requests[-1].query) == {"from": "3"}
    assert heard.text == "".join(TEXT)
    server.script(CHAT, ProviderReply(chat_events(TEXT, finish=None, done=False), ending="stall"))
    await listen_up_to_text(llama)
    asked, *stopped = server.requests[-3:]
    name = asked.headers["x-conversation-id"]
    assert [(each.method, each.path) for each in stopped] == [
        ("DELETE", STREAM),
        ("DELETE", f"{STREAM}/{name}"),
    ]


async def test_llama_cpp_is_told_to_stop(server: ProviderServer, llama: OpenAISource) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT, finish=None, done=False), ending="stall"))
    server.script(STREAM, ProviderReply(b"", 204, JSON))
    await listen_up_to_text(llama)
    asked, stopped = server.requests
    assert (stopped.method, stopped.path) == ("DELETE", STREAM)
    assert stopped.query["conv_id"] == asked.headers["x-conversation-id"]


async def test_llama_cpp_is_told_to_stop_what_never_began(
    server: ProviderServer, llama: OpenAISource
) -> None:
    """Its first token may take longer than anybody waits, and then there is nothing to come back for."""
    server.script(CHAT, ProviderReply([asyncio.Event()]))
    server.script(STREAM, ProviderReply(b"{}", content_type=JSON))
    task = asyncio.create_task(read_source(llama))
    await server.received(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.requests[-1].method == "DELETE"


async def test_others_are_not_told_of_conversations(server: ProviderServer, sdk: SdkClients) -> None:
    server.script(CHAT, ProviderReply(chat_events(TEXT)))
    ollama: Any = replace(find_provider("ollama", {}), base_url=server.base)
    heard = await read_source(OpenAISource("m", provider=ollama, sdk_clients=sdk))
    assert "x-conversation-id" not in server.requests[0].headers
    assert not any(isinstance(item, Chunk) and item.cursor for item in heard.items)
