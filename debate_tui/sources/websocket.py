"""A debater at a WebSocket whose messages have the format of an event stream's data."""

from __future__ import annotations

import asyncio
import secrets
import time
from base64 import b64encode
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Connected, Fault, FaultKind, KeepAlive, StreamOrigin, TimeSlice
from debate_tui.sources.credentials import check_url
from debate_tui.sources.endpoint import EndpointConnection, RemoteEndpoint, encode_turn_request, fill_url
from debate_tui.sources.http import HttpRequest, open_response
from debate_tui.sources.http_errors import Peer, translate_errors
from debate_tui.sources.payloads import SimpleEvent
from debate_tui.sources.payloads.detect import msgpack_to_json
from debate_tui.sources.payloads.error_kinds import kind_from_status

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from httpx_ws import AsyncWebSocketSession

    from debate_tui.domain.stream import Cursor, TurnRequest
    from debate_tui.sources.endpoint import HttpMethod
    from debate_tui.sources.http import HttpClients, HttpResponse
    from debate_tui.sources.payloads import PayloadEvent

MESSAGE_LIMIT = 1 << 20
"""Maximum size of a message, in characters or bytes."""

_READ_SIZE = 1 << 16
_CLOSE_TIMEOUT = 0.5
_NORMAL_CLOSE_CODES = (1000, 1005)
"""Close codes for a complete stream: a normal closure, and a close frame without a code."""
_CLOSE_CODE_KINDS = {
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


class WebSocketSource(RemoteEndpoint):
    """One debater at a WebSocket endpoint, ``ws://`` or ``wss://``.

    The URL may contain the placeholders of `fill_url`; a reconnect adds ``lastEventId=`` to the query, with
    the id from the messages (`id` or `seq`). `method` POST sends ``{"topic", "phase", "turn", "prompt",
    "messages"}`` as JSON in the first message. `headers` go to the URL's own origin only.
    """

    def __init__(
        self,
        url: str,
        *,
        clients: HttpClients,
        method: HttpMethod = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        check_url(url, ("ws", "wss"))
        # The opening handshake is an HTTP request to the same address.
        super().__init__("http" + url[2:])
        self._clients = clients
        self._method: HttpMethod = method
        self._headers = dict(headers or {})

    @asynccontextmanager
    async def connect(
        self, request: TurnRequest, cursor: Cursor | None
    ) -> AsyncGenerator[EndpointConnection]:
        key = b64encode(secrets.token_bytes(16)).decode()
        portable_headers = {
            "connection": "Upgrade",
            "upgrade": "websocket",
            "sec-websocket-key": key,
            "sec-websocket-version": "13",
        }
        url = fill_url(self.url, request, cursor, id_in_query=True)
        async with open_response(
            self._clients, HttpRequest("GET", url, self._headers, portable_headers)
        ) as http_response:
            await _check_upgrade(http_response, key)
            messages = _WebSocketMessages(http_response, self.model)
            if self._method == "POST":
                await messages.send_text(encode_turn_request(request).decode())
            connected = Connected(
                StreamOrigin.CURSOR if cursor else StreamOrigin.START, "WebSocket", http_response.reused
            )
            try:
                yield EndpointConnection(
                    connected, messages.read(), lambda: messages.ended_orderly, ids_in_data=True
                )
            finally:
                await messages.close()


async def _check_upgrade(http_response: HttpResponse, key: str) -> None:
    """Raise a fault if the response does not open a WebSocket."""
    from wsproto.utilities import generate_accept_token

    response = http_response.httpx_response
    if response.status_code >= 400:
        raise await http_response.read_error()
    accept_token = response.headers.get("sec-websocket-accept", "").encode()
    if response.status_code != 101 or accept_token != generate_accept_token(key.encode()):
        raise Fault(
            FaultKind.BAD_REQUEST,
            "The server did not open a WebSocket at this address.",
            status=response.status_code,
        )


class _WebSocketMessages:
    """The messages of one WebSocket.

    The session is httpx-ws's, but never entered: its own reader ignores pings, accepts messages of any size,
    and reads ahead of its consumer.
    """

    def __init__(self, http_response: HttpResponse, host: str) -> None:
        from httpx_ws import AsyncWebSocketSession

        stream = http_response.httpx_response.extensions["network_stream"]
        self._session: AsyncWebSocketSession = AsyncWebSocketSession(
            stream, keepalive_ping_interval_seconds=None, response=http_response.httpx_response
        )
        self._host = host
        self._message_parts: list[str | bytes | bytearray] = []
        self._message_size = 0
        self.ended_orderly = False
        """Whether the server closed with a code for a complete stream."""

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        with self._translate_errors():
            await self._session.send_text(text)

    async def read(self) -> AsyncGenerator[PayloadEvent | KeepAlive]:
        """Yield the messages as events until the close; pings are answered and yield keep-alives."""
        with self._translate_errors():
            while data := await self._session.stream.read(_READ_SIZE):
                self._session.connection.receive_data(data)
                async with aclosing(self._parse_received()) as events:
                    async for event in events:
                        yield event
                if self.ended_orderly:
                    return

    async def close(self) -> None:
        """Send a close frame, if that takes no time, and close."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._session.close()

    async def _parse_received(self) -> AsyncGenerator[PayloadEvent | KeepAlive]:
        """Yield the events received so far."""
        from httpx_ws import WebSocketNetworkError
        from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

        turn = TimeSlice(asyncio.get_running_loop().call_soon)
        for event in self._session.connection.events():
            now = time.monotonic()
            if now >= turn.end and turn.is_spent(now):
                await asyncio.sleep(0)
            match event:
                case TextMessage() | BytesMessage():
                    self._add_part(event.data)
                    if event.message_finished:
                        yield SimpleEvent(_decode_message(self._message_parts))
                        self._message_parts, self._message_size = [], 0
                case Ping():
                    # The server may have closed without waiting for the pong; what it sent is still read.
                    with suppress(WebSocketNetworkError):
                        await self._session.send(event.response())
                    yield KeepAlive()
                case Pong():
                    yield KeepAlive()
                case CloseConnection():
                    self._handle_close(event.code, event.reason)
                    return

    def _add_part(self, data: str | bytes | bytearray) -> None:
        if not data and self._message_parts:
            return  # there may be any number of empty frames
        self._message_parts.append(data)
        self._message_size += len(data)
        if self._message_size > MESSAGE_LIMIT:
            raise Fault(
                FaultKind.BAD_REQUEST,
                f"The server sent a message longer than {MESSAGE_LIMIT:,} characters.",
            )

    def _handle_close(self, code: int, reason: str | None) -> None:
        if code in _NORMAL_CLOSE_CODES:
            self.ended_orderly = True
            return
        # By convention, application codes are 4000 plus an HTTP status.
        kind = (
            kind_from_status(code - 4000) if code >= 4000 else _CLOSE_CODE_KINDS.get(code, FaultKind.NETWORK)
        )
        raise Fault(kind, reason or f"{self._host} closed the WebSocket with code {code}.")

    def _translate_errors(self) -> AbstractContextManager[None]:
        import httpcore
        import httpx
        from httpx_ws import WebSocketNetworkError
        from wsproto.utilities import ProtocolError

        # The pong to a ping is written while reading, which may also find the connection broken.
        broken = (httpcore.NetworkError, httpcore.TimeoutException, ProtocolError, WebSocketNetworkError)
        return translate_errors(Peer(self._host, httpx, errors=broken))


def _decode_message(parts: Sequence[str | bytes | bytearray]) -> str:
    """Return a message as an event's data: text unchanged, MessagePack as JSON."""
    if not isinstance(parts[0], str):
        whole = b"".join(part for part in parts if not isinstance(part, str))
        return msgpack_to_json(whole) or whole.decode("utf-8", "replace")
    return "".join(part for part in parts if isinstance(part, str))
