"""WebSocket frames as bytes, for the scripts of `SseServer`: what a server sends is not masked."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tests.fakes.sse_server import Reply

if TYPE_CHECKING:
    from tests.fakes.sse_server import ReceivedRequest, Step

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def upgraded(request: ReceivedRequest, *steps: Step, accept: str | None = None) -> Reply:
    """The opening handshake's answer, then the steps; the connection closes behind them."""
    digest = hashlib.sha1((request.headers["sec-websocket-key"] + _GUID).encode()).digest()
    handshake = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept or base64.b64encode(digest).decode()}\r\n\r\n"
    )
    return Reply((handshake.encode(), *steps), head=False)


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """One unmasked frame."""
    first = opcode | (0x80 if final else 0)
    size = len(payload)
    if size < 126:
        head = bytes((first, size))
    elif size < 1 << 16:
        head = bytes((first, 126)) + size.to_bytes(2)
    else:
        head = bytes((first, 127)) + size.to_bytes(8)
    return head + payload


def text(data: str) -> bytes:
    """A text message."""
    return frame(1, data.encode())


def binary(data: bytes) -> bytes:
    """A binary message."""
    return frame(2, data)


def ping(data: bytes = b"") -> bytes:
    """A ping."""
    return frame(9, data)


def close(code: int = 1000, reason: str = "") -> bytes:
    """A close frame."""
    return frame(8, code.to_bytes(2) + reason.encode())
