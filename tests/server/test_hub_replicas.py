"""With Redis, any number of servers show the same debates, and a viewer may go on at any of them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from debate_tui.domain.events import DebateFinished
from debate_tui.record.stores import open_store
from tests.fakes.redis_server import RedisServer
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log, transcript_of
from tests.server.running_server import read_sse, read_websocket, received_at_least, running_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateLog
    from tests.server.running_server import Reader, RunningServer

PATH = "/debates/d1/events"

pytestmark = pytest.mark.usefixtures("quick_redis")


@pytest.fixture
def keeping() -> Iterator[RedisServer]:
    """A Redis that keeps what it was told when it dies."""
    with RedisServer("--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
def forgetting() -> Iterator[RedisServer]:
    """A Redis that forgets everything when it dies."""
    with RedisServer() as server:
        yield server


class Producer(NamedTuple):
    """Whoever holds the debate."""

    log: DebateLog
    append: Callable[[Event], None]


@asynccontextmanager
async def replicas(
    url: str, number: int, log: list[Event]
) -> AsyncIterator[tuple[Producer, list[RunningServer]]]:
    """A debate's log, and servers that know of it by Redis only."""
    async with AsyncExitStack() as stack:
        producer = open_store(url)
        stack.push_async_callback(producer.aclose)
        now = [log[0].at]
        record = await producer.create("d1", clock=lambda: now[0])
        stack.push_async_callback(record.aclose)

        def append(event: Event) -> None:
            now[0] = event.at
            record.append(event)

        append(log[0])
        await record.flush()
        sites = []
        for _ in range(number):
            store = open_store(url)
            stack.push_async_callback(store.aclose)
            sites.append(await stack.enter_async_context(running_server(store)))
        yield Producer(record, append), sites


@pytest.mark.parametrize("read", [read_sse, read_websocket])
async def test_a_viewer_goes_on_at_another_server(keeping: RedisServer, read: Reader) -> None:
    """Cut behind every second message, and back at the other server, while the debate goes on."""
    log = example_debate()
    async with replicas(keeping.url, 2, log) as (producer, sites):

        async def watch() -> ReceivedMessages:
            received, query, turn = ReceivedMessages(), "?after=0&batch_ms=2", 0
            while not received.of_type("debate.finished"):
                target = len(received.messages) + 2
                client = sites[turn % 2].client
                await read(client, PATH + query, received, until=received_at_least(target))
                turn += 1
            return received

        watching = asyncio.create_task(watch())
        for event in log[1:]:
            producer.append(event)
            await asyncio.sleep(0.002)
        check_same_log((await watching).events(), log)


@pytest.mark.parametrize("read", [read_sse, read_websocket])
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_every_cut_is_healed_at_another_server_of_either_store(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, read: Reader
) -> None:
    log = example_debate()
    url = request.getfixturevalue("keeping").url if kind == "redis" else str(tmp_path / "debates.sqlite3")
    async with replicas(url, 2, log) as (producer, (first, second)):
        for event in log[1:]:
            producer.append(event)
        await producer.log.flush()
        full = ReceivedMessages()
        await read(first.client, f"{PATH}?after=0", full)
        check_same_log(full.events(), log)
        for cut in range(1, len(full.messages) + 1):
            received = ReceivedMessages()
            await read(first.client, f"{PATH}?after=0", received, until=received_at_least(cut))
            await read(second.client, PATH, received)
            check_same_log(received.events(), log)


async def test_all_servers_give_a_place_the_same_name(keeping: RedisServer) -> None:
    log = example_debate()
    async with replicas(keeping.url, 3, log) as (producer, sites):
        for event in log[1:]:
            producer.append(event)
        await producer.log.flush()
        ids = {(await each.client.get("/debates/d1")).json()["id"] for each in sites}
    assert len(ids) == 1


async def test_redis_is_killed_and_comes_back(keeping: RedisServer) -> None:
    """Viewers wait, and miss nothing."""
    log = example_debate()
    async with replicas(keeping.url, 2, log) as (producer, sites):
        received = [ReceivedMessages() for _ in sites]
        watching = [
            asyncio.create_task(read_sse(each.client, f"{PATH}?after=0", got))
            for each, got in zip(sites, received, strict=True)
        ]
        for event in log[1:15]:
            producer.append(event)
        while any(len(got.events()) < 5 for got in received):
            await asyncio.sleep(0.005)
        keeping.kill()
        for event in log[15:25]:
            producer.append(event)
        keeping.start()
        for event in log[25:]:
            producer.append(event)
        await asyncio.gather(*watching)
    for got in received:
        assert got.of_type("reset") == []
        check_same_log(got.events(), log)


async def test_redis_forgets_everything_and_the_producer_puts_it_back(forgetting: RedisServer) -> None:
    """The history may have another name then: whoever returns is told so, and misses nothing."""
    log = example_debate()
    async with replicas(forgetting.url, 1, log) as (producer, (here,)):
        received = ReceivedMessages()
        for event in log[1:15]:
            producer.append(event)
        await producer.log.flush()
        await read_sse(here.client, f"{PATH}?after=0", received, until=received_at_least(6))
        forgetting.kill()
        forgetting.start()
        for event in log[15:]:
            producer.append(event)
        await producer.log.flush()
        while not isinstance(received.events()[-1] if received.events() else None, DebateFinished):
            before = len(received.messages)
            await read_sse(here.client, PATH, received)
            if received.of_type("snapshot"):
                break
            assert len(received.messages) > before
    snapshots = received.of_type("snapshot")
    if not snapshots:
        check_same_log(received.events(), log)
        return
    assert received.of_type("reset")
    told = [(turn["turn"], turn["text"], turn.get("reasoning", "")) for turn in snapshots[-1]["turns"]]
    assert told == [(turn[0], turn[2], turn[3]) for turn in transcript_of(log)["turns"]]  # type: ignore[attr-defined]
