"""Viewers' connections: event streams, WebSockets, and the registry of viewers."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

from debate_tui.domain.errors import DebateError
from debate_tui.server.limits import ViewerLimits, watching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from starlette.types import Message, Receive, Scope, Send

    from debate_tui.server.broadcast import Push
    from debate_tui.server.viewer import Pieces, Viewer


ABORT_EXTENSION: Final = "debate_tui.abort"
"""An ASGI extension: its `call` closes the connection at once and drops unsent data."""

PUSH_EXTENSION: Final = "debate_tui.push"
"""An ASGI extension: its `call` sends data without waiting and returns whether the client keeps up.

If not, await `ready` before sending more.
"""

SSE_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)

CLOSE_NORMAL: Final = 1000
"""WebSocket close code at the end of the debate."""

CLOSE_RESTARTING: Final = 1012
"""WebSocket close code when the server stops: the client should reconnect."""


class SseResponse:
    """A viewer's event stream, as an ASGI application."""

    def __init__(self, viewers: ViewerRegistry, address: str, viewer: Viewer) -> None:
        self._viewers = viewers
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the debate ends or the client disconnects.

        Raise `TooManyViewersError` before anything is sent if a limit is reached.
        """
        counts = self._viewers.counts

        async def send_pieces(pieces: Pieces) -> None:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)  # type: ignore[arg-type]
            counts["bytes"] += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})

        outgoing = self._viewer.outgoing(_push_callback(scope, counts))
        with (
            self._viewers.admit(self._address, self._viewer, _abort_callback(scope)) as connection,
            watching(scope),
        ):
            await send({"type": "http.response.start", "status": 200, "headers": list(SSE_HEADERS)})
            await _send_outgoing(self._viewer, outgoing, connection, receive, send_pieces)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class WebSocketResponse:
    """A viewer's WebSocket, as an ASGI application; messages from the client are ignored."""

    def __init__(self, viewers: ViewerRegistry, address: str, viewer: Viewer) -> None:
        self._viewers = viewers
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept the connection and send events until the debate ends or the client disconnects.

        Raise `TooManyViewersError` before accepting if a limit is reached.
        """
        counts = self._viewers.counts

        async def send_pieces(pieces: Pieces) -> None:
            if not pieces and PUSH_EXTENSION in scope["extensions"]:
                await scope["extensions"][PUSH_EXTENSION]["ready"]()
            for piece in pieces:
                counts["bytes"] += len(piece)
                kind = "text" if isinstance(piece, str) else "bytes"
                await send({"type": "websocket.send", kind: piece})

        with (
            self._viewers.admit(self._address, self._viewer, _abort_callback(scope)) as connection,
            watching(scope),
        ):
            await receive()
            await send({"type": "websocket.accept"})
            try:
                outgoing = self._viewer.outgoing(_push_callback(scope, counts))
                await _send_outgoing(self._viewer, outgoing, connection, receive, send_pieces)
                code = CLOSE_RESTARTING if self._viewer.shutting_down else CLOSE_NORMAL
                await send({"type": "websocket.close", "code": code})
            except OSError:
                return  # The client has disconnected.


async def _send_outgoing(
    viewer: Viewer,
    outgoing: AsyncGenerator[Pieces],
    connection: ViewerConnection,
    receive: Receive,
    send_pieces: Callable[[Pieces], Awaitable[None]],
) -> None:
    clock = asyncio.get_running_loop().time
    with _watch_disconnect(receive, viewer):
        async with aclosing(outgoing):
            async for pieces in outgoing:
                connection.sending_since = clock()
                await send_pieces(pieces)
                connection.sending_since = None
                pieces = ()  # Free the memory: snapshots are large, and the next event may be minutes away.


@contextmanager
def _watch_disconnect(receive: Receive, viewer: Viewer) -> Iterator[None]:
    """Call `viewer.disconnect` as soon as the client disconnects."""
    task = asyncio.create_task(_wait_for_disconnect(receive))
    task.add_done_callback(lambda _: viewer.disconnect())
    try:
        yield
    finally:
        task.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    message: Message = {"type": ""}
    while not message["type"].endswith(".disconnect"):
        message = await receive()


def _push_callback(scope: Scope, counts: Counter[str]) -> Push | None:
    """Return a function that pushes to the client and counts bytes; `None` if the server has none."""
    if (extension := scope.get("extensions", {}).get(PUSH_EXTENSION)) is None:
        return None
    call: Push = extension["call"]

    def push(pieces: Pieces) -> bool:
        counts["bytes"] += sum(map(len, pieces))
        return call(pieces)

    return push


def _abort_callback(scope: Scope) -> Callable[[], object]:
    """Return a function that closes a stalled client's connection."""
    if (extension := scope.get("extensions", {}).get(ABORT_EXTENSION)) is not None:
        abort: Callable[[], object] = extension["call"]
        return abort
    task = asyncio.current_task()
    assert task is not None
    return task.cancel


