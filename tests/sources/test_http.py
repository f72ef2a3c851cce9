"""Reading a response: whatever a server sends, it costs bounded memory and leaves time for all else."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from debate_tui.domain.events import DebatePaused, event_to_json
from debate_tui.domain.stream import Chunk, Fault, FaultKind
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.http import HttpClients, decode_body
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from debate_tui.sources.remote_debate import RemoteDebate
from debate_tui.sources.sdk import SdkClients
from debate_tui.sources.shared_connection import SharedEndpoint
from debate_tui.sources.sse import SseSource
from tests.fakes.provider_server import chat_events, event, messages_events, responses_events
from tests.fakes.sse_server import Reply, SseServer, reply
from tests.sources.source_reader import REQUEST, SourceOutput, count_turns, read_source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.stream import Source

PATHS: dict[str, Callable[[list[str]], list[bytes]]] = {
    "sse": lambda words: [*(event({"delta": word}) for word in words), event("", "done")],
    "shared": lambda words: [
        *(event({"delta": word, "debater": "a"}) for word in words),
        event({"debater": "a"}, "done"),
    ],
    "chat": chat_events,
    "responses": responses_events,
    "messages": messages_events,
}


@asynccontextmanager
async def source_at(path: str, origin: str) -> AsyncIterator[Source]:
    """A source that reads from `origin`, whatever path it asks for."""
    http, sdk = HttpClients(), SdkClients(environ={"OPENAI_API_KEY": "key", "ANTHROPIC_API_KEY": "key"})
    try:
        match path:
            case "sse":
                yield SseSource(origin, clients=http)
            case "shared":
                endpoint = SharedEndpoint(SseSource(origin, clients=http))
                source = endpoint.add_source(["a"])
                endpoint.add_source(["b"])
                yield source
            case "messages":
                provider = replace(find_provider("anthropic"), base_url=origin)
                yield AnthropicSource("m", sdk_clients=sdk, provider=provider)
            case _:
                api = "chat" if path == "chat" else "responses"
                provider = replace(find_provider("openai"), base_url=origin, api=api)
                yield OpenAISource("m", sdk_clients=sdk, provider=provider)
    finally:
        await sdk.aclose()
        await http.aclose()


async def read(path: str, *replies: Reply) -> SourceOutput:
    async with SseServer(*replies) as server, source_at(path, server.origin) as source:
        return await read_source(source)


def encode(data: bytes, coding: str) -> bytes:
    wbits = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS, "raw": -zlib.MAX_WBITS}[coding]
    encoder = zlib.compressobj(wbits=wbits)
    return encoder.compress(data) + encoder.flush()


# Content codings


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "coding"), [("gzip", "gzip"), ("X-GZip", "x-gzip"), ("deflate", "deflate"), ("deflate", "raw")]
)
async def test_compressed_streams_are_decoded(path: str, name: str, coding: str) -> None:
    words = ["Tea ", "🍵 is ", "better."] * 20
    data = encode(b"".join(PATHS[path](words)), coding)
    heard = await read(
        path, reply(*(data[i : i + 7] for i in range(0, len(data), 7)), headers=(("Content-Encoding", name),))
    )
    assert heard.fault is None
    assert heard.text == "".join(words)
    assert heard.finished is not None


async def test_a_gzip_body_may_have_several_members() -> None:
    members = [gzip.compress(data) for data in PATHS["sse"](["one ", "two"])]
    heard = await read("sse", reply(b"".join(members), headers=(("Content-Encoding", "gzip"),)))
    assert heard.text == "one two"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip"])
async def test_other_content_codings_are_refused(path: str, coding: str) -> None:
    heard = await read(path, reply(b"whatever", headers=(("Content-Encoding", coding),)))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.BAD_REQUEST
    assert f"'{coding}'" in heard.fault.message


@pytest.mark.parametrize("path", PATHS)
async def test_a_broken_compressed_body_is_worth_another_try(path: str) -> None:
    heard = await read(path, reply(b"\x1f\x8b\x08\0broken" * 9, headers=(("Content-Encoding", "gzip"),)))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize(
    ("path", "line"),
    [
        *((path, b": nothing\n") for path in PATHS),
        *(("sse", line) for line in (b"\n", b"x\n\n", b"retry: 1\n")),
    ],
)
async def test_what_expands_too_much_is_given_up_within_bounded_memory(path: str, line: bytes) -> None:
    encoder = zlib.compressobj(wbits=31)
    bomb = b"".join([*(encoder.compress(line * 100_000) for _ in range(20)), encoder.flush()])
    await read(path, reply(b"", status=500))  # what is imported counts for nothing
    tracemalloc.start()
    try:
        heard = await read(path, reply(bomb, headers=(("Content-Encoding", "gzip"),)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.BAD_REQUEST
    assert "expands too much" in heard.fault.message
    assert peak < 8 << 20


async def test_an_empty_member_after_the_other_leaves_time_for_others() -> None:
    async def members() -> AsyncIterator[bytes]:
        yield gzip.compress(b"") * 20_000

    turns = await count_turns(drain(decode_body(members(), "gzip")))
    assert turns > 5


# Time for others


async def drain(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass


@pytest.mark.parametrize("path", PATHS)
async def test_many_events_at_once_leave_time_for_others(path: str) -> None:
    """Of 20,000 events in one write, none keeps the others for long."""
    words = ["word "] * 20_000
    events_in_a_row: list[int] = []

    async def take_turns() -> None:
        while True:
            events_in_a_row.append(0)
            await asyncio.sleep(0)

    async with (
        SseServer(reply(b"".join(PATHS[path](words)))) as server,
        source_at(path, server.origin) as source,
    ):
        others = asyncio.create_task(take_turns())
        text = []
        async with RecoveringSource(source).open(REQUEST) as items:
            async for item in items:
                events_in_a_row[-1:] = [sum(events_in_a_row[-1:]) + 1]
                if isinstance(item, Chunk):
                    text.append(item.text)
        others.cancel()
    assert "".join(text) == "".join(words)
    assert max(events_in_a_row) < 3000


@pytest.mark.parametrize("path", ["sse", "chat"])
@pytest.mark.parametrize("line", [b":\n", b"x\n\n", b"retry\n"], ids=repr)
async def test_what_is_no_event_leaves_time_for_others(path: str, line: bytes) -> None:
    """A few milliseconds of work, and not all that came with one read."""
    encoder = zlib.compressobj(wbits=31)
    data = encoder.compress(line * (1_000_000 // len(line))) + encoder.flush()
    async with (
        SseServer(reply(data, headers=(("Content-Encoding", "gzip"),))) as server,
        source_at(path, server.origin) as source,
    ):
        await source_ready(source)
        turns = await count_turns(read_source(source))
    assert turns > 8


async def source_ready(source: Source) -> None:
    """Import what is imported with the first request."""
    with suppress(Fault):
        async with source.open(REQUEST):
            pass


async def test_the_events_of_a_host_leave_time_for_others() -> None:
    said = event_to_json(DebatePaused(reason="user", debater=None)).decode()
    data = "".join(f"id: 1-{number}\ndata: {said}\n\n" for number in range(20_000)).encode()
    clients = HttpClients()
    messages = 0

    async def follow() -> None:
        nonlocal messages
        async with RemoteDebate(f"{server.origin}/debates/d", clients=clients).connect("") as connection:
            with suppress(Fault):
                async for _ in connection.messages:
                    messages += 1

    async with SseServer(reply(data)) as server:
        turns = await count_turns(follow())
    await clients.aclose()
    assert messages == 20_000
    assert turns > 30
