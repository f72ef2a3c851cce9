"""Viewers' connections: what a viewer is told, sent as server-sent events or over a WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from starlette.types import Message, Receive, Scope, Send

    from debate_tui.server.audience import ViewerConnection, ViewerRegistry
    from debate_tui.server.rendition import Push
    from debate_tui.server.viewer import Pieces, Viewer

ABORT_EXTENSION: Final = "debate_tui.abort"
"""An ASGI extension: its `call` ends the connection at once, whatever is still to be sent."""

PUSH_EXTENSION: Final = "debate_tui.push"
"""An ASGI extension: its `call` sends more, not waiting, and says whether the client keeps up.

Where it does not, `ready` waits until it does again.
"""

SSE_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)

CLOSE_NORMAL: Final = 1000
"""How a WebSocket is closed once everything was told."""

CLOSE_RESTARTING: Final = 1012
"""How it is closed where the server stops: the client is to come back."""


class SseResponse:
    """A viewer's event stream, as an ASGI application."""

    def __init__(self, viewers: ViewerRegistry, address: str, viewer: Viewer) -> None:
        self._viewers = viewers
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell everything until the debate is over or the client has gone.

        Raises `TooManyViewersError` before anything is sent.
        """
        counts = self._viewers.counts

        async def send_pieces(pieces: Pieces) -> None:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)  # type: ignore[arg-type]
            counts["bytes"] += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})

        outgoing = self._viewer.outgoing(_push_callback(scope, counts))
        with self._viewers.admit(self._address, self._viewer, _abort_callback(scope)) as connection:
            await send({"type": "http.response.start", "status": 200, "headers": list(SSE_HEADERS)})
            await _send_outgoing(self._viewer, outgoing, connection, receive, send_pieces)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class WebSocketResponse:
    """A viewer's WebSocket, as an ASGI application; the client has nothing to say."""

    def __init__(self, viewers: ViewerRegistry, address: str, viewer: Viewer) -> None:
        self._viewers = viewers
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept, and tell everything; raises `TooManyViewersError` before it accepts."""
        counts = self._viewers.counts

        async def send_pieces(pieces: Pieces) -> None:
            if not pieces and PUSH_EXTENSION in scope["extensions"]:
                await scope["extensions"][PUSH_EXTENSION]["ready"]()
            for piece in pieces:
                counts["bytes"] += len(piece)
                kind = "text" if isinstance(piece, str) else "bytes"
                await send({"type": "websocket.send", kind: piece})

        with self._viewers.admit(self._address, self._viewer, _abort_callback(scope)) as connection:
            await receive()
            await send({"type": "websocket.accept"})
            try:
                outgoing = self._viewer.outgoing(_push_callback(scope, counts))
                await _send_outgoing(self._viewer, outgoing, connection, receive, send_pieces)
                code = CLOSE_RESTARTING if self._viewer.shutting_down else CLOSE_NORMAL
                await send({"type": "websocket.close", "code": code})
            except OSError:
                return  # The client has gone: nobody is left to be told.


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
                pieces = ()  # It may be long until there are more, and a snapshot is large.


@contextmanager
def _watch_disconnect(receive: Receive, viewer: Viewer) -> Iterator[None]:
    """Let the viewer know at once when its client leaves."""
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
    """What sends to a client that keeps up."""
    if (extension := scope.get("extensions", {}).get(PUSH_EXTENSION)) is None:
        return None
    call: Push = extension["call"]

    def push(pieces: Pieces) -> bool:
        counts["bytes"] += sum(map(len, pieces))
        return call(pieces)

    return push


def _abort_callback(scope: Scope) -> Callable[[], object]:
    """What ends the connection of a client that takes nothing."""
    if (extension := scope.get("extensions", {}).get(ABORT_EXTENSION)) is not None:
        abort: Callable[[], object] = extension["call"]
        return abort
    task = asyncio.current_task()
    assert task is not None
    return task.cancel
