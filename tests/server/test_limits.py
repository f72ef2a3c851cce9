"""Floods of every kind: strangers cost bounded memory, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h2.config
import h2.connection
import h2.settings
import pytest
from hypercorn.protocol.h2 import H2Protocol
from msgspec.structs import replace
from priority import PriorityTree

from debate_tui.server import connections, hypercorn_server, limits
from debate_tui.server.limits import Allowance, PendingConnections, RateLimiter, network_of
from tests.fakes import tls
from tests.server.running_server import WEBSOCKET_HEADERS, RunningServer, live_debate

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from hypercorn.events import Event
    from starlette.types import ASGIApp, Receive, Scope, Send

MEBIBYTE = 1 << 20
CHUNK = 1 << 16

UPGRADE = b"GET /debates/d1/events HTTP/1.1\r\nHost: localhost\r\n" + WEBSOCKET_HEADERS + b"\r\n"


class ManualClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Stranger:
    """A connection that sends bytes, and what came back on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.sent = 0

    @property
    def is_closed(self) -> bool:
        return self.writer.is_closing() or self.reader.at_eof() or self.reader.exception() is not None

    async def flood(self, piece: bytes, limit: int) -> None:
        """Send the same again and again until the server closes the connection, or `limit` bytes are sent."""
        with contextlib.suppress(OSError):
            while self.sent < limit and not self.is_closed:
                self.writer.write(piece)
                self.sent += len(piece)
                await self.writer.drain()
                await asyncio.sleep(0)

    async def read_to_end(self) -> bytes:
        """Everything until the server closes."""
        data = b""
        with contextlib.suppress(OSError):
            while part := await self.reader.read(CHUNK):
                data = (data + part)[-CHUNK:]
        return data


