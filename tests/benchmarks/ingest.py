"""What it costs to take text in: CPU per event from a loopback socket to stream items, for every path.

    python -m tests.benchmarks ingest

A process of its own sends; only this one's CPU counts, and of three streams the cheapest. Saturated, there is
always something to read: HTTP chunks of as many events as fit into 16 KiB, or of one event each, which HTTP
clients give out one by one. Then the same with a pause behind each, so that every event is waited for.
`raw` is the floor: asyncio's `readline`, which decodes nothing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import threading
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.domain.stream import Chunk
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.http import HttpClients
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from debate_tui.sources.sdk import SdkClients
from debate_tui.sources.sse import SseSource
from tests.benchmarks.report import Figure
from tests.fakes.provider_server import chat_events, event, messages_events, responses_events
from tests.sources.source_reader import REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from debate_tui.domain.stream import Source

WORD = "debate "
PAUSE = 150e-6
HEAD = (
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
    b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
PATHS: dict[str, Callable[[list[str]], list[bytes]]] = {
    "raw": chat_events,
    "sse": lambda words: [*(event({"delta": word}) for word in words), event("", "done")],
    "chat": chat_events,
    "responses": responses_events,
    "messages": messages_events,
}


def framed(events: list[bytes], size: int) -> list[bytes]:
    """The events as HTTP chunks, each of as many as fit into `size`, but at least one."""
    chunks: list[bytes] = []
    piece = b""
    for data in events:
        if piece and len(piece) + len(data) > size:
            chunks.append(b"%x\r\n%b\r\n" % (len(piece), piece))
            piece = b""
        piece += data
    return [*chunks, b"%x\r\n%b\r\n" % (len(piece), piece), b"0\r\n\r\n"]


def serve(listening: socket.socket, chunks: list[bytes], pause: float) -> None:
    """Answer every request with these chunks."""
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=answer, args=(connection, chunks, pause), daemon=True).start()


def answer(connection: socket.socket, chunks: list[bytes], pause: float) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as request:
        fields = iter(request.readline, b"\r\n")
        length = sum(int(line[15:]) for line in fields if line.lower().startswith(b"content-length:"))
        request.read(length)
        connection.sendall(HEAD)
        if not pause:
            connection.sendall(b"".join(chunks))
        due = time.perf_counter()
        for chunk in chunks if pause else ():
            connection.sendall(chunk)
            due += pause
            if pause > 1e-3:
                time.sleep(max(0.0, due - time.perf_counter()))
            while time.perf_counter() < due:
                pass


async def read_raw(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    lines = 0
    while await reader.readline():
        lines += 1
    writer.close()
    return lines


async def read_source(source: Source) -> int:
    """Read one turn."""
    size = 0
    async with source.open(REQUEST) as items:
        async for item in items:
            if isinstance(item, Chunk):
                size += len(item.text)
    return size


async def measure(path: str, port: int, events: int) -> float:
    """CPU seconds of the cheapest of some streams; the first one pays for imports."""
    used: list[float] = []
    async with AsyncExitStack() as stack:
        source = None if path == "raw" else await make_source(path, port, stack)
        for _ in range(4):
            start = time.process_time()
            if source is None:
                await read_raw(port)
            else:
                size = await read_source(source)
                assert size == events * len(WORD), f"{path}: {size} characters"
            used.append(time.process_time() - start)
    return min(used)


async def make_source(path: str, port: int, stack: AsyncExitStack) -> Source:
    url = f"http://127.0.0.1:{port}"
    if path == "sse":
        clients = HttpClients()
        stack.push_async_callback(clients.aclose)
        return SseSource(url, clients=clients)
    sdk = SdkClients(environ={"OPENAI_API_KEY": "key", "ANTHROPIC_API_KEY": "key"})
    stack.push_async_callback(sdk.aclose)
    if path == "messages":
        asked = replace(find_provider("anthropic"), base_url=url)
        await sdk.client(asked)
        return AnthropicSource("m", sdk_clients=sdk, provider=asked)
    asked = replace(find_provider("openai"), base_url=url, api="chat" if path == "chat" else "responses")
    await sdk.client(asked)
    return OpenAISource("m", sdk_clients=sdk, provider=asked)


def figures(events: int = 10_000) -> Iterator[Figure]:
    """Every path: many events per read, one per read, and one per wake-up beside the floor's."""
    floor = 0.0
    for path, make in PATHS.items():
        sent = make([WORD] * events)
        many, one, woken = (
            cost(framed(sent, size), pause, partial(measure, path, events=events)) / events * 1e6
            for size, pause in ((1 << 14, 0.0), (0, 0.0), (0, PAUSE))
        )
        shown = f"{many:.0f} / {one:.0f} µs; {woken:.0f} µs"
        if path == "raw":
            floor = woken
            yield Figure("asyncio's `readline`, which decodes nothing: the same", shown, "–", met=True)
            continue
        what = f"CPU per event, `{path}`: saturated, many per read / one; woken up for each"
        met = many <= 10 and one <= 30 and woken <= 6 * floor
        yield Figure(what, shown, "≤ 10 / 30 µs; ≤ 6 × `readline`", met)


def cost(
    chunks: list[bytes], pause: float, reading: Callable[..., Coroutine[object, object, float]]
) -> float:
    """What `reading` says of a server that sends these chunks; it is given the `port`."""
    listening = socket.create_server(("127.0.0.1", 0))
    sender = multiprocessing.get_context("fork").Process(
        target=serve, args=(listening, chunks, pause), daemon=True
    )
    sender.start()
    port = listening.getsockname()[1]
    listening.close()
    try:
        return asyncio.run(reading(port=port))
    finally:
        sender.terminate()
        sender.join()
