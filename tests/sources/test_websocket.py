"""WebSocket endpoints, over real sockets: the same payloads, the same faults, the same endings."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
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
from debate_tui.sources.http import HttpClients
from debate_tui.sources.websocket import MESSAGE_LIMIT, WebSocketSource, _WebSocketMessages
from tests.fakes.sse_server import Cut, Reply, SseServer, each_byte, reply
from tests.fakes.websocket import binary, close, frame, ping, text, upgraded
from tests.sources.source_reader import count_turns, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import StreamItem
    from tests.fakes.sse_server import Step

REQUEST = TurnRequest("Is it?", "opening", 3, (Message("user", "Go on."),))
CONNECTED = Connected(StreamOrigin.START, "WebSocket", reused=False)


@asynccontextmanager
async def websocket_server(*steps: Step) -> AsyncIterator[SseServer]:
    async with SseServer(script=lambda request: upgraded(request, *steps)) as server:
        yield server


def address(server: SseServer) -> str:
    return server.url.replace("http:", "ws:")


async def outcome(
    server: SseServer, resume: ResumePoint | None = None, path: str = "", **options: object
) -> tuple[list[StreamItem], Fault | None]:
    clients = HttpClients()
    try:
        source = WebSocketSource(address(server) + path, clients=clients, **options)  # type: ignore[arg-type]
        heard = await read_source(source, REQUEST, resume)
    finally:
        await clients.aclose()
    return heard.items, heard.fault


async def read_fault(server: SseServer) -> Fault:
    items, fault = await outcome(server)
    assert fault is not None, items
    return fault


async def test_messages_are_read_like_event_data() -> None:
    said = "Ünï 👩‍🚀"
    stream = text(json.dumps({"delta": said})) + close()
    async with websocket_server(*each_byte(stream)) as server:
        items, fault = await outcome(server)
    assert fault is None
    assert items == [CONNECTED, Chunk(said), Finished()]


@pytest.mark.parametrize(
    "message",
    [
        text('{"delta": "a"}'),
        text('{"type": "batch", "chunks": [{"delta": "a"}]}'),
        text('{"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}'),
        text("a"),
        binary(msgspec.msgpack.encode({"delta": "a"})),
        binary(b'{"delta": "a"}'),
        frame(1, b'{"del', final=False) + ping() + frame(0, b'ta": "a"}'),
    ],
)
async def test_all_payloads_are_spoken(message: bytes) -> None:
    async with websocket_server(message, close()) as server:
        items, fault = await outcome(server)
    assert fault is None
    assert [item for item in items if not isinstance(item, KeepAlive)] == [CONNECTED, Chunk("a"), Finished()]


@pytest.mark.parametrize("end", ["[DONE]", '{"type": "done"}'])
async def test_an_end_marker_is_enough(end: str) -> None:
    async with websocket_server(text('{"delta": "a"}'), text(end), Cut.STALL) as server:
        items, fault = await outcome(server)
        await server.requests[0].gone.wait()
    assert fault is None
    assert items[-1] == Finished()


async def test_pings_are_answered_and_are_signs_of_life() -> None:
    async with websocket_server(ping(b"you?"), text("[DONE]"), Cut.STALL) as server:
        items, _ = await outcome(server)
        request = server.requests[0]
        await request.gone.wait()
    assert items == [CONNECTED, KeepAlive(), Finished()]
    assert request.rest[0] == 0x8A  # a pong


async def test_ids_in_the_messages_are_cursors() -> None:
    async with websocket_server(
        text('{"id": 7, "delta": "a"}'), text('{"seq": 8, "delta": "b"}'), Cut.CLOSE
    ) as server:
        items, fault = await outcome(server)
    assert items[1:] == [Chunk("a", cursor=Cursor("7", "deltas")), Chunk("b", cursor=Cursor("8", "deltas"))]
    assert isinstance(fault, UnmarkedEnd)
    assert not fault.orderly


async def test_the_log_of_a_debate_is_resumed_by_its_numbers() -> None:
    delta = '{"type": "turn.delta", "seq": 5, "turn": 1, "offset": 0, "text": "a"}'
    async with websocket_server(text(delta), close(1001)) as server:
        items, fault = await outcome(server)
        assert items[-1] == Chunk("a", cursor=Cursor("5", "log"))
        assert fault is not None
        await outcome(server, ResumePoint(2, Cursor("5", "log"), "a"), path="?debate=x")
    assert server.requests[1].target == "/stream?debate=x&lastEventId=5"


async def test_a_completions_id_is_no_event_id() -> None:
    async with websocket_server(
        text('{"id": "chatcmpl-1", "choices": [{"delta": {"content": "a"}}]}'), close()
    ) as server:
        items, fault = await outcome(server)
    assert items[1:] == [Chunk("a")]
    assert fault is not None
    assert not isinstance(fault, UnmarkedEnd)


async def test_a_prompt_is_posted_as_the_first_message() -> None:
    async with websocket_server(text("[DONE]"), Cut.STALL) as server:
        await outcome(server, method="POST")
        await server.requests[0].gone.wait()
    sent = server.requests[0].rest
    size, start = (sent[1] & 0x7F, 2) if sent[1] & 0x7F < 126 else (int.from_bytes(sent[2:4]), 4)
    mask, body = sent[start : start + 4], sent[start + 4 : start + 4 + size]
    assert json.loads(bytes(b ^ mask[i % 4] for i, b in enumerate(body)))["prompt"] == "Go on."


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1001, FaultKind.NETWORK),
        (1008, FaultKind.BAD_REQUEST),
        (1011, FaultKind.SERVER),
        (1013, FaultKind.OVERLOADED),
        (3000, FaultKind.NETWORK),
        (4401, FaultKind.AUTH),
        (4429, FaultKind.RATE_LIMIT),
    ],
)
async def test_close_codes_have_their_kinds(code: int, kind: FaultKind) -> None:
    async with websocket_server(text('{"delta": "a"}'), close(code, "Because.")) as server:
        items, fault = await outcome(server)
    assert items[-1] == Chunk("a")
    assert fault is not None
    assert (fault.kind, fault.message, fault.text_seen) == (kind, "Because.", True)


@pytest.mark.parametrize("cut", [Cut.CLOSE, Cut.RESET, Cut.HALF_CLOSE])
@pytest.mark.parametrize("start", [b"", b"\x81\x05he"])
async def test_a_broken_connection_is_a_network_fault(cut: Cut, start: bytes) -> None:
    async with websocket_server(start, cut) as server:
        fault = await read_fault(server)
    assert fault.kind is FaultKind.NETWORK
    assert not isinstance(fault, UnmarkedEnd)


@pytest.mark.parametrize("nonsense", [b"\x83\x00", frame(1, b"\xff\xfe"), b"\x81\xff" + b"\x00" * 12])
async def test_frames_that_break_the_protocol_are_a_network_fault(nonsense: bytes) -> None:
    async with websocket_server(nonsense, Cut.STALL) as server:
        fault = await read_fault(server)
    assert fault.kind is FaultKind.NETWORK


async def test_a_ping_that_cannot_be_answered_is_a_network_fault() -> None:
    """There is nobody left for the pong."""
    async with websocket_server(*[ping(b"you?")] * 2000, Cut.RESET) as server:
        fault = await read_fault(server)
    assert fault.kind is FaultKind.NETWORK


async def test_an_endless_message_is_a_bad_request() -> None:
    piece = frame(0, b"x" * 65536, final=False)
    pieces = (frame(1, b"x", final=False), *(piece,) * (MESSAGE_LIMIT // 65536 + 2))
    async with websocket_server(*pieces, Cut.STALL) as server:
        fault = await read_fault(server)
    assert fault.kind is FaultKind.BAD_REQUEST


@pytest.mark.parametrize(
    ("status", "kind"), [(200, FaultKind.BAD_REQUEST), (401, FaultKind.AUTH), (503, FaultKind.OVERLOADED)]
)
async def test_a_refused_upgrade_is_a_fault(status: int, kind: FaultKind) -> None:
    async with SseServer(Reply(status=status)) as server:
        fault = await read_fault(server)
    assert (fault.kind, fault.status) == (kind, status)


async def test_a_handshake_that_is_no_answer_to_ours_is_refused() -> None:
    async with SseServer(script=lambda request: upgraded(request, accept="bm90IG91cnM=")) as server:
        fault = await read_fault(server)
    assert fault.kind is FaultKind.BAD_REQUEST


async def test_nobody_there_is_a_network_fault() -> None:
    async with SseServer(reply()) as server:
        await server.refuse()
        fault = await read_fault(server)
    assert fault.kind is FaultKind.NETWORK


async def test_leaving_says_goodbye_and_closes_at_once() -> None:
    async with websocket_server(text('{"delta": "a"}'), Cut.STALL) as server:
        clients = HttpClients()
        async with WebSocketSource(address(server), clients=clients).open(REQUEST) as stream:
            assert await anext(stream) == CONNECTED
            assert await anext(stream) == Chunk("a")
        request = server.requests[0]
        await request.gone.wait()
        await clients.aclose()
    assert request.rest[0] == 0x88  # a close frame


async def test_cancelling_closes_at_once() -> None:
    async with websocket_server(Cut.STALL) as server:
        task = asyncio.create_task(outcome(server))
        request = await server.received(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await request.gone.wait()


@pytest.mark.parametrize("url", ["http://host/", "ws://", "wss://[::1/"])
def test_an_invalid_address_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        WebSocketSource(url, clients=HttpClients())


EMPTY_FRAMES = {
    "continuations": frame(1, b"", final=False)
    + frame(0, b"", final=False) * 20_000
    + frame(0, b"x")
    + text("y"),
    "pings": ping() * 20_000 + text("y"),
    "messages": text("") * 20_000 + text("y"),
}


@pytest.mark.parametrize("frames", EMPTY_FRAMES.values(), ids=EMPTY_FRAMES)
async def test_frames_without_data_leave_time_for_others(frames: bytes) -> None:
    """All of them come with a few reads, which keep the event loop for a few milliseconds at a time."""
    async with websocket_server(frames, close(), Cut.HALF_CLOSE) as server:
        reading = asyncio.ensure_future(outcome(server))
        turns = await count_turns(reading)
    items, fault = reading.result()
    assert fault is None
    assert "".join(item.text for item in items if isinstance(item, Chunk)).endswith("y")
    assert turns > 30


async def test_frames_without_data_are_not_kept() -> None:
    messages = _WebSocketMessages.__new__(_WebSocketMessages)
    messages._message_parts, messages._message_size = [], 0
    for _ in range(1000):
        messages._add_part("")
    assert len(messages._message_parts) == 1