@asynccontextmanager
async def stranger(here: RunningServer, alpn: str = "http/1.1") -> AsyncIterator[Stranger]:
    context: ssl.SSLContext | None = None
    if here.url.startswith("https"):
        context = tls.client()
        context.set_alpn_protocols([alpn])
    port = int(here.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        yield Stranger(reader, writer)
    finally:
        writer.transport.abort()


async def enlarge_snapshots(here: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the debate's JSON be larger than all buffers on its way."""
    debate = await here.hub.find("d1")
    assert debate is not None
    whole = replace(debate.snapshot(), topic="x" * 20_000_000)
    monkeypatch.setattr(debate, "snapshot", lambda *_, **_options: whole)


def resident_bytes() -> int:
    """The memory of this process, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]


@asynccontextmanager
async def flooded(
    capsys: pytest.CaptureFixture[str], *, secure: bool, alpn: str = "http/1.1"
) -> AsyncIterator[tuple[RunningServer, Stranger]]:
    """A server and a client that floods it: memory is bounded, others are served, and stderr is quiet."""
    async with live_debate(secure=secure) as (here, _), stranger(here, alpn) as flooder:
        await here.client.get("/health")
        before = resident_bytes()
        yield here, flooder
        assert flooder.sent < 64 * MEBIBYTE
        assert resident_bytes() - before < 32 * MEBIBYTE
        assert (await here.client.get("/debates")).status_code == 200
    check_quiet(capsys.readouterr().err)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a: b\r\n" * 10_000),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nx: ", b"x" * CHUNK),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"x" * CHUNK),
        (b"GET /", b"x" * CHUNK),
        (b"", b"\r\n" * (CHUNK // 2)),
        (b"", b"x" * CHUNK),
    ],
    ids=["headers", "value", "name", "target", "blank", "method"],
)
async def test_headers_without_end(
    start: bytes, piece: bytes, secure: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async with flooded(capsys, secure=secure) as (_, flooder):
        flooder.writer.write(start)
        await flooder.flood(piece, 64 * MEBIBYTE)


async def test_a_head_that_is_too_long_is_answered() -> None:
    async with live_debate() as (here, _):
        for head in (b"x: " + b"x" * 70_000, b"a: b\r\n" * 300):
            async with stranger(here) as client:
                client.writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n\r\n")
                assert (await client.read_to_end()).startswith(b"HTTP/1.1 431 ")
        async with stranger(here) as client:
            client.writer.write(
                b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"x: " + b"x" * 60_000 + b"\r\n\r\n"
            )
            assert (await client.read_to_end()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("path", ["/enter", "/health", "/debates/d1/events"])
async def test_a_body_without_end(path: str, secure: bool, capsys: pytest.CaptureFixture[str]) -> None:
    async with flooded(capsys, secure=secure) as (_, flooder):
        method = "POST" if path == "/enter" else "GET"
        flooder.writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        await flooder.flood(b"2000\r\n" + b"x" * 0x2000 + b"\r\n", 64 * MEBIBYTE)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: lo",
        b"\r\n",
        b"POST /enter HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\ntoken=",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n\r\n",
    ],
    ids=["nothing", "head", "blank", "body", "second"],
)
async def test_a_request_that_never_ends_is_given_up(
    monkeypatch: pytest.MonkeyPatch, start: bytes, secure: bool
) -> None:
    monkeypatch.setattr(limits, "REQUEST_TIMEOUT_S", 0.3)
    async with live_debate(secure=secure) as (here, _), stranger(here) as slow:
        slow.writer.write(start)
        await asyncio.wait_for(slow.read_to_end(), 10)


@pytest.mark.parametrize("secure", [False, True])
async def test_an_answer_that_is_not_taken_is_given_up(monkeypatch: pytest.MonkeyPatch, secure: bool) -> None:
    monkeypatch.setattr(limits, "RESPONSE_TIMEOUT_S", 0.5)
    async with live_debate(secure=secure) as (here, _), stranger(here) as slow:
        await enlarge_snapshots(here, monkeypatch)
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
        slow.writer.write(b"GET /debates/d1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with here.client.stream("GET", "/debates/d1/events") as watched:
            chunks = watched.aiter_bytes()
            await anext(chunks)
            while not slow.is_closed:
                slow.writer.write(b"\r\n")  # Only whoever writes notices that the connection is gone.
                await asyncio.sleep(0.01)
            assert len(here.hub.viewers) == 1


async def test_a_blocked_response_ends_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[Scope] = []

    def counted(app: ASGIApp) -> ASGIApp:
        async def counting_app(scope: Scope, receive: Receive, send: Send) -> None:
            running.append(scope)
            try:
                await app(scope, receive, send)
            finally:
                running.remove(scope)

        return counting_app

    async with live_debate(secure=True, behind=counted) as (here, _), stranger(here, "h2") as slow:
        await enlarge_snapshots(here, monkeypatch)
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        client.initiate_connection()
        client.send_headers(1, http2_head("/debates/d1"), end_stream=True)
        slow.writer.write(client.data_to_send())
        received = 0
        while received < client.local_settings.initial_window_size:
            received += len(await slow.reader.read(CHUNK))
        assert len(running) == 1
        slow.writer.transport.abort()
        while running:
            await asyncio.sleep(0)


def http2_requests(path: str, count: int) -> bytes:
    """Requests of a client that accepts no byte of any response."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    for number in range(count):
        client.send_headers(2 * number + 1, http2_head(path), end_stream=True)
    return client.data_to_send()


@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
async def test_answers_that_are_not_taken_cost_little(monkeypatch: pytest.MonkeyPatch, alpn: str) -> None:
    request = b"GET /debates/d1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with live_debate(secure=alpn == "h2") as (here, _), contextlib.AsyncExitStack() as stack:
        await enlarge_snapshots(here, monkeypatch)
        assert len((await here.client.get("/debates/d1")).content) > 20_000_000
        before = resident_bytes()
        for _ in range(20 if alpn == "http/1.1" else 1):
            slow = await stack.enter_async_context(stranger(here, alpn))
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
            slow.writer.write(request if alpn == "http/1.1" else http2_requests("/debates/d1", 20))
        for _ in range(20):
            assert (await here.client.get("/health")).status_code == 200
        assert resident_bytes() - before < 64 * MEBIBYTE


async def test_requests_of_http2_wait_for_each_other() -> None:
    answering: list[Scope] = []
    most = 0
    hold = asyncio.Event()

    def held(app: ASGIApp) -> ASGIApp:
        async def holding_app(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal most
            answering.append(scope)
            most = max(most, len(answering))
            await hold.wait()
            await app(scope, receive, send)
            answering.remove(scope)

        return holding_app

    async with live_debate(secure=True, behind=held) as (here, _), stranger(here, "h2") as flooder:
        flooder.writer.write(http2_requests("/health", 100))
        while len(answering) < limits.MAX_ANSWERED:
            await asyncio.sleep(0)
        hold.set()
        assert (await here.client.get("/health")).status_code == 200
        assert most <= limits.MAX_ANSWERED + 1


async def test_requests_of_http2_that_wait_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_WAITING_PER_ADDRESS", 50)
    async with (
        live_debate(secure=True) as (here, _),
        stranger(here, "h2") as first,
        stranger(here, "h2") as second,
    ):
        for each in (first, second):
            each.writer.write(http2_requests("/debates/d1", 50))
        readings = [asyncio.create_task(each.read_to_end()) for each in (first, second)]
        done, _ = await asyncio.wait(readings, timeout=4, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        assert (await here.client.get("/health")).status_code == 200


async def test_a_viewer_that_opens_no_window_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SEND_TIMEOUT_S", 0.5)
    async with live_debate(secure=True) as (here, _), stranger(here, "h2") as slow:
        debate = await here.hub.find("d1")
        assert debate is not None
        long = replace(debate.snapshot(), topic="x" * CHUNK)
        monkeypatch.setattr(debate, "snapshot", lambda *_, **_options: long)
        slow.writer.write(http2_requests("/debates/d1/events", 1))
        async with asyncio.timeout(4):
            while not here.hub.viewers.counts["dropped"]:
                await asyncio.sleep(0.01)


async def test_all_connections_of_an_address_are_read_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    handled = most = 0
    handle = H2Protocol.handle

    async def counted(protocol: H2Protocol, event: Event) -> None:
        nonlocal handled
        handled += 1
        await handle(protocol, event)

    async def start_over() -> None:
        nonlocal handled, most
        while True:
            most, handled = max(most, handled), 0
            await asyncio.sleep(0)

    monkeypatch.setattr(H2Protocol, "handle", counted)
    async with live_debate(secure=True) as (here, _), contextlib.AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(stranger(here, "h2")) for _ in range(20)]
        counting = asyncio.create_task(start_over())
        for each in strangers:
            each.writer.write(http2_requests("/health", 1) + http2_floods()["ping"] * 3000)
        for each in strangers:
            await asyncio.wait_for(each.reader.read(1), 4)
        counting.cancel()
        assert most <= 2


@pytest.mark.parametrize("path", ["/debates/d1/events", "/health"])
async def test_a_tls_connection_leaves_nothing_running(
    path: str, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    async with live_debate(secure=True) as (here, _):
        async with stranger(here) as gone:
            gone.writer.write(UPGRADE.replace(b"/debates/d1/events", path.encode()))
            await gone.reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(4):
            while any("_serve_connection" in repr(task) for task in asyncio.all_tasks()):
                await asyncio.sleep(0.01)
    check_quiet(capsys.readouterr().err)
    assert not recwarn.list


@pytest.mark.parametrize("secure", [False, True])
async def test_silent_connections_make_room_for_others(monkeypatch: pytest.MonkeyPatch, secure: bool) -> None:
    monkeypatch.setattr(limits, "PENDING_GRACE_S", 0.0)
    monkeypatch.setattr(PendingConnections.__init__, "__defaults__", (40, 20))
    async with (
        live_debate(secure=secure) as (here, _),
        contextlib.AsyncExitStack() as stack,
        here.client.stream("GET", "/debates/d1/events") as watched,
    ):
        chunks = watched.aiter_bytes()
        await anext(chunks)
        silent = [await stack.enter_async_context(stranger(here)) for _ in range(60)]
        assert (await here.client.get("/debates")).status_code == 200
        first = [asyncio.ensure_future(each.read_to_end()) for each in silent[:30]]
        await asyncio.wait_for(asyncio.gather(*first), 10)
        assert len(here.hub.viewers) == 1, "who watches is not counted"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x80\x00\x00\x00\x00",
        b"\x89\x80\x00\x00\x00\x00",
        b"\x89\xfd\x00\x00\x00\x00" + b"x" * 125,
        b"\x8a\x80\x00\x00\x00\x00",
        b"\x81\x80\x00\x00\x00\x00",
        b"\x82\x81\x00\x00\x00\x00x",
        b"\x02\xfe\x80\x00\x00\x00\x00\x00" + b"x" * 0x8000,
    ],
    ids=["continuation", "ping", "long ping", "pong", "text", "bytes", "fragment"],
)
async def test_frames_that_no_viewer_sends(
    frame: bytes, secure: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async with flooded(capsys, secure=secure) as (here, flooder):
        flooder.writer.write(UPGRADE)
        assert b" 101 " in await flooder.reader.readuntil(b"\r\n\r\n")
        if frame[0] == 0:
            flooder.writer.write(b"\x01\x80\x00\x00\x00\x00")
        reading = asyncio.create_task(flooder.read_to_end())
        await flooder.flood(frame * max(1, CHUNK // len(frame)), 64 * MEBIBYTE)
        await reading
        await here.hub.viewers.wait_until_empty()


async def test_what_a_viewer_may_send_on_a_websocket() -> None:
    async with live_debate() as (here, _), stranger(here) as viewer:
        viewer.writer.write(UPGRADE)
        await viewer.reader.readuntil(b"\r\n\r\n")
        for _ in range(10):
            viewer.writer.write(b"\x89\x82\x00\x00\x00\x00hi" + b"\x81\x84\x00\x00\x00\x00ping")
        received = b""
        while received.count(b"\x8a\x02hi") < 10:
            received += await viewer.reader.read(CHUNK)


def http2_head(path: str) -> list[tuple[str, str]]:
    return [(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "localhost")]


def http2_floods() -> dict[str, bytes]:
    """Frames of HTTP/2 that cost a server more than their client."""

    def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
        return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload

    return {
        "ping": frame(6, 0, 0, b"12345678"),
        "settings": frame(4, 0, 0),
        "window": frame(8, 0, 0, b"\x00\x00\x00\x01"),
        "priority": b"".join(frame(2, 0, n, b"\x00\x00\x00\x00\x10") for n in range(3, 4001, 2)),
        "unknown": frame(99, 0, 0),
        "garbage": b"x" * CHUNK,
        "continuation": frame(1, 0, 1, b"\x82") + frame(9, 0, 1) * 1000,
    }


@pytest.mark.parametrize("kind", list(http2_floods()))
async def test_frames_of_http2_without_end(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with flooded(capsys, secure=True, alpn="h2") as (_, flooder):
        flooder.writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        reading = asyncio.create_task(flooder.read_to_end())
        piece = http2_floods()[kind]
        await flooder.flood(piece * max(1, CHUNK // len(piece)), 64 * MEBIBYTE)
        await reading


async def test_priorities_of_http2_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    insert = PriorityTree.insert_stream

    def counted(tree: PriorityTree, stream_id: int, *where: Any, **options: Any) -> None:
        kept.append(stream_id)
        insert(tree, stream_id, *where, **options)

    monkeypatch.setattr(PriorityTree, "insert_stream", counted)
    async with live_debate(secure=True) as (here, _), stranger(here, "h2") as flooder:
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        client.initiate_connection()
        for number in range(3, 203, 2):
            client.prioritize(number, weight=16, depends_on=1)
        client.send_headers(205, http2_head("/health"), end_stream=True)
        flooder.writer.write(client.data_to_send())
        while 205 not in kept:
            await asyncio.sleep(0)
    assert kept == [205]


async def test_requests_of_http2_that_are_reset_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hypercorn_server, "BURST_BYTES", 1 << 13)
    async with flooded(capsys, secure=True, alpn="h2") as (_, flooder):
        client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        client.initiate_connection()
        reading = asyncio.create_task(flooder.read_to_end())
        for number in range(20_000):
            client.send_headers(2 * number + 1, http2_head("/debates"), end_stream=True)
            client.reset_stream(2 * number + 1)
            if number % 100 == 0:
                await flooder.flood(client.data_to_send(), flooder.sent + 1)
            if flooder.is_closed or reading.done():
                break
        await asyncio.wait_for(reading, 10)


@pytest.mark.parametrize("secure", [False, True])
async def test_bytes_that_are_no_request_cost_one_line(
    capsys: pytest.CaptureFixture[str], secure: bool
) -> None:
    async with live_debate(secure=secure) as (here, _):
        for _ in range(30):
            async with stranger(here) as client:
                client.writer.write(b"\x00\x01\x02 nothing of HTTP\r\n\r\n")
                await asyncio.wait_for(client.read_to_end(), 10)
    check_quiet(capsys.readouterr().err)


def check_quiet(printed: str) -> None:
    """No traceback, and no kind of line twice."""
    lines = printed.splitlines()
    assert "Traceback" not in printed
    assert len(lines) == len(set(lines)) <= 2
    assert all(line.startswith("debate-tui: ") for line in lines)


# The parts


@pytest.mark.parametrize(
    ("one", "other"),
    [("127.0.0.1", "::ffff:127.0.0.1"), ("2001:db8::1", "2001:db8::ffff:1"), ("fe80::1%eth0", "fe80::2")],
)
def test_addresses_of_one_customer_count_together(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8:0:1::1"), ("", "x")]
)
def test_other_addresses_do_not(one: str, other: str) -> None:
    assert network_of(one) != network_of(other)


class Registry:
    """Pending connections, and the numbers of those that were closed."""

    def __init__(self, *limits: int, byte_limit: int = MEBIBYTE) -> None:
        self.clock = ManualClock()
        self.closed: list[int] = []
        self.pending = PendingConnections(*limits, byte_limit=byte_limit, clock=self.clock)

    def connect(self, number: int, host: str = "10.0.0.1", **change: int) -> limits.PendingConnection:
        connection = self.pending.open(host, lambda: self.closed.append(number))
        self.pending.change(connection, **change)
        return connection


def test_the_oldest_silent_connection_goes_first() -> None:
    registry = Registry(3, 2)

    def connect_later(number: int, host: str, **change: int) -> limits.PendingConnection:
        registry.clock.now += 10
        return registry.connect(number, host, **change)

    busy = connect_later(1, "10.0.0.1", requests=1)
    connect_later(2, "10.0.0.1")
    connect_later(3, "10.0.0.1")
    assert registry.closed == [2], "the address has its own limit"
    registry.pending.change(busy, requests=-1)
    connect_later(4, "10.0.0.2")
    connect_later(5, "10.0.0.3")
    assert registry.closed == [2, 1]
    connect_later(6, "10.0.0.4", viewers=1)
    assert registry.closed == [2, 1, 3]
    assert len(registry.pending) == 2


def test_if_all_are_busy_the_new_connection_goes() -> None:
    registry = Registry(2, 2)
    for number in range(2):
        registry.connect(number, requests=1)
    registry.connect(9)
    assert registry.closed == [9]


def test_a_crowd_that_returns_at_once_is_admitted() -> None:
    registry = Registry(20, 10)
    for number in range(1000):
        registry.connect(number)
    assert registry.closed == []


def test_incomplete_requests_have_a_byte_limit_in_total() -> None:
    registry = Registry(byte_limit=100)
    small, large = registry.connect(1), registry.connect(2)
    for connection, size in ((small, 30), (large, 60), (small, 20)):
        registry.pending.add_received(connection, size)
    assert registry.closed == [2]
    registry.pending.change(small, requests=1)
    registry.pending.change(small, requests=-1)
    registry.pending.add_received(small, 100)
    assert registry.closed == [2]


def test_silent_connections_are_closed_in_time() -> None:
    registry = Registry()
    registry.connect(0)
    busy = registry.connect(1, requests=1)
    registry.connect(2, viewers=1)
    for seconds, closed in ((limits.REQUEST_TIMEOUT_S - 1, []), (1, [0]), (limits.REQUEST_TIMEOUT_S, [0])):
        registry.clock.now += seconds
        registry.pending.close_overdue()
        assert registry.closed == closed
    registry.pending.change(busy, requests=-1)
    registry.clock.now += limits.REQUEST_TIMEOUT_S
    registry.pending.close_overdue()
    assert registry.closed == [0, 1]


def test_an_allowance_comes_back() -> None:
    clock = ManualClock()
    allowance = Allowance(10, 2, clock)
    assert allowance.take(10)
    assert not allowance.take(1)
    clock.now += 3
    assert allowance.take(5)
    allowance.add(4)
    assert allowance.take(4)


def test_rates_are_kept_for_each_key() -> None:
    clock = ManualClock()
    limiter = RateLimiter(3, 10, clock=clock)
    for _ in range(3):
        assert not limiter.wait_s("a")
        limiter.count("a")
    assert limiter.wait_s("a") == pytest.approx(10)
    assert not limiter.wait_s("b")
    clock.now += 10
    assert not limiter.wait_s("a")
    for _ in range(100):
        limiter.count("a")
    assert limiter.wait_s("a") <= 10 * 2
