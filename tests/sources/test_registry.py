"""Sources as they are typed; endpoints together: HTTP/2 for several panes, WebSockets instead of SSE."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import UsageError
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    FaultKind,
    Finished,
    StreamOrigin,
    UnmarkedEnd,
)
from debate_tui.sources.endpoint import NotAStream
from debate_tui.sources.endpoint_factory import EndpointFactory
from debate_tui.sources.registry import parse_source
from tests.fakes import tls
from tests.fakes.h2_server import GoAway, H2Server, Reset
from tests.fakes.scripted_source import REQUEST
from tests.fakes.sse_server import Reply, SseServer, reply
from tests.fakes.websocket import close, text, upgraded
from tests.sources.endpoint_reader import collect, data, open_endpoints, read_fault, text_of

if TYPE_CHECKING:
    from tests.fakes.sse_server import ReceivedRequest

# What is typed after -d


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("opanai:gpt-5", "openai:gpt-5"),
        ("openia", "openai"),
        ("gpt-4o", "openai:gpt-4o"),
        ("GPT-4o", "openai:GPT-4o"),
        ("o3-mini", "openai:o3-mini"),
        ("chatgpt", "openai"),
        ("claude", "anthropic"),
        ("claude:claude-opus-5", "anthropic:claude-opus-5"),
        ("claude-opus-5?effort=high", "anthropic:claude-opus-5?effort=high"),
        ("gemini-2.5-pro", "gemini:gemini-2.5-pro"),
        ("google:gemini-2.5-pro", "gemini:gemini-2.5-pro"),
        ("grok-4", "xai:grok-4"),
        ("mistral-large", "mistral:mistral-large"),
        ("deepseek-chat", "deepseek:deepseek-chat"),
        ("kimi-k2", "moonshot:kimi-k2"),
        ("qwen3:8b", "ollama:qwen3:8b"),
        ("llama3.2", "ollama:llama3.2"),
        ("gpt-oss:20b", "ollama:gpt-oss:20b"),
        ("llama-cpp", "llamacpp"),
        ("lm-studio:x", "lmstudio:x"),
        ("openai/gpt-4o", "openai:gpt-4o"),
        ("meta-llama/llama-4-scout", "openrouter:meta-llama/llama-4-scout"),
        ("./models/tiny.gguf", "local:./models/tiny.gguf"),
        ("example.com/stream", "https://example.com/stream"),
        ("localhost:8080/v1", "http://localhost:8080/v1"),
        ("lcoal", "local"),
        ("codex", "acp:codex"),
        ("OpenCode", "acp:opencode"),
    ],
)
def test_what_is_not_a_source_suggests_one(typed: str, meant: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_source(typed)
    assert raised.value.hint == f"Did you mean '{meant}'?"
    assert parse_source(meant).public_name


def test_a_name_like_no_other_gets_all_providers() -> None:
    with pytest.raises(UsageError, match="No provider named 'zzz'") as raised:
        parse_source("zzz:x")
    assert "(in 'zzz:x')" in raised.value.message
    assert "openai, anthropic" in raised.value.hint


# HTTP/2 and TLS


def answers(path: str) -> tuple[bytes, ...]:
    return (data(delta=path), b"event: done\ndata:\n\n")


async def test_panes_on_one_origin_share_an_http2_connection() -> None:
    async with H2Server(answers) as server, open_endpoints(http2=True) as endpoints:
        panes = [endpoints.make(f"{server.origin}/{name}") for name in "abc"]
        found = await asyncio.gather(*map(collect, panes))
        assert server.connections == 1
    assert [text_of(items) for items in found] == ["/a", "/b", "/c"]
    assert [items[0].transport for items in found if isinstance(items[0], Connected)] == ["HTTP/2"] * 3
    assert [items[0].reused for items in found if isinstance(items[0], Connected)].count(False) == 1


@pytest.mark.parametrize(
    ("path", "others", "method", "http2"),
    [
        ("/a", 0, "GET", True),
        ("/a", 1, "GET", False),
        ("/a?api_key=abc", 1, "GET", True),
        ("/a", 1, "POST", True),
    ],
)
async def test_otherwise_every_pane_has_its_own_connection(
    path: str, others: int, method: str, http2: bool
) -> None:
    script = reply(b"data: [DONE]\n\n")
    async with (
        SseServer(script, tls=tls.server("http/1.1", "h2")) as server,
        open_endpoints(http2=http2) as endpoints,
    ):
        for _ in range(others):
            endpoints.make(f"{server.origin}/other")
        items = await collect(endpoints.make(server.origin + path, method=method))  # type: ignore[arg-type]
    assert items[0] == Connected(StreamOrigin.START, "HTTP/1.1", reused=False)


async def test_a_stopped_http2_stream_does_not_touch_the_others() -> None:
    go_on = asyncio.Event()

    def script(path: str) -> tuple[bytes | asyncio.Event, ...]:
        return (data(delta="1"), go_on, data(delta="2"), b"event: done\ndata:\n\n")

    async with H2Server(script) as server, open_endpoints(http2=True) as endpoints:
        left, right = (endpoints.make(f"{server.origin}/{name}") for name in "ab")
        async with right.open(REQUEST) as stream:
            assert [(await anext(stream)), (await anext(stream))][1] == Chunk("1")
            async with left.open(REQUEST) as stopped:
                assert [(await anext(stopped)), (await anext(stopped))][1] == Chunk("1")
            go_on.set()
            assert [item async for item in stream] == [Chunk("2"), Finished()]
        assert server.connections == 1


@pytest.mark.parametrize("end", [GoAway(0), GoAway(1), Reset()])
async def test_an_http2_connection_or_stream_that_goes_away_is_a_network_fault(end: GoAway | Reset) -> None:
    async with H2Server(lambda _: (data(delta="a"), end)) as server, open_endpoints(http2=True) as endpoints:
        first, _ = endpoints.make(f"{server.origin}/a"), endpoints.make(f"{server.origin}/b")
        fault = await read_fault(first)
    assert fault.kind is FaultKind.NETWORK
    assert not isinstance(fault, UnmarkedEnd)


async def test_an_http2_stream_ends_by_end_stream() -> None:
    async with H2Server(lambda _: (data(delta="a"),)) as server, open_endpoints(http2=True) as endpoints:
        first, _ = endpoints.make(f"{server.origin}/a"), endpoints.make(f"{server.origin}/b")
        assert (await collect(first))[1:] == [Chunk("a"), Finished()]


async def test_an_untrusted_certificate_is_a_network_fault() -> None:
    endpoints = EndpointFactory()
    async with SseServer(reply(), tls=tls.server()) as server:
        fault = await read_fault(endpoints.make(server.url))
        await endpoints.aclose()
    assert fault.kind is FaultKind.NETWORK
    assert "certificate" in fault.message


# WebSocket where SSE is refused


@pytest.mark.parametrize(
    "refusal", [Reply(status=406), Reply(status=426), Reply((b"<p>",), content_type="text/html")]
)
async def test_a_websocket_is_used_where_sse_is_refused(refusal: Reply) -> None:
    def script(request: ReceivedRequest) -> Reply:
        return upgraded(request, text('{"delta": "a"}'), close()) if "upgrade" in request.headers else refusal

    async with SseServer(script=script) as server, open_endpoints() as endpoints:
        source = endpoints.make(server.url)
        for _ in range(2):
            items = await collect(source)
            assert isinstance(items[0], Connected)
            assert (items[0].transport, items[1:]) == ("WebSocket", [Chunk("a"), Finished()])
    # What worked is tried first from then on.
    assert ["upgrade" in request.headers for request in server.requests] == [False, True, True]


async def test_where_there_is_no_websocket_either_the_first_refusal_counts() -> None:
    async with SseServer(Reply((b"<p>",), content_type="text/html")) as server, open_endpoints() as endpoints:
        fault = await read_fault(endpoints.make(server.url))
    assert isinstance(fault, NotAStream)
    assert "text/html" in fault.message


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_other_refusals_are_not_about_the_transport(status: int) -> None:
    async with SseServer(Reply(status=status)) as server, open_endpoints() as endpoints:
        await read_fault(endpoints.make(server.url))
    assert len(server.requests) == 1


def test_an_invalid_address_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        EndpointFactory().make("gopher://host/")
