"""Viewers' connections: event streams, WebSockets, and the registry of viewers."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from debate_tui.domain.errors import DebateError
from debate_tui.server.limits import request_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import Receive, Scope, Send

    from debate_tui.server.encoded_stream import Push
    from debate_tui.server.encoding import Pieces
    from debate_tui.server.limits import ClientRequest, ViewerLimits
    from debate_tui.server.viewer import Viewer


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


class ViewerResponse:
    """A viewer's event stream or WebSocket, as an ASGI application; messages from the client are ignored.

    It sends events until the debate ends or the client disconnects. It raises `TooManyViewersError` before
    anything is sent if a limit is reached.
    """

    def __init__(self, viewers: ViewerRegistry, address: str, viewer: Viewer) -> None:
        self._viewers = viewers
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        serve = self._serve_sse if scope["type"] == "http" else self._serve_websocket
        request = request_of(scope)
        with self._viewers.admit(self._address, self._viewer, _drop_callback(scope)):
            request.start_watching()
            try:
                await serve(scope, receive, send)
            finally:
                request.stop_watching()

    async def _serve_sse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(SSE_HEADERS)})
        await self._send_outgoing(scope, receive, partial(self._send_body, send))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_body(self, send: Send, pieces: Pieces) -> None:
        # Type: all pieces of an event stream are bytes.
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)  # type: ignore[arg-type]
        self._viewers.counts["bytes"] += len(data)
        await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            await self._send_outgoing(scope, receive, partial(self._send_frames, request_of(scope), send))
            code = CLOSE_RESTARTING if self._viewer.shutting_down else CLOSE_NORMAL
            await send({"type": "websocket.close", "code": code})
        except OSError:
            return  # The client has disconnected.

    async def _send_frames(self, request: ClientRequest, send: Send, pieces: Pieces) -> None:
        if not pieces and request.ready is not None:
            await request.ready()
        for piece in pieces:
            self._viewers.counts["bytes"] += len(piece)
            kind = "text" if isinstance(piece, str) else "bytes"
            await send({"type": "websocket.send", kind: piece})

    async def _send_outgoing(
        self, scope: Scope, receive: Receive, send_pieces: Callable[[Pieces], Awaitable[None]]
    ) -> None:
        viewer = self._viewer
        clock = asyncio.get_running_loop().time
        push = request_of(scope).push
        disconnect = asyncio.create_task(_watch_for_disconnect(receive, viewer))
        try:
            async with aclosing(viewer.outgoing(push and partial(self._push, push))) as outgoing:
                async for pieces in outgoing:
                    viewer.sending_since = clock()
                    await send_pieces(pieces)
                    viewer.sending_since = None
                    pieces = ()  # Free the memory: a snapshot is large, and the next event may be far off.
        finally:
            disconnect.cancel()

    def _push(self, push: Push, pieces: Pieces) -> bool:
        self._viewers.counts["bytes"] += sum(map(len, pieces))
        return push(pieces)


async def _watch_for_disconnect(receive: Receive, viewer: Viewer) -> None:
    """Tell the viewer when its client disconnects."""
    try:
        while not (await receive())["type"].endswith(".disconnect"):
            pass
    finally:
        viewer.disconnect()


def _drop_callback(scope: Scope) -> Callable[[], object]:
    """Return a function that drops a stalled client: its connection, or with HTTP/2 only this stream."""
    if scope["http_version"] != "2":
        return request_of(scope).connection.close
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


class ViewerRegistry:
    """All viewers of this process.

    `counts` has totals: viewers ``admitted``, ``refused`` and ``dropped`` (stalled), ``reset`` (resets of
    viewers that have left), and ``bytes`` sent.
    """

    def __init__(self, limits: ViewerLimits) -> None:
        self.counts: Counter[str] = Counter()
        self._limits = limits
        self._viewers: dict[Viewer, Callable[[], object]] = {}
        self._counts_by_address: Counter[str] = Counter()
        self._shutting_down = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._viewers)

    @contextmanager
    def admit(self, address: str, viewer: Viewer, drop: Callable[[], object]) -> Iterator[None]:
        """Register a viewer while the context is open.

        `drop` is called if a send blocks for `SEND_TIMEOUT_S` seconds. Raise `TooManyViewersError` if a limit
        is reached.
        """
        self._check_limits(address)
        self._viewers[viewer] = drop
        self._empty.clear()
        self._counts_by_address[address] += 1
        self.counts["admitted"] += 1
        if self._shutting_down:
            viewer.shut_down()
        try:
            yield
        finally:
            self.counts["reset"] += viewer.reset_count
            del self._viewers[viewer]
            if not self._viewers:
                self._empty.set()
            self._counts_by_address[address] -= 1
            if not self._counts_by_address[address]:
                del self._counts_by_address[address]

    def _check_limits(self, address: str) -> None:
        if len(self._viewers) >= self._limits.viewers:
            self.counts["refused"] += 1
            raise TooManyViewersError("This server has no room for more viewers.", "Try again later.")
        if self._counts_by_address[address] >= self._limits.viewers_per_address:
            self.counts["refused"] += 1
            raise TooManyViewersError(
                "Too many viewers are connected from your address.", "Close some of them, or try again later."
            )

    def shut_down(self) -> None:
        """Say goodbye to all viewers, and to those that still connect.

        New viewers are admitted for that: some clients never reconnect after an error status.
        """
        self._shutting_down = True
        for viewer in self._viewers:
            viewer.shut_down()

    async def wait_until_empty(self) -> None:
        """Wait until all viewers have left."""
        await self._empty.wait()

    async def drop_stalled(self) -> None:
        """Drop stalled viewers; runs until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SEND_TIMEOUT_S / 5)
            overdue = clock() - SEND_TIMEOUT_S
            for viewer, drop in tuple(self._viewers.items()):
                if viewer.sending_since is not None and viewer.sending_since < overdue:
                    self.counts["dropped"] += 1
                    viewer.sending_since = None
                    drop()
