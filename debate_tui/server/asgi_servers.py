"""The HTTP servers that run the application: uvicorn for HTTP/1.1, hypercorn for HTTP/2 over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
import traceback
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.errors import DebateError
from debate_tui.domain.sanitise import one_line
from debate_tui.server import limits
from debate_tui.server.limits import PendingConnections, limit_responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.types import ASGIApp


# Logging of server errors to standard error.


MAX_LINE_LENGTH: Final = 600
"""Maximum characters of a log line."""

MAX_LOG_KINDS: Final = 256
"""Maximum number of message kinds remembered for rate limiting."""

LOG_INTERVAL_S: Final = 60.0
"""Minimum seconds between two lines of a kind: a client could cause an error with every packet."""

SERVER_LOGGERS: Final = ("uvicorn.error", "hypercorn.error", "debate_tui.server", "asyncio")


class StderrHandler(logging.Handler):
    """Log handler that writes one line per record, with the exception and where it was raised.

    It writes no tracebacks: they are long, and the terminal may be showing the full screen. It writes one
    line per kind in `LOG_INTERVAL_S` seconds; records of a kind have the same logger, message template and
    exception type.
    """

    def __init__(self, level: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(level)
        self._clock = clock
        self._kinds: dict[tuple[object, ...], tuple[float, int]] = {}

    def reset(self) -> None:
        """Forget all previous records."""
        self._kinds.clear()

    def emit(self, record: logging.LogRecord) -> None:
        if (omitted := self._count(record)) is None:
            return
        text = record.getMessage().strip()
        if record.exc_info is not None and (error := record.exc_info[1]) is not None:
            text = f"{text}: {_describe_exception(error)}"
        if omitted:
            text = f"{text} ({omitted} more like this)"
        sys.stderr.write(f"debate-tui: {one_line(text, MAX_LINE_LENGTH)}\n")

    def _count(self, record: logging.LogRecord) -> int | None:
        """Return how many records of this kind were dropped since the last line; `None` to drop this one."""
        error = record.exc_info[0] if record.exc_info else None
        kind = (record.name, str(record.msg)[:MAX_LINE_LENGTH], error)
        now = self._clock()
        printed_at, omitted = self._kinds.pop(kind, (-LOG_INTERVAL_S, 0))
        is_due = now >= printed_at + LOG_INTERVAL_S
        while len(self._kinds) >= MAX_LOG_KINDS:
            del self._kinds[next(iter(self._kinds))]
        self._kinds[kind] = (now, 0) if is_due else (printed_at, omitted + 1)
        return omitted if is_due else None


_stderr_handler: Final = StderrHandler(logging.WARNING)


def log_to_stderr() -> None:
    """Log server errors to standard error from now on; may be called repeatedly."""
    _stderr_handler.reset()
    for name in SERVER_LOGGERS:
        logging.getLogger(name).addHandler(_stderr_handler)


def _describe_exception(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    what = "".join(traceback.format_exception_only(error))
    frames = traceback.extract_tb(error.__traceback__)
    return f"{what} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else what


ACCEPT_BACKLOG: Final = 4096
"""Maximum connections waiting to be accepted: after a restart, all viewers reconnect at about once."""

MAX_UNSENT_BYTES: Final = 1 << 17
"""Maximum unsent bytes in a socket's send buffer; the default is megabytes of outdated events."""

PING_INTERVAL_S: Final = 15.0
"""Seconds between WebSocket pings, and seconds to wait for a pong."""

TRUSTED_PROXIES: Final = ("127.0.0.1", "::1")
"""Proxies whose forwarded client addresses are trusted: only those on this machine."""

SHUTDOWN_GRACE_S: Final = 3
"""Seconds that connections have to finish when the server stops."""


class TlsCertificate(Struct, frozen=True):
    """The PEM files of a certificate with its chain, and of its key."""

    chain: Path
    key: Path


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise `DebateError` if the address cannot be bound."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=ACCEPT_BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]  # `create_server` adds the address
        raise DebateError(
            f"Cannot listen on {host}, port {port}: {reason}.",
            "Choose another --port or --host.",
        ) from None
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Inherited by accepted connections.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)
    return listener


@asynccontextmanager
async def run_server(
    app: ASGIApp, listener: socket.socket, certificate: TlsCertificate | None = None
) -> AsyncIterator[None]:
    """Serve the application on a socket while the context is open.

    On exit, connections have `SHUTDOWN_GRACE_S` seconds to finish, and the socket is closed.
    """
    log_to_stderr()
    stop = asyncio.Event()
    pending = PendingConnections()
    app = limit_responses(app)
    serve = (
        _run_uvicorn(app, listener, stop, pending)
        if certificate is None
        else _run_hypercorn(app, listener, stop, pending, certificate)
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(serve)
        closing_overdue = group.create_task(pending.keep_closing_overdue())
        try:
            yield
        finally:
            stop.set()
            closing_overdue.cancel()


async def _run_uvicorn(
    app: ASGIApp, listener: socket.socket, stop: asyncio.Event, pending: PendingConnections
) -> None:
    import uvicorn

    from debate_tui.server.uvicorn_protocols import UvicornHttpProtocol, UvicornWebSocketProtocol

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # The command handles signals.

    server = Server(
        uvicorn.Config(
            app,
            # Type: uvicorn calls the class only to create protocols.
            http=partial(UvicornHttpProtocol, pending),  # type: ignore[arg-type]
            ws=UvicornWebSocketProtocol,
            ws_ping_interval=PING_INTERVAL_S,
            ws_ping_timeout=PING_INTERVAL_S,
            ws_max_size=limits.MAX_BODY_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
            backlog=ACCEPT_BACKLOG,
            forwarded_allow_ips=list(TRUSTED_PROXIES),
        )
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listener]))
        await stop.wait()
        server.should_exit = True


async def _run_hypercorn(
    app: ASGIApp,
    listener: socket.socket,
    stop: asyncio.Event,
    pending: PendingConnections,
    certificate: TlsCertificate,
) -> None:
    from hypercorn.config import Config

    from debate_tui.server.hypercorn_server import HypercornServer

    config = Config()
    config.certfile, config.keyfile = str(certificate.chain), str(certificate.key)
    config.alpn_protocols = ["h2", "http/1.1"]
    config.websocket_ping_interval = PING_INTERVAL_S
    config.websocket_max_message_size = limits.MAX_BODY_BYTES
    config.h11_max_incomplete_size = config.h2_max_header_list_size = limits.MAX_HEAD_BYTES
    config.h2_max_concurrent_streams = 256
    config.graceful_timeout = SHUTDOWN_GRACE_S
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    await HypercornServer(app, config, pending).serve(listener, stop)
