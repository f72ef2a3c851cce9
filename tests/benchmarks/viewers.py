"""What it costs to have many viewers: python -m tests.benchmarks.viewers [VIEWERS…]

A server process of its own hosts one recorded debate, four panes of 60 tokens a second each. Viewers are
plain sockets of this process, so that two cores are needed for figures that mean something. Every token is
the time it was appended at; what a sample of the viewers receive is compared with the clock. CPU and memory
are those the kernel counts for the server process."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import cast

import msgspec
import uvloop

from debate_tui.domain.events import (
    DebaterInfo,
    DebateStarted,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnStarted,
)
from debate_tui.record.stores import open_store
from debate_tui.server.app import create_app
from debate_tui.server.asgi_servers import bind_socket, run_server
from debate_tui.server.auth import AccessControl
from debate_tui.server.event_window import RECENT_EVENTS
from debate_tui.server.hub import Hub
from debate_tui.server.limits import ViewerLimits

PANES = 4
TOKENS_PER_SECOND = 60
SAMPLE = 50
SETTLE_S = 3.0
FURTHER_VIEWERS = 200
"""Viewers let in after all others, to see what memory one takes. The first hundred mostly take memory that
starting the server left free, how much depends for example on whether modules had to be compiled."""

WEBSOCKET = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
_TOKEN = re.compile(rb"@(\d+\.\d+)")


async def serve() -> None:
    """Host a debate that goes on until this process is killed."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "debates.sqlite3")
        log = await store.create("load")
        debaters = tuple(DebaterInfo(f"d{n}", f"Name {n}", "", "demo", "demo") for n in range(PANES))
        log.append(DebateStarted(debate="load", topic="Load", format="oxford", debaters=debaters))
        log.append(PhaseStarted(phase="opening", round=1, rounds=1))
        # As many events as are kept in memory, so that the debate itself takes no more of it from now on.
        for _ in range(2 * RECENT_EVENTS):
            log.append(StreamStatus(debater="d0", state="streaming", attempt=1))
        await log.flush()
        async with Hub(limits=ViewerLimits(100_000, 100_000)) as hub:
            hub.host("load", log)
            at = bind_socket("127.0.0.1", 0)
            port = at.getsockname()[1]
            async with run_server(create_app(hub, AccessControl("token")), at):
                print(port, flush=True)
                await asyncio.gather(*(speak(log, n) for n in range(PANES)))


async def speak(log, pane: int) -> None:  # type: ignore[no-untyped-def]
    """One debater: turns of a thousand tokens, at a steady pace."""
    clock = asyncio.get_running_loop().time
    due, turn = clock() + pane / PANES / TOKENS_PER_SECOND, pane + 1
    while True:
        log.append(TurnStarted(turn=turn, debater=f"d{pane}", phase="opening"))
        offset = 0
        for _ in range(1000):
            text = f"@{time.time():.4f} "
            log.append(TurnDelta(turn=turn, debater=f"d{pane}", attempt=1, offset=offset, text=text))
            offset += len(text)
            due += 1 / TOKENS_PER_SECOND
            await asyncio.sleep(due - clock())
        turn += PANES


class Viewer(asyncio.Protocol):
    """A client that reads whatever comes; a sampled one notes how late every token is."""

    def __init__(self, request: bytes, late: list[float] | None) -> None:
        self.request = request
        self.late = late
        self.bytes = 0
        self.events = 0
        self.measuring = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self.request)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if self.measuring and self.late is not None:
            now = time.time()
            self.events += data.count(b'"type":"turn.delta"')
            self.late.extend(now - float(token) for token in _TOKEN.findall(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


class ProcessUsage(msgspec.Struct):
    """What a process has used so far: seconds of CPU, and memory in KiB."""

    cpu: float
    memory: int


def load_of(pid: int) -> ProcessUsage:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = Path(f"/proc/{pid}/status").read_text()
    memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    return ProcessUsage(ticks / os.sysconf("SC_CLK_TCK"), memory)


async def measure(viewers: int, seconds: float, query: str, upgrade: str) -> None:
    """Start a server, let viewers in, and watch for a while."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.viewers", "--serve", stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        port = int(await server.stdout.readline())
        await watch(server.pid, port, viewers, seconds, f"?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}")
    finally:
        server.kill()
        await server.wait()


async def watch(pid: int, port: int, viewers: int, seconds: float, rest: str) -> None:
    """Measure with one viewer, then with all of them."""
    request = f"GET /debates/load/events{rest}\r\n".encode()
    late: list[float] = []
    step = max(1, viewers // SAMPLE)
    clients: list[Viewer] = []

    async def let_in(upto: int) -> None:
        loop = asyncio.get_running_loop()
        while len(clients) < upto:
            client = Viewer(request, late if len(clients) % step == 0 else None)
            clients.append(client)
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        while not all(client.bytes for client in clients):
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLE_S)

    await let_in(1)
    alone = load_of(pid)
    await asyncio.sleep(seconds)
    one = load_of(pid)
    await let_in(viewers)
    before, bytes_before = load_of(pid), sum(client.bytes for client in clients)
    for client in clients:
        client.measuring = True
    await asyncio.sleep(seconds)
    after, bytes_after = load_of(pid), sum(client.bytes for client in clients)
    sampled = [client for client in clients if client.late is not None]
    events = viewers * sum(client.events for client in sampled) / len(sampled)
    cuts = quantiles(late, n=100)
    cpu, cpu_of_one = after.cpu - before.cpu, one.cpu - alone.cpu
    others = max(1, viewers - 1)
    await let_in(viewers + FURTHER_VIEWERS)
    memory = load_of(pid).memory - after.memory
    print(
        f"{viewers:>7,} viewers  p50 {cuts[49] * 1000:5.1f} ms  p99 {cuts[98] * 1000:5.1f} ms  "
        f"CPU {100 * cpu / seconds:5.1f} %, {cpu / cpu_of_one:5.1f} × that of one viewer  "
        f"each further viewer {1000 * (cpu - cpu_of_one) / seconds / others:5.2f} ms/s and "
        f"{memory / FURTHER_VIEWERS:5.1f} KiB  {1e6 * cpu / events:6.2f} µs per event delivered  "
        f"{(bytes_after - bytes_before) / seconds / viewers / 1000:4.1f} kB/s each  "
        f"lost {sum(client.lost for client in clients)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("viewers", nargs="*", type=int, default=[100, 1000, 4000])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--query", default="")
    parser.add_argument("--websocket", action="store_true", help="instead of event streams")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve())
        return
    for viewers in options.viewers:
        upgrade = WEBSOCKET if options.websocket else ""
        uvloop.run(measure(viewers, options.seconds, options.query, upgrade))


if __name__ == "__main__":
    main()
