"""Remote SSE endpoints, over real sockets: what arrives, what breaks, and that leaving is felt at once."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import tracemalloc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import UsageError
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    Fault,
    FaultKind,
    Finished,
    KeepAlive,
    Message,
    ResumePoint,
    StreamOrigin,
    TurnRequest,
    UnmarkedEnd,
)
from debate_tui.sources.endpoint import NotAStream
from debate_tui.sources.http import HttpClients
from debate_tui.sources.sse import SseSource
from tests.fakes.sse_server import Cut, ReceivedRequest, Reply, SseServer, each_byte, reply
from tests.sources.source_reader import SourceOutput, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import StreamItem

REQUEST = TurnRequest("Is it?", "opening", 3, (Message("system", "Be brief."), Message("user", "Go on.")))


@asynccontextmanager
async def source(url: str, **options: object) -> AsyncIterator[SseSource]:
    clients = HttpClients()
    try:
        yield SseSource(url, clients=clients, **options)  # type: ignore[arg-type]
    finally:
        await clients.aclose()


async def read(url: str, resume: ResumePoint | None = None, **options: object) -> SourceOutput:
    async with source(url, **options) as sse:
        return await read_source(sse, REQUEST, resume)


async def collect(url: str, resume: ResumePoint | None = None, **options: object) -> list[StreamItem]:
    heard = await read(url, resume, **options)
    assert heard.fault is None, heard.fault
    return heard.items


async def read_until_fault(
    url: str, resume: ResumePoint | None = None, **options: object
) -> tuple[list[StreamItem], Fault]:
    heard = await read(url, resume, **options)
    assert heard.fault is not None, heard.items
    return heard.items, heard.fault


def text(items: list[StreamItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Chunk))


def resume_at(position: str, payload: str = "deltas") -> ResumePoint:
    return ResumePoint(2, Cursor(position, payload), "said")


# What arrives


async def test_text_comes_through_byte_by_byte() -> None:
    said = "Ünï 👩‍🚀 日本語"
    stream = f": hi\n\ndata: {json.dumps({'delta': said}, ensure_ascii=False)}\n\nevent: done\ndata:\n\n"
    async with SseServer(reply(*each_byte(stream.encode()))) as server:
        items = await collect(server.url)
    assert items == [
        Connected(StreamOrigin.START, "HTTP/1.1", reused=False),
        KeepAlive(),
        Chunk(said),
        Finished(),
    ]


async def test_the_url_is_filled_in_and_encoded() -> None:
    async with SseServer(reply(b"data: [DONE]\n\n")) as server:
        await collect(f"{server.origin}/{{phase}}/{{turn}}?t={{topic}}&from={{lastEventId}}")
    assert server.requests[0].target == "/opening/3?t=Is%20it%3F&from="
    assert server.requests[0].headers["accept"] == "text/event-stream"
    assert server.requests[0].headers["cache-control"] == "no-cache"
    assert server.requests[0].last_event_id is None


async def test_post_sends_the_prompt_as_json() -> None:
    async with SseServer(reply(b"data: [DONE]\n\n")) as server:
        await collect(server.url, method="POST")
    request = server.requests[0]
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "topic": "Is it?",
        "phase": "opening",
        "turn": 3,
        "prompt": "Be brief.\n\nGo on.",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Go on."}],
    }


async def test_event_ids_become_cursors_at_the_end_of_their_event() -> None:
    batch = b'id: 7\ndata: {"type":"batch","chunks":[{"delta":"a"},{"delta":"b"}]}\n\n'
    async with SseServer(reply(batch, b"id: 8\nretry: 1500\n\n", b"event: done\ndata:\n\n")) as server:
        items = await collect(server.url)
    cursors = [Chunk("a"), Chunk("b", cursor=Cursor("7", "deltas")), KeepAlive(Cursor("8", "deltas"), 1.5)]
    assert items[1:] == [*cursors, Finished()]


async def test_connections_are_reused_between_turns() -> None:
    async with SseServer(reply(b'data: {"delta": "a"}\n\n')) as server, source(server.url) as sse:
        for reused in (False, True):
            async with sse.open(REQUEST) as stream:
                items = [item async for item in stream]
                assert items[0] == Connected(StreamOrigin.START, "HTTP/1.1", reused)
    assert server.connections == 1


async def test_a_connection_is_reused_even_if_the_end_marker_came_before_the_end() -> None:
    stream = reply(b'data: {"delta": "a"}\n\n', b"data: [DONE]\n\n", b": bye\n\n")
    async with SseServer(stream) as server:
        async with source(server.url) as sse:
            for _ in range(2):
                async with sse.open(REQUEST) as items:
                    assert [item async for item in items][1:] == [Chunk("a"), Finished()]
        assert server.connections == 1


# How it ends


async def test_204_finishes_for_good() -> None:
    async with SseServer(Reply(status=204, content_type=None)) as server:
        assert await collect(server.url) == [
            Connected(StreamOrigin.START, "HTTP/1.1", reused=False),
            Finished(),
        ]


@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_bare_deltas_may_end_by_an_orderly_end(framing: str) -> None:
    async with SseServer(Reply((b'data: {"delta": "a"}\n\n',), framing=framing)) as server:  # type: ignore[arg-type]
        assert (await collect(server.url))[1:] == [Chunk("a"), Finished()]


async def test_an_orderly_end_behind_ids_has_to_be_asked_about() -> None:
    async with SseServer(reply(b'id: 1\ndata: {"delta": "a"}\n\n')) as server:
        _, fault = await read_until_fault(server.url)
    assert isinstance(fault, UnmarkedEnd)
    assert fault.orderly
    assert fault.text_seen


async def test_a_bare_close_confirms_no_end() -> None:
    async with SseServer(Reply((b"data: all of it?\n\n",), framing="close")) as server:
        items, fault = await read_until_fault(server.url)
    assert text(items) == "all of it?"
    assert isinstance(fault, UnmarkedEnd)
    assert not fault.orderly


async def test_nothing_more_behind_an_id_is_an_end_to_be_believed() -> None:
    async with SseServer(reply()) as server:
        items, fault = await read_until_fault(server.url, resume_at("9"))
    assert items == [Connected(StreamOrigin.CURSOR, "HTTP/1.1", reused=False)]
    assert isinstance(fault, UnmarkedEnd)
    assert server.requests[0].last_event_id == "9"


async def test_nothing_more_is_a_cut_where_an_end_marker_is_due() -> None:
    async with SseServer(reply()) as server:
        _, fault = await read_until_fault(server.url, resume_at("9", "chat"))
    assert not isinstance(fault, UnmarkedEnd)
    assert fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_an_empty_body_is_a_fault(framing: str) -> None:
    async with SseServer(Reply(framing=framing)) as server:  # type: ignore[arg-type]
        _, fault = await read_until_fault(server.url)
    assert not isinstance(fault, UnmarkedEnd)
    assert (fault.kind, fault.text_seen) == (FaultKind.NETWORK, False)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ('{"choices":[{"delta":{"content":"a"}}]}', "a"),
        ('{"type":"turn.delta","turn":1,"offset":0,"text":"a"}', "a"),
        ('{"type":"text-delta","id":"1","delta":"a"}', "a"),
        ('{"type":"TEXT_MESSAGE_CONTENT","messageId":"1","delta":"a"}', "a"),
        ('{"type":"response.output_text.delta","delta":"a"}', "a"),
        ('{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}', "a"),
    ],
)
async def test_an_orderly_end_without_the_payloads_own_marker_is_a_cut(payload: str, said: str) -> None:
    async with SseServer(reply(f"data: {payload}\n\n".encode())) as server:
        items, fault = await read_until_fault(server.url)
    assert text(items) == said
    assert not isinstance(fault, UnmarkedEnd)
    assert (fault.kind, fault.text_seen) == (FaultKind.NETWORK, True)


# What breaks


@pytest.mark.parametrize("cut", [Cut.CLOSE, Cut.RESET, Cut.HALF_CLOSE])
@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_a_broken_connection_is_a_network_fault(cut: Cut, framing: str) -> None:
    steps = (b'data: {"delta": "a"}\n\n', b"data: \xf0\x9f", cut)
    async with SseServer(Reply(steps, framing=framing, declared=999)) as server:  # type: ignore[arg-type]
        items, fault = await read_until_fault(server.url)
    assert not isinstance(fault, UnmarkedEnd)
    assert fault.kind is FaultKind.NETWORK
    # A reset may throw away what the client had not read yet.
    assert text(items) == "a" or cut is Cut.RESET


async def test_a_server_that_breaks_before_answering_is_a_network_fault() -> None:
    async with SseServer(Reply((Cut.CLOSE,), head=False)) as server:
        _, fault = await read_until_fault(server.url)
    assert fault.kind is FaultKind.NETWORK


async def test_a_refused_connection_is_a_network_fault() -> None:
    async with SseServer(reply()) as server:
        await server.refuse()
        _, fault = await read_until_fault(server.url)
    assert (fault.kind, fault.status) == (FaultKind.NETWORK, None)
    assert "refused" in fault.message


async def test_an_unknown_host_is_a_network_fault() -> None:
    _, fault = await read_until_fault("http://nowhere.invalid/stream")
    assert fault.kind is FaultKind.NETWORK
    assert "nowhere.invalid" in fault.message


async def test_no_tls_where_tls_is_due_is_a_network_fault() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        _, fault = await read_until_fault("https://127.0.0.1:{1}/".format(*server.sockets[0].getsockname()))
    assert fault.kind is FaultKind.NETWORK
    assert "TLS" in fault.message


async def test_a_connection_that_is_never_made_is_a_timeout() -> None:
    async with SseServer(reply()) as server:
        clients = HttpClients(connect_timeout=0.01)
        # The server waits for a request in clear while the client waits for TLS to begin.
        sse = SseSource(server.url.replace("http:", "https:"), clients=clients)
        with pytest.raises(Fault) as caught:
            async with sse.open(REQUEST):
                pass
        await clients.aclose()
    assert caught.value.kind is FaultKind.TIMEOUT


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FaultKind.BAD_REQUEST),
        (401, FaultKind.AUTH),
        (402, FaultKind.QUOTA),
        (403, FaultKind.AUTH),
        (404, FaultKind.BAD_REQUEST),
        (408, FaultKind.SERVER),
        (409, FaultKind.SERVER),
        (413, FaultKind.BAD_REQUEST),
        (429, FaultKind.RATE_LIMIT),
        (500, FaultKind.SERVER),
        (502, FaultKind.SERVER),
        (503, FaultKind.OVERLOADED),
        (529, FaultKind.OVERLOADED),
        (205, FaultKind.BAD_REQUEST),
        (304, FaultKind.BAD_REQUEST),
    ],
)
async def test_statuses_have_their_kinds(status: int, kind: FaultKind) -> None:
    async with SseServer(Reply((b"data: no\n\n",), status=status, headers=(("Retry-After", "7"),))) as server:
        _, fault = await read_until_fault(server.url)
    assert (fault.kind, fault.status) == (kind, status)
    assert fault.retry_after == (7.0 if status >= 400 else None)


async def test_the_servers_own_words_beat_the_status() -> None:
    body = b'{"error": {"message": "You are out of credit.", "type": "insufficient_quota"}}'
    async with SseServer(Reply((body,), status=429, content_type="application/json")) as server:
        _, fault = await read_until_fault(server.url)
    assert (fault.kind, fault.message) == (FaultKind.QUOTA, "You are out of credit.")


async def test_an_endless_error_body_is_not_read_to_its_end() -> None:
    async with SseServer(Reply(iter(lambda: b"x" * 4096, b""), status=500)) as server:
        _, fault = await read_until_fault(server.url)
        await server.requests[0].gone.wait()
    assert fault.kind is FaultKind.SERVER


async def test_an_error_event_carries_a_fault() -> None:
    error = b'event: error\ndata: {"error": {"type": "overloaded_error", "message": "Busy."}}\n\n'
    async with SseServer(reply(b"data: some\n\n", error)) as server:
        items, fault = await read_until_fault(server.url)
    assert text(items) == "some"
    assert (fault.kind, fault.message, fault.text_seen) == (FaultKind.OVERLOADED, "Busy.", True)


async def test_events_named_error_or_done_without_data_are_none() -> None:
    async with SseServer(reply(b"event: error\n\nevent: done\n\ndata: text\n\n")) as server:
        assert (await collect(server.url))[1:] == [Chunk("text"), Finished()]


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/event-streams", None])
async def test_another_media_type_is_a_bad_request(content_type: str | None) -> None:
    async with SseServer(Reply((b"data: no\n\n",), content_type=content_type)) as server:
        _, fault = await read_until_fault(server.url)
    assert isinstance(fault, NotAStream)
    assert fault.kind is FaultKind.BAD_REQUEST


async def test_a_body_that_is_not_encoded_as_it_says_is_a_network_fault() -> None:
    gzip = (("Content-Encoding", "gzip"),)
    async with SseServer(Reply((b"data: no gzip\n\n",), headers=gzip)) as server:
        _, fault = await read_until_fault(server.url)
    assert fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize(
    ("start", "content_type"), [(b"data: ", "text/event-stream"), (b'{"delta": "', "application/x-ndjson")]
)
async def test_an_oversized_event_is_a_bad_request(start: bytes, content_type: str) -> None:
    async with SseServer(Reply((start, *(b"x" * 65536,) * 17), content_type=content_type)) as server:
        _, fault = await read_until_fault(server.url)
    assert fault.kind is FaultKind.BAD_REQUEST


# Redirects and secrets


async def test_redirects_are_followed_and_credentials_stay_at_home() -> None:
    headers = {"Authorization": "Bearer secret-key", "X-Api-Key": "another-secret"}
    async with SseServer(reply(b"data: here\n\n")) as far, SseServer() as near:
        near._replies = (
            Reply(status=307, headers=(("Location", "/moved"),)),
            Reply(status=302, headers=(("Location", f"{far.origin}/there"),)),
        )
        items = await collect(near.url, headers=headers)
    assert text(items) == "here"
    assert [r.headers.get("x-api-key") for r in near.requests] == ["another-secret"] * 2
    assert far.requests[0].path == "/there"
    assert not {"authorization", "x-api-key", "cookie"} & far.requests[0].headers.keys()
    assert far.requests[0].headers["accept"] == "text/event-stream"


async def test_userinfo_is_sent_as_basic_authorization() -> None:
    async with SseServer(reply(b"data: [DONE]\n\n")) as server:
        await collect(server.url.replace("//", "//me:pass%20word@"))
    assert (
        server.requests[0].headers["authorization"] == f"Basic {base64.b64encode(b'me:pass word').decode()}"
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_only_307_and_308_redirect_a_post_to_a_post(status: int) -> None:
    redirect = Reply(status=status, headers=(("Location", "/answer"),))
    async with SseServer(redirect, reply(b"data: [DONE]\n\n")) as server:
        await collect(server.url, method="POST")
    sent, redirected = server.requests
    expected = ("POST", sent.body) if status > 303 else ("GET", b"")
    assert (redirected.method, redirected.body) == expected
    assert ("content-type" in redirected.headers) == (status > 303)


@pytest.mark.parametrize("location", ["/stream", "?n={n}", "ftp://elsewhere/"])
async def test_redirects_that_lead_nowhere_are_faults(location: str) -> None:
    async with SseServer(script=lambda _: Reply(status=302, headers=(("Location", "/stream"),))) as server:
        server._script = lambda request: Reply(
            status=302, headers=(("Location", location.replace("{n}", str(len(server.requests)))),)
        )
        _, fault = await read_until_fault(server.url)
    assert fault.kind is FaultKind.BAD_REQUEST
    assert len(server.requests) < 15


async def test_no_message_tells_a_secret() -> None:
    def echo(request: object) -> Reply:
        return Reply((b"Bad key sk-very-secret for hunter2word, token=abc12345 failed",), status=401)

    async with SseServer(script=echo) as server:
        url = server.url.replace("//", "//user:hunter2word@") + "?token=abc12345"
        _, fault = await read_until_fault(url, headers={"Authorization": "Bearer sk-very-secret"})
    for secret in ("sk-very-secret", "hunter2word", "abc12345"):
        assert secret not in str(fault)
        assert secret not in fault.message


async def test_a_header_that_cannot_be_sent_is_not_quoted() -> None:
    async with SseServer(reply()) as server:
        _, fault = await read_until_fault(server.url, headers={"X-Key": "sk-secret\nmore"})
    assert fault.kind is FaultKind.BAD_REQUEST
    assert "sk-secret" not in fault.message


@pytest.mark.parametrize("url", ["http://", "ftp://host/", "http://[::1/", "http://host:port/", "host"])
def test_an_invalid_address_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        SseSource(url, clients=HttpClients())


# Resuming and leaving


async def test_resuming_says_the_last_event_id() -> None:
    async with SseServer(reply(b"data: [DONE]\n\n")) as server:
        items = await collect(server.url + "?since={lastEventId}", resume_at("a b/ü"))
    assert items[0] == Connected(StreamOrigin.CURSOR, "HTTP/1.1", reused=False)
    request = server.requests[0]
    assert request.headers["last-event-id"].encode("latin-1").decode() == "a b/ü"
    assert request.target == "/stream?since=a%20b%2F%C3%BC"


async def test_our_own_server_gets_the_id_in_the_query_too() -> None:
    async with SseServer(reply(b"data: [DONE]\n\n")) as server:
        await collect(server.url + "?debate=1", resume_at("42", "log"))
    assert server.requests[0].target == "/stream?debate=1&lastEventId=42"


@pytest.mark.parametrize("cursor", [None, Cursor(""), Cursor("no\x01header")])
async def test_without_a_usable_id_the_stream_starts_anew(cursor: Cursor | None) -> None:
    async with SseServer(reply(b"data: [DONE]\n\n")) as server:
        items = await collect(server.url, ResumePoint(2, cursor, "said"))
    assert items[0] == Connected(StreamOrigin.START, "HTTP/1.1", reused=False)
    assert server.requests[0].last_event_id is None


async def test_leaving_closes_the_connection_at_once() -> None:
    async with SseServer(reply(b"data: a\n\n", Cut.STALL)) as server, source(server.url) as sse:
        async with sse.open(REQUEST) as stream:
            async for item in stream:
                if isinstance(item, Chunk):
                    break
        await server.requests[0].gone.wait()


async def test_cancelling_closes_the_connection_at_once() -> None:
    async with SseServer(Reply((Cut.STALL,))) as server, source(server.url) as sse:

        async def follow() -> None:
            async with sse.open(REQUEST) as stream:
                async for _ in stream:
                    pass

        task = asyncio.create_task(follow())
        request = await server.received(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await request.gone.wait()


async def test_a_reader_that_waits_makes_the_sender_wait() -> None:
    endless = Reply(iter(lambda: b"data: " + b"x" * 4096 + b"\n\n", b""))
    async with SseServer(endless) as server, source(server.url) as sse, sse.open(REQUEST) as stream:
        await anext(stream)
        await anext(stream)
        request = server.requests[0]
        before = -1
        while request.sent != before:
            before = request.sent
            for _ in range(100):
                await asyncio.sleep(0)
        assert request.sent < 64 << 20
        await anext(stream)


# JSON lines, and what else is not an event stream


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-ndjson",
        "application/ndjson; charset=utf-8",
        "application/jsonl",
        "application/jsonlines",
        "application/json-seq",
        "Application/Stream+JSON",
    ],
)
async def test_json_lines_are_events(content_type: str) -> None:
    body = b'{"delta": "Tea \xf0\x9f\x8d\xb5"}\n\n{"delta": " is."}\r\n\x1e{"delta": " Yes."}\n[DONE]\n'
    for steps in ((body,), tuple(each_byte(body)), (body.rstrip(b"\n"),)):
        async with SseServer(Reply(steps, content_type=content_type)) as server:
            items = await collect(server.url)
        assert (text(items), items[-1]) == ("Tea 🍵 is. Yes.", Finished())


async def test_events_labelled_as_json_lines_are_events() -> None:
    body = b': hi\n\ndata: {"delta": "Tea."}\n\ndata: [DONE]\n\n'
    for steps in ((body,), tuple(each_byte(body))):
        async with SseServer(Reply(steps, content_type="application/x-ndjson")) as server:
            assert text(await collect(server.url)) == "Tea."


async def test_a_whole_answer_may_be_a_json_line() -> None:
    answer = {
        "object": "chat.completion",
        "choices": [{"message": {"content": "Tea."}, "finish_reason": "stop"}],
    }
    for body in (json.dumps(answer), json.dumps(answer, indent=1) + "\n"):
        async with SseServer(Reply((body.encode(),), content_type="application/jsonl")) as server:
            items = await collect(server.url)
        assert text(items) == "Tea."
        assert isinstance(items[-1], Finished)


@pytest.mark.parametrize("cut", [Cut.CLOSE, Cut.RESET])
async def test_json_lines_cut_anywhere_are_a_network_fault(cut: Cut) -> None:
    body = b'{"delta": "Tea"}\n{"delta": " is."}\n{"delta": " Yes."}\n'
    for end in range(0, len(body), 5):
        script = Reply((body[:end], cut), content_type="application/x-ndjson")
        async with SseServer(script) as server:
            items, fault = await read_until_fault(server.url)
        assert fault.kind is FaultKind.NETWORK
        assert "Tea is. Yes.".startswith(text(items))


async def test_a_404_names_the_url_without_its_secrets() -> None:
    async with SseServer(Reply((b"Nothing here.",), status=404, content_type="text/plain")) as server:
        url = server.url.replace("http://", "http://user:SECRET-1@") + "/argue?key=SECRET-2"
        _, fault = await read_until_fault(url)
    assert fault.message.startswith("Nothing here. The requested URL was 'http://127.0.0.1:")
    assert fault.message.endswith("/argue'.")
    assert "SECRET" not in fault.message


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, {"error": {"message": "Input was flagged by moderation."}}, FaultKind.REFUSED),
        (
            403,
            {"errors": [{"code": 1009, "message": "Not available in your country."}]},
            FaultKind.BAD_REQUEST,
        ),
        (400, [{"error": {"message": "API key not valid."}}], FaultKind.AUTH),
        (429, {"error": {"message": "Quota exceeded: requests per day"}}, FaultKind.QUOTA),
    ],
)
async def test_errors_of_endpoints_are_read_like_those_of_models(
    status: int, body: object, kind: FaultKind
) -> None:
    script = Reply((json.dumps(body).encode(),), status=status, content_type="application/json")
    async with SseServer(script) as server:
        _, fault = await read_until_fault(server.url)
    assert fault.kind is kind
    assert "{" not in fault.message


@pytest.mark.parametrize("status", [302, 500])
@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_body_without_end_is_bounded(status: int, coding: str) -> None:
    step = gzip.compress(b"x" * (1 << 20)) * 32 if coding else b"x" * 65536
    headers = (("Location", "/next"), *((("Content-Encoding", coding),) if coding else ()))

    def respond(request: ReceivedRequest) -> Reply:
        if request.path == "/next":
            return reply(b"data: text\n\n")
        return Reply(iter(lambda: step, b""), status=status, headers=headers)

    async with SseServer(script=respond) as server, source(server.url) as sse:
        tracemalloc.start()
        try:
            with suppress(Fault):
                async with sse.open(REQUEST) as stream:
                    assert [item async for item in stream]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 12 << 20
