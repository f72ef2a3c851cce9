"""hypercorn's HTTP/2 over TLS with our own accept loop and limits on clients.

hypercorn limits neither connections nor frames. Here, connections are counted before the TLS handshake, and
bytes from clients before they are parsed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.events import Closed, RawData

from debate_tui.server import limits
from debate_tui.server.limits import Allowance

if TYPE_CHECKING:
    import socket
    import ssl

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


class HttpServer(TCPServer):
    """One connection, closed if its client sends more than a viewer needs to."""

    def __init__(
        self,
        connection: PendingConnection,
        app: ASGIApp,
        config: Config,
        context: WorkerContext,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._connection = connection
        self._allowance = Allowance(BURST_BYTES, BYTES_PER_SECOND)
        self._handling = False
        wrapped = ASGIWrapper(self._count_request)  # type: ignore[arg-type]
        self._asgi_app = app
        super().__init__(wrapped, asyncio.get_running_loop(), config, context, {}, *streams)

    async def protocol_send(self, event: Event) -> None:
        """See `TCPServer.protocol_send`."""
        # Answers to the client's own frames, such as pongs, must not pay for more frames.
        if isinstance(event, RawData) and not self._handling:
            self._allowance.add(BYTES_PER_WRITE)
        await super().protocol_send(event)

    async def _count_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; close the connection if the client does not read the response in time."""
        if scope["type"] == "websocket" and scope["http_version"] == "1.1":
            self._allowance = Allowance(limits.WEBSOCKET_BURST_BYTES, limits.WEBSOCKET_BYTES_PER_SECOND)
        self._connection.start_request()
        try:
            async with asyncio.timeout(limits.RESPONSE_TIMEOUT_S) as deadline:
                scope["extensions"][limits.CONNECTION_EXTENSION] = {
                    "connection": self._connection,
                    "deadline": deadline,
                }
                await self._asgi_app(scope, receive, send)
        except TimeoutError:
            self.writer.transport.abort()
        finally:
            self._connection.end_request()

    async def _read_data(self) -> None:
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(READ_BYTES)
            except OSError:
                break
            if not self._allowance.take(len(data)):
                self.writer.transport.abort()
                break
            self._connection.add_received(len(data))
            self._handling = True
            await self.protocol.handle(RawData(data))
            self._handling = False
            await asyncio.sleep(0)  # `read` does not yield if data is buffered.
        await self.protocol.handle(Closed())


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    config: Config,
    pending: PendingConnections,
    stop: asyncio.Event,
) -> None:
    """Serve until `stop` is set; connections then have `config.graceful_timeout` seconds to finish."""
    context = WorkerContext(None)
    tls = config.create_ssl_context()
    assert tls is not None
    tasks: set[asyncio.Task[None]] = set()
    accepting = asyncio.create_task(_accept(app, listener, (config, context, tls), pending, tasks))
    try:
        await stop.wait()
    finally:
        accepting.cancel()
        await asyncio.wait({accepting})
        listener.close()
        await context.terminated.set()
        if tasks:
            await asyncio.wait(tasks, timeout=config.graceful_timeout)
        for task in tasks:
            task.cancel()


async def _accept(
    app: ASGIApp,
    listener: socket.socket,
    setup: tuple[Config, WorkerContext, ssl.SSLContext],
    pending: PendingConnections,
    tasks: set[asyncio.Task[None]],
) -> None:
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
        task = loop.create_task(_serve_connection(app, accepted, setup, pending, str(address[0])))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(_report_failure)
        await asyncio.sleep(0)


async def _serve_connection(
    app: ASGIApp,
    accepted: socket.socket,
    setup: tuple[Config, WorkerContext, ssl.SSLContext],
    pending: PendingConnections,
    host: str,
) -> None:
    config, context, tls = setup
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

    connection = pending.open(host, close)
    reader = asyncio.StreamReader(limit=READ_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        accepted.setblocking(False)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            accepted,
            ssl=tls,
            ssl_handshake_timeout=limits.REQUEST_TIMEOUT_S,
            ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT_S,
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        await HttpServer(connection, app, config, context, (reader, writer)).run()
    except OSError:
        pass  # The client has disconnected, or does not use TLS.
    finally:
        connection.forget()
        accepted.close()


def _report_failure(task: asyncio.Task[None]) -> None:
    """Log a failed connection: hypercorn raises on some invalid frames. Other connections continue."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("A connection was closed", exc_info=error)
