"""uvicorn's protocols, with ways around ASGI for viewers' streams: `streaming.ABORT_EXTENSION` and
`streaming.PUSH_EXTENSION`.

ASGI has no way to say that what is still unsent may be dropped: closing politely would wait for a client that
takes nothing, for good. And to send the same bytes to thousands, it has to wake a task for each of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from debate_tui.server.connections import ABORT_EXTENSION, PUSH_EXTENSION

if TYPE_CHECKING:
    from wsproto.events import Request

    from debate_tui.server.encoding import Piece


class UvicornHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {
            ABORT_EXTENSION: {"call": self.transport.abort},
            PUSH_EXTENSION: {"call": self._push, "ready": self.flow.drain},
        }

    def _push(self, pieces: tuple[bytes, ...]) -> bool:
        if self.transport.is_closing():
            return False
        self.transport.write(_encode_chunk(pieces))
        return not self.flow.write_paused


class UvicornWebSocketProtocol(WSProtocol):
    """WebSockets over HTTP/1.1."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        self.scope["extensions"] |= {
            ABORT_EXTENSION: {"call": self.transport.abort},
            PUSH_EXTENSION: {"call": self._push, "ready": self.writable.wait},
        }

    def _push(self, pieces: tuple[Piece, ...]) -> bool:
        if self.close_sent or self.transport.is_closing():
            return False
        self.transport.write(_encode_frames(pieces))
        return self.writable.is_set()


# All viewers of a manner get the same bytes, framed once.


@lru_cache(maxsize=8)
def _encode_chunk(pieces: tuple[bytes, ...]) -> bytes:
    """A chunk of a response without a length."""
    data = b"".join(pieces)
    return b"%x\r\n%b\r\n" % (len(data), data)


@lru_cache(maxsize=8)
def _encode_frames(pieces: tuple[Piece, ...]) -> bytes:
    """Messages in one frame each, unmasked as a server's are (RFC 6455, section 5.2)."""
    return b"".join(map(_encode_frame, pieces))


def _encode_frame(piece: Piece) -> bytes:
    data, kind = (piece.encode(), b"\x81") if isinstance(piece, str) else (piece, b"\x82")
    size = len(data)
    if size < 126:
        return b"%b%c%b" % (kind, size, data)
    if size < 1 << 16:
        return b"%b\x7e%b%b" % (kind, size.to_bytes(2), data)
    return b"%b\x7f%b%b" % (kind, size.to_bytes(8), data)
