"""What connecting, and connecting again, takes on the wall: ``python -m tests.benchmarks healing``.

Over loopback, through recovery and the HTTP client as a debate has them. The first connection pays for
importing the client. A stream that is cut waits as long as its policy says; all of that counts.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, StateChange
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.http import HttpClients
from debate_tui.sources.sse import SseSource
from tests.benchmarks.report import Figure, at_most
from tests.fakes.sse_server import Cut, SseServer, reply
from tests.sources.source_reader import REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGINNING = b'id: 1\ndata: {"delta": "before "}\n\n'
REST = b'id: 2\ndata: {"delta": "after"}\n\nevent: done\ndata: {}\n\n'


def figures() -> Iterator[Figure]:
    """Connections, cold and warm, and a reconnection."""
    cold, warm, reconnection = asyncio.run(_measure())
    yield at_most("connection, the first with its imports", cold * 1000, 200, "{:.0f} ms")
    yield at_most("connection, any other", warm * 1000, 200, "{:.0f} ms")
    yield at_most(
        "reconnection: from the cut to the next text, the wait included", reconnection, 3, "{:.1f} s"
    )


async def _measure() -> tuple[float, float, float]:
    clients = HttpClients()
    try:
        cold = await _connection(clients)
        warm = min([await _connection(clients) for _ in range(5)])
        return cold, warm, await _reconnection(clients)
    finally:
        await clients.aclose()


async def _connection(clients: HttpClients) -> float:
    """Seconds from asking to the first text."""
    async with SseServer(reply(BEGINNING, REST)) as server:
        began = time.perf_counter()
        async with RecoveringSource(SseSource(server.url, clients=clients)).open(REQUEST) as items:
            async for item in items:
                if isinstance(item, Chunk):
                    return time.perf_counter() - began
    raise AssertionError("nothing was said")


async def _reconnection(clients: HttpClients) -> float:
    """Seconds from the badge's first word of trouble to the text behind the cut."""
    cut = 0.0
    async with (
        SseServer(reply(BEGINNING, Cut.RESET), reply(REST)) as server,
        RecoveringSource(SseSource(server.url, clients=clients)).open(REQUEST) as items,
    ):
        async for item in items:
            if isinstance(item, StateChange) and item.state == "reconnecting":
                cut = time.perf_counter()
            if isinstance(item, Chunk) and item.text == "after":
                return time.perf_counter() - cut
    raise AssertionError("it did not heal")
