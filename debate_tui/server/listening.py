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

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: after a restart all viewers return at about the same time."""

UNSENT: Final = 1 << 17
"""Bytes the system may hold that a client has not taken; by itself it would hold megabytes of old news."""

PING_S: Final = 15.0
"""How often WebSockets are asked for a sign of life, and how long an answer may take."""

GRACE_S: Final = 3
"""How long connections have to end by themselves when the server stops."""


class Certificate(Struct, frozen=True):
    """What TLS needs: a certificate with its chain, and its key, both in PEM."""

    chain: Path
    key: Path


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; raises `DebateError` where the address cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise DebateError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}.",
            "Choose another --port or --host.",
        ) from None
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Connections inherit it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    return listener


@asynccontextmanager
async def listening(
    app: ASGIApp, at: socket.socket, certificate: Certificate | None = None
) -> AsyncIterator[None]:
    """Serve the application on a socket, which is closed in the end; connections get `GRACE_S` to finish."""
    mishaps.tell()
    stop = asyncio.Event()
    serve = _uvicorn(app, at, stop) if certificate is None else _hypercorn(app, at, stop, certificate)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve)
        try:
            yield
        finally:
            stop.set()


async def _uvicorn(app: ASGIApp, at: socket.socket, stop: asyncio.Event) -> None:
    import uvicorn

    from debate_tui.server.protocols import Http, WebSockets

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # Signals are the command's business.

    server = Server(
        uvicorn.Config(
            app,
            http=Http,
            ws=WebSockets,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            ws_max_size=1 << 16,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            backlog=BACKLOG,
        )
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([at]))
        await stop.wait()
        server.should_exit = True


async def _hypercorn(app: ASGIApp, at: socket.socket, stop: asyncio.Event, certificate: Certificate) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{at.detach()}"]
    config.certfile, config.keyfile = str(certificate.chain), str(certificate.key)
    config.alpn_protocols = ["h2", "http/1.1"]
    config.websocket_ping_interval = PING_S
    config.websocket_max_message_size = 1 << 16
    config.h2_max_concurrent_streams = 256
    config.graceful_timeout = GRACE_S
    config.include_server_header = False
    config.backlog = BACKLOG
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
