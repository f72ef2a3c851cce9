"""A debater behind a WebSocket whose messages are what an event stream's data would be."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Alive, Connected, Fault, FaultKind, Origin
from debate_tui.sources.address import check_address, host
from debate_tui.sources.http import Call, answered
from debate_tui.sources.payloads import Data, faults
from debate_tui.sources.payloads.detect import as_json
from debate_tui.sources.remote import Connection, Remote, asked, filled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from httpx_ws import AsyncWebSocketSession

    from debate_tui.domain.stream import Cursor, Request
    from debate_tui.sources.http import Answer, Clients
    from debate_tui.sources.payloads import Event
    from debate_tui.sources.remote import Method

MESSAGE_LIMIT = 1 << 20
"""The largest message, in characters or bytes."""

_READ = 1 << 16
_GOODBYE_SECONDS = 0.5
_ORDERLY = (1000, 1005)
"""Close codes that say all was sent: a normal closure, and a close frame without a code."""
_CLOSED = {
    1001: FaultKind.NETWORK,
    1003: FaultKind.BAD_REQUEST,
    1008: FaultKind.BAD_REQUEST,
    1009: FaultKind.BAD_REQUEST,
    1010: FaultKind.BAD_REQUEST,
    1011: FaultKind.SERVER,
    1012: FaultKind.SERVER,
    1013: FaultKind.OVERLOADED,
    1014: FaultKind.SERVER,
}


class WebSocketSource(Remote):
    """One debater at a WebSocket endpoint, ``ws://`` or ``wss://``.

    The URL may have the placeholders of `filled`; a reconnect says ``lastEventId=`` in the query, the ids
    being those the messages carry (`id` or `seq`). `method` POST sends ``{"topic", "phase", "turn",
    "prompt", "messages"}`` as JSON in the first message. `headers` go to the URL's own origin only.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: Clients,
        method: Method = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        check_address(url, ("ws", "wss"))
        # The opening handshake is an HTTP request to the same place.
        self._url = "http" + url[2:]
        self._clients = clients
        self._method: Method = method
        self._headers = dict(headers or {})

    @property
    def model(self) -> str:
        return host(self._url)

    def address(self, request: Request) -> str:
        return filled(self._url, request, None)

    @asynccontextmanager
    async def connect(self, request: Request, cursor: Cursor | None) -> AsyncGenerator[Connection]:
        key = b64encode(secrets.token_bytes(16)).decode()
        about = {
            "connection": "Upgrade",
            "upgrade": "websocket",
            "sec-websocket-key": key,
            "sec-websocket-version": "13",
        }
        url = filled(self._url, request, cursor, id_in_query=True)
        async with answered(self._clients, Call("GET", url, self._headers, about)) as answer:
            await _check(answer, key)
            messages = _Messages(answer, self.model)
            if self._method == "POST":
                await messages.say(asked(request).decode())
            connected = Connected(Origin.CURSOR if cursor else Origin.START, "WebSocket", answer.reused)
            try:
                yield Connection(connected, messages.read(), lambda: messages.orderly, ids_in_data=True)
            finally:
                await messages.close()


async def _check(answer: Answer, key: str) -> None:
    """Raise the fault of an answer that is no WebSocket."""
    from wsproto.utilities import generate_accept_token

    response = answer.response
    if response.status_code >= 400:
        raise await answer.refusal()
    accepted = response.headers.get("sec-websocket-accept", "").encode()
    if response.status_code != 101 or accepted != generate_accept_token(key.encode()):
        raise Fault(
            FaultKind.BAD_REQUEST, "The server does not open a WebSocket here.", status=response.status_code
        )


class _Messages:
    """The messages of one WebSocket.

    The session is httpx-ws's, but never entered: its own reader passes over pings, keeps messages of any
    size, and reads ahead of whoever wants them.
    """

    def __init__(self, answer: Answer, host: str) -> None:
        from httpx_ws import AsyncWebSocketSession

        stream = answer.response.extensions["network_stream"]
        self._session: AsyncWebSocketSession = AsyncWebSocketSession(
            stream, keepalive_ping_interval_seconds=None, response=answer.response
        )
        self._host = host
        self._parts: list[str | bytes | bytearray] = []
        self._size = 0
        self.orderly = False
        """Whether the server closed with a code that says that this was all."""

    async def say(self, text: str) -> None:
        """Send a text message."""
        from httpx_ws import WebSocketNetworkError

        try:
            await self._session.send_text(text)
        except WebSocketNetworkError as error:
            raise self._broken() from error

    async def read(self) -> AsyncGenerator[Event | Alive]:
        """The messages as events, up to the close; pings are answered, and are signs of life."""
        import httpcore
        from httpx_ws import WebSocketNetworkError
        from wsproto.utilities import ProtocolError

        # The pong to a ping is written while reading: that, too, may find the connection broken.
        broken = httpcore.NetworkError, httpcore.TimeoutException, ProtocolError, WebSocketNetworkError
        try:
            while data := await self._session.stream.read(_READ):
                self._session.connection.receive_data(data)
                async with aclosing(self._events()) as events:
                    async for event in events:
                        yield event
                if self.orderly:
                    return
        except broken as error:
            raise self._broken() from error

    async def close(self) -> None:
        """Say goodbye, if that takes no time, and close."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._session.close()

    async def _events(self) -> AsyncGenerator[Event | Alive]:
        """What has been received so far."""
        from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

        for event in self._session.connection.events():
            match event:
                case TextMessage() | BytesMessage():
                    self._parts.append(event.data)
                    self._size += len(event.data)
                    if self._size > MESSAGE_LIMIT:
                        raise Fault(
                            FaultKind.BAD_REQUEST,
                            f"The server sent a message of more than {MESSAGE_LIMIT:,} characters.",
                        )
                    if event.message_finished:
                        yield Data(_text(self._parts))
                        self._parts, self._size = [], 0
                case Ping():
                    await self._session.send(event.response())
                    yield Alive()
                case Pong():
                    yield Alive()
                case CloseConnection():
                    self._closed(event.code, event.reason)
                    return

    def _closed(self, code: int, reason: str | None) -> None:
        if code in _ORDERLY:
            self.orderly = True
            return
        # Codes of the application's own are, by custom, 4000 and the HTTP status.
        kind = faults.kind_of_status(code - 4000) if code >= 4000 else _CLOSED.get(code, FaultKind.NETWORK)
        raise Fault(kind, reason or f"{self._host} closed the WebSocket with code {code}.")

    def _broken(self) -> Fault:
        return Fault(FaultKind.NETWORK, f"The WebSocket to {self._host} broke.")


def _text(parts: Sequence[str | bytes | bytearray]) -> str:
    """A message as an event's data: text as it is, MessagePack as JSON."""
    if not isinstance(parts[0], str):
        whole = b"".join(part for part in parts if not isinstance(part, str))
        return as_json(whole) or whole.decode("utf-8", "replace")
    return "".join(part for part in parts if isinstance(part, str))