# The registry of viewers: limits, stalled clients and shutdown.


SEND_TIMEOUT_S: Final = 5.0
"""Seconds a send may block before the viewer is dropped."""

RETRY_AFTER_S: Final = 10
"""Seconds in the ``Retry-After`` header of a refusal."""


class TooManyViewersError(DebateError):
    """A limit on viewers is reached."""


class ViewerConnection:
    """A viewer's connection; `sending_since` is the loop time at which a blocked send began, or `None`."""

    __slots__ = ("drop", "sending_since", "viewer")

    def __init__(self, viewer: Viewer, drop: Callable[[], object]) -> None:
        self.viewer = viewer
        self.drop = drop
        self.sending_since: float | None = None


class ViewerRegistry:
    """All viewers of this process.

    `counts` has totals: viewers ``admitted``, ``refused`` and ``dropped`` (stalled), ``reset`` (resets of
    viewers that have left), and ``bytes`` sent.
    """

    def __init__(self, limits: ViewerLimits) -> None:
        self.counts: Counter[str] = Counter()
        self._limits = limits
        self._connections: set[ViewerConnection] = set()
        self._counts_by_address: Counter[str] = Counter()
        self._shutting_down = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._connections)

    @contextmanager
    def admit(self, address: str, viewer: Viewer, drop: Callable[[], object]) -> Iterator[ViewerConnection]:
        """Register a viewer while the context is open.

        `drop` is called if a send blocks for `SEND_TIMEOUT_S` seconds. Raise `TooManyViewersError` if a limit
        is reached.
        """
        if len(self._connections) >= self._limits.viewers:
            self.counts["refused"] += 1
            raise TooManyViewersError("No more viewers are let in at the moment.", "Try again later.")
        if self._counts_by_address[address] >= self._limits.viewers_per_address:
            self.counts["refused"] += 1
            raise TooManyViewersError(
                "Too many viewers watch from your address.", "Close some, or try again later."
            )
        connection = ViewerConnection(viewer, drop)
        self._connections.add(connection)
        self._empty.clear()
        self._counts_by_address[address] += 1
        self.counts["admitted"] += 1
        if self._shutting_down:
            viewer.shut_down()
        try:
            yield connection
        finally:
            self.counts["reset"] += viewer.reset_count
            self._connections.discard(connection)
            if not self._connections:
                self._empty.set()
            self._counts_by_address[address] -= 1
            if not self._counts_by_address[address]:
                del self._counts_by_address[address]

    def shut_down(self) -> None:
        """Say goodbye to all viewers, and to those that still connect.

        New viewers are admitted for that: some clients never reconnect after an error status.
        """
        self._shutting_down = True
        for connection in tuple(self._connections):
            connection.viewer.shut_down()

    async def wait_until_empty(self) -> None:
        """Wait until all viewers have left."""
        await self._empty.wait()

    async def drop_stalled(self) -> None:
        """Drop stalled viewers; runs until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SEND_TIMEOUT_S / 5)
            overdue = clock() - SEND_TIMEOUT_S
            for connection in tuple(self._connections):
                if connection.sending_since is not None and connection.sending_since < overdue:
                    self.counts["dropped"] += 1
                    connection.sending_since = None
                    connection.drop()
