"""uvicorn's protocols, with ways around ASGI for viewers' streams: `streaming.ABORT` and `streaming.PUSH`.

ASGI has no way to say that what is still unsent may be dropped: closing politely would wait for a client that
takes nothing, for good. And to send the same bytes to thousands, it has to wake a task for each of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from debate_tui.server.streaming import ABORT, PUSH

if TYPE_CHECKING:
    from wsproto.events import Request


class Http(HttpToolsProtocol):
    """HTTP/1.1."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"call": self.transport.abort}, PUSH: {"call": self._push}}

    def _push(self, data: bytes) -> bool:
        if self.transport.is_closing():
            return False
        self.transport.write(_chunk(data))
        return not self.flow.write_paused


@lru_cache(maxsize=8)
def _chunk(data: bytes) -> bytes:
    """The bytes as a chunk of a response without a length; all viewers of a manner get the same ones."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class WebSockets(WSProtocol):
    """WebSockets over HTTP/1.1."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        self.scope["extensions"][ABORT] = {"call": self.transport.abort}
