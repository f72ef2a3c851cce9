"""The HTTP servers an application is put behind: uvicorn for HTTP/1.1, hypercorn for HTTP/2 over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.errors import DebateError
from debate_tui.server import mishaps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp

ACCEPT_BACKLOG: Final = 4096
"""Connections that may wait to be accepted: after a restart all viewers return at about the same time."""

MAX_UNSENT_BYTES: Final = 1 << 17
"""Bytes the system may hold that a client has not taken; by itself it would hold megabytes of old news."""

PING_INTERVAL_S: Final = 15.0
"""How often WebSockets are asked for a sign of life, and how long an answer may take."""

SHUTDOWN_GRACE_S: Final = 3
"""How long connections have to end by themselves when the server stops."""


class TlsCertificate(Struct, frozen=True):
    """What TLS needs: a certificate with its chain, and its key, both in PEM."""

    chain: Path
    key: Path


def bind_socket(host: str, port: int) -> socket.socket:
    """A listening socket; raises `DebateError` where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=ACCEPT_BACKLOG)
    except OSError as error:
        raise DebateError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}.",
            "Choose another --port or --host.",
        ) from None
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)
    return listener


@asynccontextmanager
async def run_server(
    app: ASGIApp, listener: socket.socket, certificate: TlsCertificate | None = None
) -> AsyncIterator[None]:
    """Serve the application on a socket, which is closed in the end; connections get `SHUTDOWN_GRACE_S` to
    finish."""
    mishaps.log_to_stderr()
    stop = asyncio.Event()
    serve = (
        _run_uvicorn(app, listener, stop)
        if certificate is None
        else _run_hypercorn(app, listener, stop, certificate)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(serve)
        try:
            yield
        finally:
            stop.set()


async def _run_uvicorn(app: ASGIApp, listener: socket.socket, stop: asyncio.Event) -> None:
    import uvicorn

    from debate_tui.server.protocols import UvicornHttpProtocol, UvicornWebSocketProtocol

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # Signals are the command's business.

    server = Server(
        uvicorn.Config(
            app,
            http=UvicornHttpProtocol,
            ws=UvicornWebSocketProtocol,
            ws_ping_interval=PING_INTERVAL_S,
            ws_ping_timeout=PING_INTERVAL_S,
            ws_max_size=1 << 16,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
            backlog=ACCEPT_BACKLOG,
        )
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listener]))
        await stop.wait()
        server.should_exit = True


async def _run_hypercorn(
    app: ASGIApp, listener: socket.socket, stop: asyncio.Event, certificate: TlsCertificate
) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.certfile, config.keyfile = str(certificate.chain), str(certificate.key)
    config.alpn_protocols = ["h2", "http/1.1"]
    config.websocket_ping_interval = PING_INTERVAL_S
    config.websocket_max_message_size = 1 << 16
    config.h2_max_concurrent_streams = 256
    config.graceful_timeout = SHUTDOWN_GRACE_S
    config.include_server_header = False
    config.backlog = ACCEPT_BACKLOG
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
