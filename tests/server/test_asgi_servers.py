"""HTTP/2 over TLS: all panes on one connection."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from debate_tui.domain.errors import DebateError
from debate_tui.record.log import MemoryLog
from debate_tui.server.asgi_servers import bind_socket
from debate_tui.server.encoding import is_relevant
from tests.fakes import tls
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log
from tests.server.running_server import (
    RunningServer,
    hosted_example,
    read_sse,
    read_websocket,
    running_server,
)


def tls_client(here: RunningServer, *, http2: bool) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=here.url, http2=http2, verify=tls.client(), trust_env=False)


@pytest.mark.parametrize("http2", [True, False])
async def test_tls_offers_http2(http2: bool) -> None:
    async with hosted_example(secure=True) as (here, log), tls_client(here, http2=http2) as client:
        health = await client.get("/health")
        assert health.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        debaters = [None, "a", "b", "a"]
        paths = [f"/debates/d1/{f'debaters/{d}/' if d else ''}events?after=0" for d in debaters]
        received = [ReceivedMessages() for _ in paths]
        await asyncio.gather(
            *(read_sse(client, path, got) for path, got in zip(paths, received, strict=True))
        )
        for debater, got in zip(debaters, received, strict=True):
            check_same_log(got.events(), [event for event in log if is_relevant(event, debater)])
        assert await read_sse(client, paths[0], received[0]) == 204
        if not http2:
            over = ReceivedMessages()
            assert await read_websocket(client, paths[0], over) == 1000
            check_same_log(over.events(), log)


async def test_viewers_end_with_their_connection() -> None:
    async with running_server(secure=True) as here:
        here.hub.host("d1", MemoryLog(example_debate()[:10]), known_seq=10)
        async with tls_client(here, http2=True) as client:
            async with client.stream("GET", "/debates/d1/events") as answer:
                await anext(answer.aiter_bytes())
            assert len(here.hub.viewers) == 1, "a stream is abandoned, and its connection kept"
        await here.hub.viewers.wait_until_empty()


def test_a_port_that_is_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DebateError) as raised:
            bind_socket("127.0.0.1", port)
    assert raised.value.message == f"Cannot listen on 127.0.0.1, port {port}: Address already in use."
    assert "--port" in raised.value.hint
