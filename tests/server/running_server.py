"""A server on loopback, and clients that read what it sends."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
from httpx_ws import WebSocketDisconnect, aconnect_ws

from debate_tui.record.log import MemoryLog
from debate_tui.server import viewer
from debate_tui.server.app import create_app
from debate_tui.server.asgi_servers import TlsCertificate, bind_socket, run_server
from debate_tui.server.auth import AccessControl
from debate_tui.server.hub import Hub
from tests.fakes import tls
from tests.fakes.tls import PEM
from tests.sample_debates import opening_events
from tests.server.command_recorder import CommandRecorder
from tests.server.generated_debates import example_debate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    import pytest
    from starlette.types import ASGIApp

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateStore
    from debate_tui.server.commands import DebateLauncher
    from debate_tui.server.limits import ViewerLimits
    from tests.server.received_messages import ReceivedMessages

    Reader = Callable[..., Awaitable[int | None]]
    """`read_sse` or `read_websocket`."""


WEBSOCKET_HEADERS: Final = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class RunningServer:
    """A running server: its hub, and a client that is not the host."""

    def __init__(self, hub: Hub, url: str, client: httpx.AsyncClient) -> None:
        self.hub = hub
        self.url = url
        self.client = client


@asynccontextmanager
async def hosted_example(**options: Any) -> AsyncIterator[tuple[RunningServer, list[Event]]]:
    """A server that hosts the finished example debate as d1, and the debate's events."""
    events = example_debate()
    async with running_server(**options) as here:
        here.hub.host("d1", MemoryLog(events))
        yield here, events


@asynccontextmanager
async def live_debate(
    events: Sequence[Event] = (), **options: Any
) -> AsyncIterator[tuple[RunningServer, CommandRecorder]]:
    """A server that hosts a running debate as d1, and what takes the debate's commands."""
    log = MemoryLog()
    for event in events or opening_events():
        log.append(event)
    chair = CommandRecorder(log)
    async with running_server(**options) as here:
        here.hub.host("d1", log, chair.handle, known_seq=4)
        yield here, chair


def stalled_client(here: RunningServer, query: str, headers: bytes = b"") -> socket.socket:
    """A client that asks for the events of d1 and never reads; close it afterwards."""
    client = socket.create_connection(("127.0.0.1", int(here.url.rpartition(":")[2])))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(
        b"GET /debates/d1/events?%b HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (query.encode(), headers)
    )
    return client


@asynccontextmanager
async def running_server(
    store: DebateStore | None = None,
    *,
    access: AccessControl | None = None,
    limits: ViewerLimits | None = None,
    holder: DebateLauncher | None = None,
    port: int = 0,
    secure: bool = False,
    behind: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> AsyncIterator[RunningServer]:
    """Serve for the length of a block; `secure` with HTTP/2 over TLS, `behind` something in front."""
    async with Hub(store, limits) as hub:
        at = bind_socket("127.0.0.1", port)
        url = f"http{'s' if secure else ''}://127.0.0.1:{at.getsockname()[1]}"
        verify = tls.client() if secure else True
        app = behind(create_app(hub, access or AccessControl("host"), holder))
        async with (
            run_server(app, at, TlsCertificate(PEM, PEM) if secure else None),
            httpx.AsyncClient(base_url=url, timeout=10, trust_env=False, verify=verify) as client,
        ):
            yield RunningServer(hub, url, client)
            hub.viewers.shut_down()


async def read_sse(
    client: httpx.AsyncClient,
    path: str,
    received: ReceivedMessages,
    *,
    until: Callable[[ReceivedMessages], bool] = lambda _: False,
    headers: Mapping[str, str] | None = None,
) -> int:
    """Read an event stream to its end, or until something was received; resumes where `received` ends.

    Returns the status. What comes in the same read as the last wanted message is not kept: to the server
    the client is gone behind that message.
    """
    headers = dict(headers or {})
    if received.last_id:
        headers.setdefault("last-event-id", received.last_id)
    async with client.stream("GET", path, headers=headers) as answer:
        rest = b""
        async for data in answer.aiter_bytes():
            *blocks, rest = (rest + data).split(b"\n\n")
            for block in blocks:
                received.feed(block)
                if until(received):
                    return answer.status_code
    return answer.status_code


async def read_websocket(
    client: httpx.AsyncClient,
    path: str,
    received: ReceivedMessages,
    *,
    until: Callable[[ReceivedMessages], bool] = lambda _: False,
) -> int | None:
    """The same over a WebSocket; returns the code it was closed with, or `None` if this side has left."""
    if received.last_id:
        path += f"{'&' if '?' in path else '?'}lastEventId={received.last_id}"
    async with aconnect_ws(path, client) as socket:
        try:
            while not until(received):
                data = msgspec.json.decode(await socket.receive_text())
                received.add(data["type"], data, data.pop("id", received.last_id))
        except WebSocketDisconnect as end:
            return end.code
    return None


def received_at_least(number: int) -> Callable[[ReceivedMessages], bool]:
    """Until so many messages have come."""
    return lambda received: len(received.messages) >= number


def return_quickly(monkeypatch: pytest.MonkeyPatch, window: tuple[int, int]) -> None:
    """Let viewers come back within this window, in milliseconds, after they were sent away."""
    monkeypatch.setattr(viewer, "RETRY_MS", window)
    monkeypatch.setattr(viewer, "GOODBYE_MS", window)
