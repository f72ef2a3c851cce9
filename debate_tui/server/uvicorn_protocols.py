"""uvicorn's protocols with limits on clients, and with the ASGI extension `ClientRequest`.

The extension closes connections at once, which ASGI cannot do: a normal close would wait forever for a
stalled client. It also pushes the same bytes to thousands of viewers without waking a task for each of them.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.frame_protocol import FrameProtocol

from debate_tui.server import limits
from debate_tui.server.limits import REQUEST_EXTENSION, Allowance, ClientRequest

if TYPE_CHECKING:
    import asyncio

    from wsproto.events import Request

    from debate_tui.server.encoding import Pieces
    from debate_tui.server.limits import PendingConnection, PendingConnections


_FEED_BYTES: Final = 1 << 14
"""Bytes parsed at a time; the size of a request's head is checked in these steps."""

_LINGER_S: Final = 1.0
"""Seconds a refused client has to read the response."""

_REFUSALS: Final = {
    413: b"HTTP/1.1 413 Content Too Large\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
}


class UvicornHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with the limits that uvicorn lacks; see `limits`."""

    # Beside uvicorn's own attributes, these would need a larger dictionary for every connection (1 KiB).
    __slots__ = ("_body_bytes", "_connection", "_head_bytes", "_in_head", "_pending", "_refused")

    def __init__(self, pending: PendingConnections, **options: Any) -> None:
        super().__init__(**options)
        self._pending = pending
        self._connection: PendingConnection
        self._head_bytes = 0
        self._body_bytes = 0
        self._in_head = True
        self._refused = False

    # Type: uvicorn itself declares the transport more narrowly than `asyncio.Protocol`.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._connection = self._pending.open(self.client[0] if self.client else "", transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._pending.remove(self._connection)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _FEED_BYTES):
            if self._refused or self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            part = data[start : start + _FEED_BYTES]
            if self._in_head:
                self._head_bytes += len(part)
                if self._head_bytes > limits.MAX_HEAD_BYTES:
                    self._refuse(431)
                    return
            self._pending.add_received(self._connection, len(part))
            super().data_received(part)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._body_bytes = 0
        self._in_head = True
        request = ClientRequest(self._pending, self._connection, self._push, self.flow.drain)
        self.scope["extensions"] = {REQUEST_EXTENSION: request}  # type: ignore[dict-item] # uvicorn: only dicts

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) <= limits.MAX_HEADERS:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        if len(self.headers) > limits.MAX_HEADERS:
            self._refuse(431)
        elif len(self.pipeline) >= limits.MAX_PIPELINED:
            self._refused = True
            self.transport.abort()
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > limits.MAX_BODY_BYTES:
            self._refuse(413)
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._refused:
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        if self._refused:
            return
        # Type: uvicorn calls the class only to create a protocol.
        self.ws_protocol_class = partial(  # type: ignore[assignment]
            UvicornWebSocketProtocol, self._pending, self._connection
        )
        super().handle_websocket_upgrade()

    def _refuse(self, status: int) -> None:
        """Send an error response if still possible, and stop reading from the client."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if (cycle := self.cycle) is not None:
            if not cycle.response_complete and (cycle.response_started or self._in_head):
                self.transport.abort()
                return
            cycle.disconnected = True  # Stops the application; its response is not sent.
            cycle.message_event.set()
        self.transport.write(_REFUSALS[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        # If we closed at once, a client that is still sending could lose the response.
        self.flow.pause_reading()
        self.loop.call_later(_LINGER_S, self.transport.abort)

    def _push(self, pieces: Pieces) -> bool:
        if self.transport.is_closing():
            return False
        self.transport.write(_encode_chunk(pieces))
        return not self.flow.write_paused


class UvicornWebSocketProtocol(WSProtocol):
    """WebSockets over HTTP/1.1; drops clients that send more than a viewer needs to."""

    def __init__(self, pending: PendingConnections, connection: PendingConnection, **options: Any) -> None:
        super().__init__(**options)
        self._pending = pending
        self._connection = connection
        self._allowance: Allowance | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._pending.remove(self._connection)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._allowance is None:  # The request, passed on by the HTTP protocol.
            self._allowance = Allowance(limits.WEBSOCKET_BURST_BYTES, limits.WEBSOCKET_BYTES_PER_SECOND)
        elif not self._allowance.take(len(data)):
            self.transport.abort()
            return
        super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        request = ClientRequest(self._pending, self._connection, self._push, self.writable.wait)
        self.scope["extensions"][REQUEST_EXTENSION] = request  # type: ignore[assignment] # as above

    def _push(self, pieces: Pieces) -> bool:
        if self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(_encode_frames(pieces))
        return self.writable.is_set()


# Framing, cached because all viewers of a stream get the same bytes.


@lru_cache(maxsize=8)
def _encode_chunk(pieces: tuple[bytes, ...]) -> bytes:
    """Encode a chunk of a chunked response."""
    data = b"".join(pieces)
    return b"%x\r\n%b\r\n" % (len(data), data)


@lru_cache(maxsize=8)
def _encode_frames(pieces: Pieces) -> bytes:
    """Encode messages as one frame each."""
    return b"".join(map(_frames.send_data, pieces))


_frames: Final = FrameProtocol(client=False, extensions=[])
