"""Endpoints put together: HTTP/2 for several panes, WebSockets instead of SSE, one shared connection."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
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
    Resume,
    StreamOrigin,
    TurnRequest,
    UnmarkedEnd,
)
from debate_tui.sources import shared_connection
from debate_tui.sources.endpoint import NotAStream
from debate_tui.sources.endpoint_factory import EndpointFactory
from debate_tui.sources.http import HttpClients
from tests.fakes import tls
from tests.fakes.h2_server import GoAway, H2Server, Reset
from tests.fakes.sse_server import Cut, Reply, SseServer, reply
from tests.fakes.websocket import close, text, upgraded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import Source, StreamItem
    from tests.fakes.sse_server import ReceivedRequest

REQUEST = TurnRequest("topic", "opening", 1, ())


@asynccontextmanager
async def open_endpoints(*, http2: bool = False) -> AsyncIterator[EndpointFactory]:
    endpoints = EndpointFactory(http2=http2, clients=HttpClients(make_tls_context=tls.client))
    try:
        yield endpoints
    finally:
        await endpoints.aclose()


async def collect(
    source: Source, resume: Resume | None = None, request: TurnRequest = REQUEST
) -> list[StreamItem]:
    async with source.open(request, resume) as stream:
        return [item async for item in stream]


async def read_fault(source: Source, resume: Resume | None = None) -> Fault:
    with pytest.raises(Fault) as caught:
        await collect(source, resume)
    return caught.value


def text_of(items: list[StreamItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Chunk))


def data(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


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


# One connection for several panes


async def test_a_shared_address_is_opened_once_and_feeds_all_panes() -> None:
    stream = (
        data(debaterId="con", delta="C1"),
        b": ping\n\n",
        data(debater="pro", delta="P1"),
        data(type="batch", chunks=[{"debaterId": "pro", "delta": "P2"}, {"debaterId": "con", "delta": "C2"}]),
        data(debaterId="con", type="done"),
        data(debaterId="pro", delta="P3"),
        b"event: done\ndata:\n\n",
    )
    async with SseServer(Reply(stream)) as server, open_endpoints() as endpoints:
        pro, con = (endpoints.make(server.url, names=(name,)) for name in ("pro", "con"))
        found = await asyncio.gather(collect(pro), collect(con))
        assert len(server.requests) == 1
        assert [text_of(items) for items in found] == ["P1P2P3", "C1C2"]
        assert [items[-1] for items in found] == [Finished(), Finished()]
        await asyncio.gather(collect(pro), collect(con))
        assert len(server.requests) == 2


@pytest.mark.parametrize("tags", [("x", "y"), ("2", "1"), ("Pro", "CON")])
async def test_panes_are_found_by_name_number_or_order(tags: tuple[str, str]) -> None:
    expected = {"x": ["x", "y"], "2": ["1", "2"], "Pro": ["Pro", "CON"]}[tags[0]]
    stream = (*(data(debaterId=tag, delta=tag) for tag in tags), b"data: [DONE]\n\n")
    async with SseServer(Reply(stream)) as server, open_endpoints() as endpoints:
        panes = [endpoints.make(server.url, names=(name,)) for name in ("pro", "con")]
        assert [text_of(items) for items in await asyncio.gather(*map(collect, panes))] == expected


async def test_chunks_that_are_nobodys_in_particular_are_not_shared() -> None:
    async with (
        SseServer(reply(b": hi\n\n", data(delta="a"), b"data: [DONE]\n\n")) as server,
        open_endpoints() as endpoints,
    ):
        panes = [endpoints.make(server.url) for _ in range(3)]
        for _ in range(2):
            found = await asyncio.gather(*map(collect, panes))
            assert [text_of(items) for items in found] == ["a"] * 3
            assert all(sum(isinstance(item, Connected) for item in items) == 1 for items in found)
    assert len(server.requests) == 6


async def test_an_address_with_the_turn_in_it_is_not_shared() -> None:
    async with (
        SseServer(reply(data(debaterId="a", delta="a"), b"data: [DONE]\n\n")) as server,
        open_endpoints() as endpoints,
    ):
        panes = [endpoints.make(f"{server.url}/{{turn}}") for _ in range(2)]
        for turn, pane in enumerate(panes):
            assert text_of(await collect(pane, request=TurnRequest("t", "p", turn, ()))) == "a"
    assert [request.path for request in server.requests] == ["/stream/0", "/stream/1"]


async def test_one_pane_leaving_does_not_touch_the_other() -> None:
    go_on = asyncio.Event()
    stream = (
        data(debaterId="a", delta="a"),
        data(debaterId="b", delta="b"),
        go_on,
        data(debaterId="b", type="done"),
    )
    async with SseServer(Reply((*stream, Cut.STALL))) as server, open_endpoints() as endpoints:
        a, b = (endpoints.make(server.url, names=(name,)) for name in "ab")
        async with b.open(REQUEST) as stream_b:
            async with a.open(REQUEST) as stream_a:
                assert await anext(stream_a) == await anext(stream_b)
                while await anext(stream_a) != Chunk("a"):
                    pass
            assert not server.requests[0].gone.is_set()
            go_on.set()
            rest = [item async for item in stream_b if not isinstance(item, KeepAlive)]
            assert rest == [Chunk("b"), Finished()]
        await server.requests[0].gone.wait()
    assert len(server.requests) == 1


async def test_a_fault_of_the_shared_connection_reaches_every_pane() -> None:
    async with (
        SseServer(Reply(status=503, headers=(("Retry-After", "3"),))) as server,
        open_endpoints() as endpoints,
    ):
        panes = [endpoints.make(server.url) for _ in range(2)]
        faults = await asyncio.gather(*map(read_fault, panes))
    assert [(fault.kind, fault.retry_after) for fault in faults] == [(FaultKind.OVERLOADED, 3.0)] * 2
    assert faults[0] is not faults[1]
    assert len(server.requests) == 1


async def test_a_pane_that_resumes_does_so_on_its_own_and_hears_only_its_own() -> None:
    first = (
        b"id: 1\n" + data(debaterId="a", delta="a1"),
        b"id: 2\n" + data(debaterId="b", delta="b1"),
        Cut.CLOSE,
    )
    second = (b"id: 3\n" + data(debaterId="b", delta="b2"), b"id: 4\n" + data(debaterId="a", delta="a2"))

    def script(request: ReceivedRequest) -> Reply:
        return reply(*second, b"data: [DONE]\n\n") if request.last_event_id else reply(*first)

    async with SseServer(script=script) as server, open_endpoints() as endpoints:
        a, b = (endpoints.make(server.url, names=(name,)) for name in "ab")
        faults = await asyncio.gather(read_fault(a), read_fault(b))
        assert [fault.text_seen for fault in faults] == [True, True]
        items = await collect(a, Resume(1, Cursor("1", "deltas"), "a1"))
    assert [item for item in items if isinstance(item, Chunk)] == [Chunk("a2", cursor=Cursor("4", "deltas"))]
    assert [request.last_event_id for request in server.requests] == [None, "1"]


async def test_a_pane_that_opens_later_gets_what_waited_for_it() -> None:
    stream = (
        data(debaterId="a", delta="a"),
        data(debaterId="b", delta="b"),
        data(debaterId="a", type="done"),
    )
    async with (
        SseServer(Reply((*stream, data(debaterId="b", type="done")))) as server,
        open_endpoints() as endpoints,
    ):
        a, b = (endpoints.make(server.url, names=(name,)) for name in "ab")
        async with a.open(REQUEST) as stream_a:
            assert text_of([item async for item in stream_a]) == "a"
            await server.requests[0].done.wait()
            assert text_of(await collect(b)) == "b"
    assert len(server.requests) == 1


async def test_unclaimed_chunks_are_dropped_and_requested_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_connection, "QUEUE_LIMIT", 10)
    mine = [data(debaterId="b", delta=f"{n}") for n in range(9)]
    stream = (*mine, data(debaterId="a", delta="a"), b"data: [DONE]\n\n")
    async with SseServer(Reply(stream)) as server, open_endpoints() as endpoints:
        a, b = (endpoints.make(server.url, names=(name,)) for name in "ab")
        async with a.open(REQUEST) as stream_a:
            assert text_of([item async for item in stream_a]) == "a"
            assert text_of(await collect(b)) == "012345678"
    assert len(server.requests) == 2


async def test_a_pane_that_does_not_read_bounds_what_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_connection, "QUEUE_LIMIT", 1000)
    endless = Reply(iter(lambda: data(debaterId="b", delta="x" * 1000), b""))
    async with SseServer(endless) as server, open_endpoints() as endpoints:
        a, b = (endpoints.make(server.url, names=(name,)) for name in "ab")
        async with a.open(REQUEST) as stream_a, b.open(REQUEST) as stream_b:
            await anext(stream_a)
            before = -1
            while server.requests[0].sent != before:
                before = server.requests[0].sent
                for _ in range(100):
                    await asyncio.sleep(0)
            await anext(stream_b)
            assert isinstance(await anext(stream_b), Chunk)
        await server.requests[0].gone.wait()


async def test_what_a_sign_of_life_says_reaches_every_pane() -> None:
    stream = (b"retry: 1500\n\n", b": ping\n\n" * 3, b"id: 9\n\n", data(debaterId="a", delta="a"))
    async with SseServer(reply(*stream, b"data: [DONE]\n\n")) as server, open_endpoints() as endpoints:
        panes = [endpoints.make(server.url, names=(name,)) for name in "ab"]
        for items in await asyncio.gather(*map(collect, panes)):
            signs = [item for item in items if isinstance(item, KeepAlive) and item != KeepAlive()]
            assert signs == [KeepAlive(retry_after=1.5), KeepAlive(Cursor("9"))]


async def test_cancelling_the_only_pane_closes_the_shared_connection() -> None:
    async with SseServer(reply(Cut.STALL)) as server, open_endpoints() as endpoints:
        panes = [endpoints.make(server.url) for _ in range(2)]
        tasks = [asyncio.create_task(collect(pane)) for pane in panes]
        request = await server.received(1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await request.gone.wait()
    assert len(server.requests) == 1
