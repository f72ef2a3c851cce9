"""uvicorn's protocols, which also let an application end a connection at once (see `streaming.ABORT`).

ASGI has no way to say that what is still unsent may be dropped: closing politely would wait for a client that
takes nothing, for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from debate_tui.server.streaming import ABORT

if TYPE_CHECKING:
    from wsproto.events import Request


class Http(HttpToolsProtocol):
    """HTTP/1.1."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"call": self.transport.abort}}


class WebSockets(WSProtocol):
    """WebSockets over HTTP/1.1."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        self.scope["extensions"][ABORT] = {"call": self.transport.abort}
