"""A scripted HTTP server on loopback: what it sends, how it frames it, and where it breaks off are all given.

    async with SseServer(reply(b"data: a\n\n", Cut.RESET), reply(b"data: ab\n\n")) as server:
        … client opens server.url …
        await server.requests[0].gone.wait()   # the client has let go of the first connection

Nothing here sleeps: a stalled reply waits for the client to leave or for an `asyncio.Event` in its script.
"""

from __future__ import annotations

import asyncio
import enum
import json
import socket
import struct
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

DONE_EVENT = b"event: done\ndata: {}\n\n"
Framing = Literal["chunked", "length", "close"]


class Cut(enum.Enum):
    """How a reply breaks off where its script says so; none of them is an orderly end."""

    CLOSE = enum.auto()
    """FIN in both directions, without chunked terminator or before the full length."""
    RESET = enum.auto()
    """RST."""
    HALF_CLOSE = enum.auto()
    """FIN from the server, which goes on listening until the client leaves."""
    STALL = enum.auto()
    """Silence until the client leaves."""


Step = bytes | asyncio.Event | Cut
"""Bytes are one write (and one HTTP chunk), an event is waited for, a cut ends the connection."""


@dataclass(frozen=True)
class Reply:
    """What one request is answered with; a script that runs out ends the way its framing does.

    `head=False` sends no status line or headers at all, for servers that break before answering.
    `declared` is the Content-Length to claim, where it is not to be the true one. A script that is an
    iterator or asynchronous, such as an endless one, needs another framing than ``length``.
    """

    steps: tuple[Step, ...] | Iterable[Step] | AsyncIterable[Step] = ()
    status: int = 200
    content_type: str | None = "text/event-stream"
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = "chunked"
    declared: int | None = None
    keep_alive: bool = True
    head: bool = True
    http: str = "HTTP/1.1"


def reply(*steps: Step, **options: object) -> Reply:
    """A reply with its script as plain arguments."""
    return Reply(steps, **options)  # type: ignore[arg-type]


def delta_event(text: str, number: int | None = None) -> bytes:
    """An event that brings `text`, with an id if it has a number."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}data: {json.dumps({'delta': text}, ensure_ascii=False)}\n\n".encode()


def each_byte(data: bytes) -> Iterator[bytes]:
    """The same bytes, one per write."""
    return (data[i : i + 1] for i in range(len(data)))


@dataclass
class ReceivedRequest:
    """A request as the server saw it, and what became of its reply."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which connection it came on, counted from 1: two requests with the same number shared one."""
    gone: asyncio.Event
    """Set when the client has closed its side of the connection."""
    rest: bytearray
    """What the client has sent behind the request, such as WebSocket frames."""
    sent: int = 0
    """Bytes of body the transport has taken so far."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the script has run to its end."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}

    @property
    def last_event_id(self) -> str | None:
        return self.headers.get("last-event-id")


Script = Callable[[ReceivedRequest], Reply]


class SseServer:
    """Answers the n-th request with the n-th reply, and later ones with the last; or asks a function."""

    def __init__(
        self, *replies: Reply, script: Script | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[ReceivedRequest] = []
        self.arrived = asyncio.Condition()
        self.connections = 0
        self._replies = replies
        self._script = script
        self._tls = tls
        self._port = 0
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._held_back = asyncio.Event()

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/stream"

    async def listen(self) -> None:
        """Accept connections; after `refuse`, on the same port again."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self._port, ssl=self._tls, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuse new connections from now on; open ones live on."""
        assert self._server is not None
        self._server.close()

    async def received(self, count: int) -> ReceivedRequest:
        """Wait until `count` requests have come, and return the last of them."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def stalled(self, count: int) -> None:
        """Wait until `count` clients at once take nothing more."""
        while sum(not connection._writable.is_set() for connection in self._open) < count:
            self._held_back.clear()
            await self._held_back.wait()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def reply_to(self, request: ReceivedRequest) -> Reply:
        if self._script is not None:
            return self._script(request)
        return self._replies[min(len(self.requests), len(self._replies)) - 1]

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [connection.task for connection in self._open if connection.task]
        for connection in tuple(self._open):
            connection.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Connection(asyncio.Protocol):
    def __init__(self, server: SseServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._lost = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server.connections += 1
        self._number = self._server.connections
        self._server._open.add(self)
        self.task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._news.set()

    def eof_received(self) -> bool:
        self._gone.set()
        self._news.set()
        return self._transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._lost.set()
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()
        self._server._held_back.set()

    def resume_writing(self) -> None:
        self._writable.set()

    def abort(self) -> None:
        if self.task:
            self.task.cancel()
        self._transport.abort()

    async def _serve(self) -> None:
        try:
            while (request := await self._request()) is not None:
                self._server.requests.append(request)
                async with self._server.arrived:
                    self._server.arrived.notify_all()
                if not await self._answer(request, self._server.reply_to(request)):
                    break
        finally:
            self._transport.close()
            self._server._open.discard(self)

    async def _request(self) -> ReceivedRequest | None:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not await self._more():
                return None
        head = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        method, target, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            if not await self._more():
                return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return ReceivedRequest(method, target, headers, body, self._number, self._gone, self._buffer)

    async def _more(self) -> bool:
        if self._gone.is_set():
            return False
        self._news.clear()
        await self._news.wait()
        return not self._gone.is_set()

    async def _answer(self, request: ReceivedRequest, reply: Reply) -> bool:
        """Send a reply; whether the connection may carry another request."""
        if reply.head:
            self._transport.write(_head(reply))
        async for step in _steps(reply):
            if isinstance(step, asyncio.Event):
                await _either(step, self._gone)
            elif isinstance(step, Cut):
                await self._cut(step)
                request.done.set()
                return False
            else:
                await self._write(step, reply)
                request.sent += len(step)
            if self._lost.is_set():
                return False
        if reply.framing == "chunked" and reply.head and _has_body(reply):
            self._transport.write(b"0\r\n\r\n")
        request.done.set()
        return reply.keep_alive and reply.head and reply.framing != "close"

    async def _write(self, data: bytes, reply: Reply) -> None:
        if reply.framing == "chunked" and reply.head:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        self._transport.write(data)
        await self._writable.wait()
        # Lets a client in the same loop read this write before the next one is made.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _cut(self, cut: Cut) -> None:
        match cut:
            case Cut.RESET:
                linger = struct.pack("ii", 1, 0)
                self._transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
                self._transport.abort()
            case Cut.HALF_CLOSE:
                self._transport.write_eof()
                await self._gone.wait()
            case Cut.STALL:
                await self._gone.wait()
            case Cut.CLOSE:
                self._transport.close()


def _has_body(reply: Reply) -> bool:
    return reply.status not in (204, 304)


def _head(reply: Reply) -> bytes:
    lines = [f"{reply.http} {reply.status} Scripted"]
    if reply.content_type is not None:
        lines.append(f"Content-Type: {reply.content_type}")
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if _has_body(reply):
        if reply.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif reply.framing == "length":
            lines.append(f"Content-Length: {_length(reply)}")
    if not reply.keep_alive or reply.framing == "close":
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _length(reply: Reply) -> int:
    if reply.declared is not None:
        return reply.declared
    assert isinstance(reply.steps, tuple), "the length of an iterator is not known beforehand"
    return sum(len(step) for step in reply.steps if isinstance(step, bytes))


async def _steps(reply: Reply) -> AsyncIterable[Step]:
    if isinstance(reply.steps, AsyncIterable):
        async for step in reply.steps:
            yield step
    else:
        for step in reply.steps:
            yield step


async def _either(*events: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
