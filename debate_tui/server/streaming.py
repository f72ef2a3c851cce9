"""Viewers' connections: what a viewer is told, sent as server-sent events or over a WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from starlette.types import Message, Receive, Scope, Send

    from debate_tui.server.audience import Audience, Seat
    from debate_tui.server.rendition import Push
    from debate_tui.server.viewer import Pieces, Viewer

ABORT: Final = "debate_tui.abort"
"""An ASGI extension: its `call` ends the connection at once, whatever is still to be sent."""

PUSH: Final = "debate_tui.push"
"""An ASGI extension: its `call` sends more, not waiting, and says whether the client keeps up.

Where it does not, `ready` waits until it does again.
"""

HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
)

OVER: Final = 1000
"""How a WebSocket is closed once everything was told."""

RESTARTING: Final = 1012
"""How it is closed where the server stops: the client is to come back."""


class EventStream:
    """A viewer's event stream, as an ASGI application."""

    def __init__(self, audience: Audience, address: str, viewer: Viewer) -> None:
        self._audience = audience
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell everything until the debate is over or the client has gone.

        Raises `Full` before anything is sent.
        """
        counts = self._audience.counts

        async def give(pieces: Pieces) -> None:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)  # type: ignore[arg-type]
            counts["bytes"] += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})

        told = self._viewer.told(_pusher(scope, counts))
        with self._audience.seat(self._address, self._viewer, _dropper(scope)) as seat:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            await _tell(self._viewer, told, seat, receive, give)
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class WebSocketStream:
    """A viewer's WebSocket, as an ASGI application; the client has nothing to say."""

    def __init__(self, audience: Audience, address: str, viewer: Viewer) -> None:
        self._audience = audience
        self._address = address
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept, and tell everything; raises `Full` before it accepts."""
        counts = self._audience.counts

        async def give(pieces: Pieces) -> None:
            if not pieces and PUSH in scope["extensions"]:
                await scope["extensions"][PUSH]["ready"]()
            for piece in pieces:
                counts["bytes"] += len(piece)
                kind = "text" if isinstance(piece, str) else "bytes"
                await send({"type": "websocket.send", kind: piece})

        with self._audience.seat(self._address, self._viewer, _dropper(scope)) as seat:
            await receive()
            await send({"type": "websocket.accept"})
            try:
                told = self._viewer.told(_pusher(scope, counts))
                await _tell(self._viewer, told, seat, receive, give)
                code = RESTARTING if self._viewer.dismissed else OVER
                await send({"type": "websocket.close", "code": code})
            except OSError:
                return  # The client has gone: nobody is left to be told.


async def _tell(
    viewer: Viewer,
    told: AsyncGenerator[Pieces],
    seat: Seat,
    receive: Receive,
    give: Callable[[Pieces], Awaitable[None]],
) -> None:
    clock = asyncio.get_running_loop().time
    with _noticing(receive, viewer):
        async with aclosing(told):
            async for pieces in told:
                seat.sending_since = clock()
                await give(pieces)
                seat.sending_since = None
                pieces = ()  # It may be long until there are more, and a snapshot is large.


@contextmanager
def _noticing(receive: Receive, viewer: Viewer) -> Iterator[None]:
    """Let the viewer know at once when its client leaves."""
    task = asyncio.create_task(_gone(receive))
    task.add_done_callback(lambda _: viewer.leave())
    try:
        yield
    finally:
        task.cancel()


async def _gone(receive: Receive) -> None:
    message: Message = {"type": ""}
    while not message["type"].endswith(".disconnect"):
        message = await receive()


def _pusher(scope: Scope, counts: Counter[str]) -> Push | None:
    """What sends to a client that keeps up."""
    if (extension := scope.get("extensions", {}).get(PUSH)) is None:
        return None
    call: Push = extension["call"]

    def push(pieces: Pieces) -> bool:
        counts["bytes"] += sum(map(len, pieces))
        return call(pieces)

    return push


def _dropper(scope: Scope) -> Callable[[], object]:
    """What ends the connection of a client that takes nothing."""
    if (extension := scope.get("extensions", {}).get(ABORT)) is not None:
        abort: Callable[[], object] = extension["call"]
        return abort
    task = asyncio.current_task()
    assert task is not None
    return task.cancel
