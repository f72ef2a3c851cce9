"""One connection for several panes: opened once, and each gets its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    FaultKind,
    Finished,
    KeepAlive,
    ResumePoint,
    TurnRequest,
)
from debate_tui.sources import shared_connection
from tests.fakes.scripted_source import REQUEST
from tests.fakes.sse_server import Cut, Reply, SseServer, reply
from tests.sources.endpoint_reader import collect, data, open_endpoints, read_fault, text_of

if TYPE_CHECKING:
    from tests.fakes.sse_server import ReceivedRequest


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
        items = await collect(a, ResumePoint(1, Cursor("1", "deltas"), "a1"))
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
