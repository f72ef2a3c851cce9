"""The HTTP servers an application is put behind: uvicorn for HTTP/1.1, hypercorn for HTTP/2 over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import traceback
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp


# What goes wrong inside the server and nobody else is told of: a line each on standard error.


MAX_LINE_LENGTH: Final = 600
"""Characters a line has at most."""

SERVER_LOGGERS: Final = ("uvicorn.error", "hypercorn.error", "debate_tui.server")


class StderrHandler(logging.Handler):
    """Says what is logged, and of an exception what it is and where it was raised.

    A traceback would be pages long, and a screen may be painted on the same terminal.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        text = record.getMessage().strip()
        if record.exc_info is not None and (error := record.exc_info[1]) is not None:
            text = f"{text}: {_describe_exception(error)}"
        sys.stderr.write(f"debate-tui: {one_line(text, MAX_LINE_LENGTH)}\n")


_stderr_handler: Final = StderrHandler(logging.WARNING)


def log_to_stderr() -> None:
    """Say from now on what goes wrong; more than once is no different."""
    for name in SERVER_LOGGERS:
        logging.getLogger(name).addHandler(_stderr_handler)


def _describe_exception(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    what = "".join(traceback.format_exception_only(error))
    frames = traceback.extract_tb(error.__traceback__)
    return f"{what} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else what


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
    log_to_stderr()
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

    from debate_tui.server.uvicorn_protocols import UvicornHttpProtocol, UvicornWebSocketProtocol

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
