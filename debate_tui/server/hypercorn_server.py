"""hypercorn's HTTP/2 over TLS with our own accept loop and limits on clients.

hypercorn limits neither connections nor frames. Here, connections are counted before the TLS handshake, and
bytes from clients before they are parsed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from hypercorn import protocol
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol import h2

from debate_tui.server import limits
from debate_tui.server.limits import REQUEST_EXTENSION, Allowance, ClientRequest

if TYPE_CHECKING:
    import socket
    import ssl

    from h2.events import PriorityUpdated
    from hypercorn.config import Config
    from hypercorn.events import Event
    from starlette.types import ASGIApp, Receive, Scope, Send

    from debate_tui.server.limits import PendingConnection, PendingConnections

READ_BYTES: Final = 1 << 10
"""Bytes parsed before other clients get a turn: this much of the smallest frames takes 10 ms."""

BURST_BYTES: Final = limits.MAX_HEAD_BYTES + limits.MAX_BODY_BYTES + (1 << 15)
BYTES_PER_SECOND: Final = 1 << 12
BYTES_PER_WRITE: Final = 256
"""Bytes a client may send: a burst for requests, then per second and per write for acknowledgements."""

ACCEPT_RETRY_S: Final = 0.5
"""Seconds to wait after accepting fails, for example because there are no free descriptors."""

TLS_SHUTDOWN_TIMEOUT_S: Final = 1.0
"""Seconds to wait for a client's answer when TLS shuts down."""

_log = logging.getLogger("hypercorn.error")


class StreamBuffer(h2.StreamBuffer):
    """The unsent bytes of an HTTP/2 stream; the application waits while the client leaves them there.

    hypercorn's own lets the application continue whenever little is sent, and nothing is sent to a client
    that opens no window.
    """

    async def pop(self, max_length: int) -> bytes:
        data = bytes(self.buffer[:max_length])
        del self.buffer[:max_length]
        if len(self.buffer) < h2.BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


class Http2Protocol(h2.H2Protocol):
    """HTTP/2 without priorities, which RFC 9113 has deprecated.

    hypercorn keeps a tree of all streams that a client names, and searches all of it for each frame.
    """

    async def _priority_updated(self, event: PriorityUpdated) -> None:
        pass


# hypercorn takes neither class from its users.
h2.StreamBuffer = StreamBuffer  # type: ignore[misc]
protocol.H2Protocol = Http2Protocol  # type: ignore[attr-defined]


class HttpServer(TCPServer):
    """One connection, closed if its client sends more than a viewer needs to."""

    def __init__(
        self,
        pending: PendingConnections,
        connection: PendingConnection,
        app: ASGIApp,
        config: Config,
        context: WorkerContext,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        queue: asyncio.Lock,
    ) -> None:
        self._pending = pending
        self._connection = connection
        self._app = app
        self._queue = queue
        self._allowance = Allowance(BURST_BYTES, BYTES_PER_SECOND)
        self._turn = asyncio.Semaphore(limits.MAX_ANSWERED)
        self._handling = False
        self._is_over = False
        wrapped = ASGIWrapper(self._run_app)  # type: ignore[arg-type] # hypercorn types ASGI's dicts closely
        super().__init__(wrapped, asyncio.get_running_loop(), config, context, {}, *streams)

    async def protocol_send(self, event: Event) -> None:
        if self._is_over and isinstance(event, Updated):
            return  # A connection without requests would get a timer again.
        # Answers to the client's own frames, such as pongs, must not pay for more frames.
        if isinstance(event, RawData) and not self._handling:
            self._allowance.add(BYTES_PER_WRITE)
        await super().protocol_send(event)

    async def _run_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and scope["http_version"] == "1.1":
            self._allowance = Allowance(limits.WEBSOCKET_BURST_BYTES, limits.WEBSOCKET_BYTES_PER_SECOND)
        scope["extensions"][REQUEST_EXTENSION] = ClientRequest(
            self._pending, self._connection, turn=self._turn
        )
        await self._app(scope, receive, send)

    async def _read_data(self) -> None:
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(READ_BYTES)
            except OSError:
                break
            if not self._allowance.take(len(data)):
                self.writer.transport.abort()
                break
            self._pending.add_received(self._connection, len(data))
            async with self._queue:  # However many connections an address has, others wait for one of them.
                await asyncio.sleep(0)  # `read` does not yield if data is buffered.
            self._handling = True
            await self.protocol.handle(RawData(data))
            self._handling = False
        self._is_over = True
        await self.protocol.handle(Closed())
        # hypercorn wakes neither an application that waits until an HTTP/2 stream accepts more nor its own
        # timers, and keeps the connection's buffers as long as they run. This cancels all tasks.
        raise asyncio.CancelledError


class HypercornServer:
    """Accepts TLS connections and serves each with `HttpServer`."""

    def __init__(self, app: ASGIApp, config: Config, pending: PendingConnections) -> None:
        self._app = app
        self._config = config
        self._pending = pending
        self._context = WorkerContext(None)
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; connections then have `config.graceful_timeout` seconds to finish."""
        tls = self._config.create_ssl_context()
        assert tls is not None
        accepting = asyncio.create_task(self._accept(listener, tls))
        try:
            await stop.wait()
        finally:
            accepting.cancel()
            await asyncio.wait({accepting})
            listener.close()
            await self._context.terminated.set()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=self._config.graceful_timeout)
            for task in self._tasks:
                task.cancel()

    async def _accept(self, listener: socket.socket, tls: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        while True:
            try:
                accepted, address = await loop.sock_accept(listener)
            except ConnectionError:
                continue
            except OSError as error:
                _log.warning("Cannot accept connections: %s", error.strerror)
                await asyncio.sleep(ACCEPT_RETRY_S)
                continue
            task = loop.create_task(self._serve_connection(accepted, str(address[0]), tls))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(_report_failure)
            await asyncio.sleep(0)

    async def _serve_connection(self, accepted: socket.socket, host: str, tls: ssl.SSLContext) -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        transport: asyncio.Transport | None = None

        def close() -> None:
            # Abort if possible: a cancelled task would wait for a TLS goodbye that the client may not send.
            if transport:
                transport.abort()
            else:
                task.cancel()

        connection = self._pending.open(host, close)
        reader = asyncio.StreamReader(limit=READ_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            accepted.setblocking(False)
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=tls, ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT_S
            )
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            queue = self._queues.setdefault(connection.address, asyncio.Lock())
            server = HttpServer(
                self._pending, connection, self._app, self._config, self._context, (reader, writer), queue
            )
            await server.run()
        except OSError:
            pass  # The client has disconnected, or does not use TLS.
        finally:
            self._pending.remove(connection)
            accepted.close()


def _report_failure(task: asyncio.Task[None]) -> None:
    """Log a failed connection: hypercorn raises on some invalid frames. Other connections continue."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("A connection was closed", exc_info=error)
