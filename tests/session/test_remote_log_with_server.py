"""``watch``: over an event stream or a WebSocket, and through whatever befalls them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import RecoveryPolicy
from debate_tui.record.stores import open_store
from debate_tui.server.asgi_servers import bind_socket
from debate_tui.session.remote_log import RemoteLog
from debate_tui.sources.http import HttpClients
from debate_tui.sources.remote_debate import RemoteDebate
from tests.fakes import tls
from tests.fakes.gateway import open_gateway
from tests.server.generated_debates import example_debate
from tests.server.running_server import return_quickly, running_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from debate_tui.domain.events import Event
    from tests.fakes.gateway import Gateway

QUICK = RecoveryPolicy(initial=0.01, cap=0.05, jitter=0)
WAYS = pytest.mark.parametrize("way", ["HTTP/1.1", "HTTPS", "WebSocket"])


@pytest.fixture(autouse=True)
def quick_to_return(monkeypatch: pytest.MonkeyPatch) -> None:
    return_quickly(monkeypatch, (10, 20))


def no_streams(app: ASGIApp) -> ASGIApp:
    """What some proxies do: all but event streams passes."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/events"):
            await send({"type": "http.response.start", "status": 406, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await app(scope, receive, send)

    return proxy


def manner(way: str) -> dict[str, object]:
    """The server that makes a watcher go this way."""
    return {"secure": way == "HTTPS", "behind": no_streams if way == "WebSocket" else lambda app: app}


@asynccontextmanager
async def watched_log(
    port: int, way: str, *, policy: RecoveryPolicy = QUICK
) -> AsyncIterator[tuple[RemoteLog, list[str]]]:
    """A watcher that has the first event already, and what it says of its connection."""
    clients, said = HttpClients(make_tls_context=tls.client), list[str]()
    url = f"http{'s' if way == 'HTTPS' else ''}://127.0.0.1:{port}/debates/d1"
    mirror = RemoteLog(RemoteDebate(url, clients=clients), policy, on_connection_notice=said.append)
    try:
        await mirror.wait_for_first_event()
        yield mirror, said
    finally:
        await clients.aclose()


class HostedRecord:
    """A debate that is recorded as the test wants it."""

    def __init__(self, append: Callable[[], object], flush: Callable[[], Awaitable[None]], left: int) -> None:
        self._append = append
        self._flush = flush
        self.left = left

    async def go_on(self, events: int) -> None:
        for _ in range(min(events, self.left)):
            self._append()
            self.left -= 1
        await self._flush()


@asynccontextmanager
async def hosted_debate(path: Path, log: list[Event]) -> AsyncIterator[HostedRecord]:
    """A record of the debate with its first five events."""
    store = open_store(path)
    times, events = iter([event.at for event in log]), iter(log)
    record = await store.create("d1", clock=lambda: next(times))
    held = HostedRecord(lambda: record.append(next(events)), record.flush, len(log))
    await held.go_on(5)
    try:
        yield held
    finally:
        await record.aclose()
        await store.aclose()


async def wait_until_seq(seq: int, mirror: RemoteLog, running: asyncio.Task[None]) -> None:
    """Wait until the watcher has that many events."""
    async with asyncio.timeout(20):
        while mirror.seq < seq and not running.done():
            await asyncio.sleep(0.002)


@WAYS
async def test_restarts_of_the_server_are_not_noticed(tmp_path: Path, way: str) -> None:
    log = example_debate()
    at = bind_socket("127.0.0.1", 0)
    port = at.getsockname()[1]
    at.close()
    path = tmp_path / "debates.sqlite3"
    async with hosted_debate(path, log) as debate, AsyncExitStack() as watching:
        mirror, running = None, None
        while debate.left or mirror is None:
            store = open_store(path)
            async with running_server(store, port=port, **manner(way)):  # type: ignore[arg-type]
                if mirror is None:
                    mirror, _ = await watching.enter_async_context(watched_log(port, way))
                    running = asyncio.create_task(mirror.run())
                assert running is not None
                await debate.go_on(7)
                await wait_until_seq(len(log) - debate.left, mirror, running)
                assert mirror.transport == ("WebSocket" if way == "WebSocket" else "HTTP/1.1")
            await store.aclose()
            await debate.go_on(4)
        store = open_store(path)
        async with running_server(store, port=port, **manner(way)):  # type: ignore[arg-type]
            assert running is not None
            await running
        await store.aclose()
        assert await mirror.read() == log


@WAYS
@pytest.mark.parametrize("befalls", ["cut", "sleep"])
async def test_the_network_may_break_or_fall_silent(tmp_path: Path, way: str, befalls: str) -> None:
    """What is cut is heard of at once, what sleeps only by patience."""
    log = example_debate()
    path = tmp_path / "debates.sqlite3"
    store = open_store(path)
    policy = QUICK if befalls == "cut" else RecoveryPolicy(initial=0.01, cap=0.05, silence_timeout=0.3)

    def befall(network: Gateway) -> None:
        network.cut() if befalls == "cut" else network.sleep()

    async with (
        hosted_debate(path, log) as debate,
        running_server(store, **manner(way)) as here,  # type: ignore[arg-type]
        open_gateway(int(here.url.rpartition(":")[2])) as network,
        watched_log(network.port, way, policy=policy) as (mirror, said),
    ):
        running = asyncio.create_task(mirror.run())
        while debate.left:
            await debate.go_on(9)
            await wait_until_seq(len(log) - debate.left, mirror, running)
            befall(network)
            await debate.go_on(6)
        await running
        assert await mirror.read() == log
        assert mirror.transport == ("WebSocket" if way == "WebSocket" else "HTTP/1.1")
        assert any("Reconnecting" in text for text in said)
        assert said[-1] == ""
    await store.aclose()
