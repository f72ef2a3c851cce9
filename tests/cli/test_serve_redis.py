"""Several servers with one Redis: one of them is killed, one believed dead, and no viewer notices."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.events import DebateResumed, decode
from debate_tui.record.redis.client import keys
from tests.cli.serving import serving
from tests.fakes.redis_server import RedisServer
from tests.fakes.sse_server import Cut, SseServer, reply
from tests.server.hosting import count, sse
from tests.server.material import Received, check_exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from debate_tui.domain.events import Event
    from tests.cli.serving import Server

if sys.platform == "win32":
    pytest.skip("signals of another kind", allow_module_level=True)

DEBATE = ("Tea or coffee?", "-d", "demo", "-d", "demo")


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


async def recorded(server: Server, path: str) -> list[Event]:
    """All events that a server knows of."""
    events: list[Event] = []
    more = True
    while more:
        after = events[-1].seq if events else 0
        answer = await server.client.get(f"{path}?after={after}", headers={"accept": "application/json"})
        page = answer.json()
        events += [decode(json.dumps(event)) for event in page["events"]]
        more = page["more"]
    return events


async def began(producer: Server, path: str) -> None:
    """Wait until others can know of the debate: nothing is shown that is not with Redis."""
    await sse(producer.client, f"{path}?after=0", Received(), until=count(1))


def further(received: Received, messages: int) -> Callable[[Received], bool]:
    """Until so many more have come, and the place is one that every event before was told at."""
    enough = len(received.messages) + messages
    return lambda received: len(received.messages) >= enough and "." not in received.last_id


async def test_whoever_watched_a_replica_that_was_killed_goes_on_at_another(redis: RedisServer) -> None:
    async with (
        serving(*DEBATE, "--store", redis.url) as producer,
        serving("--store", redis.url) as first,
        serving("--store", redis.url) as second,
    ):
        path = f"/debates/{producer.debate}/events"
        received = Received()
        await began(producer, path)
        await sse(first.client, f"{path}?after=0", received, until=count(15))
        first.process.kill()
        await first.process.wait()
        await sse(second.client, path, received, until=further(received, 15))
        producer.process.send_signal(signal.SIGTERM)
        await producer.process.wait()
        await sse(second.client, path, received)
        assert received.messages[-1].data["reason"] == "stopped"
        assert received.of_type("reset") == []
        check_exact(received.events(), await recorded(second, path))


async def test_while_redis_is_away_a_server_says_that_it_is_passing(redis: RedisServer) -> None:
    async with serving("--store", redis.url) as server:
        assert (await server.client.get("/debates")).status_code == 200
        redis.kill()
        for path in ("/debates", "/debates/d1", "/debates/d1/events"):
            answer = await server.client.get(path)
            assert answer.status_code == 503
            assert "cannot be reached" in answer.json()["error"]["message"]
            assert int(answer.headers["retry-after"]) > 0
        redis.start()
        assert (await server.client.get("/debates")).status_code == 200


async def test_a_producer_that_was_killed_leaves_its_debate_to_be_continued_elsewhere(
    redis: RedisServer,
) -> None:
    async with serving("--store", redis.url) as watched:
        received = Received()
        async with serving(*DEBATE, "--store", redis.url) as first:
            path = f"/debates/{first.debate}/events"
            await began(first, path)
            await sse(watched.client, f"{path}?after=0", received, until=count(15))
            first.process.kill()
            await first.process.wait()
        redis.admin.delete(keys(first.debate)[2])  # the lease, which would run out by itself
        async with serving("--continue", first.debate, "--store", redis.url):
            await sse(watched.client, path, received, until=further(received, 15))
        assert received.of_type("reset") == []
        told = received.events()
        check_exact(told, (await recorded(watched, path))[: told[-1].seq])


async def test_a_producer_believed_dead_is_told_and_ends_and_adds_nothing(redis: RedisServer) -> None:
    async with serving(*DEBATE, "--store", redis.url) as first:
        path = f"/debates/{first.debate}/events"
        received = Received()
        await sse(first.client, f"{path}?after=0", received, until=count(15))
        first.process.send_signal(signal.SIGSTOP)
        redis.admin.delete(keys(first.debate)[2])
        async with serving("--continue", first.debate, "--store", redis.url) as second:
            first.process.send_signal(signal.SIGCONT)
            assert first.process.stderr is not None
            async with asyncio.timeout(30):
                said = (await first.process.stderr.readline()).decode()
                hint = (await first.process.stderr.readline()).decode()
            assert f"another process continues the debate {first.debate}" in said
            assert "it ends here" in hint
            while "debate_tui_debates_held 0" not in (await first.client.get("/metrics")).text:
                await asyncio.sleep(0.02)
            # Those who watch the first server are told how the debate goes on at the second.
            await sse(first.client, path, received, until=further(received, 15))
            second.process.send_signal(signal.SIGTERM)
            await second.process.wait()
            while not received.of_type("debate.finished"):
                await sse(first.client, path, received)
        events = await recorded(first, path)
        check_exact(received.events(), events)
        assert received.of_type("reset") == []
        (taken_up,) = [event for event in events if isinstance(event, DebateResumed)]
        assert taken_up.reason == "continued"
        assert sum(event.__struct_config__.tag == "debate.finished" for event in events) == 1  # type: ignore[attr-defined]
        first.process.send_signal(signal.SIGTERM)
        assert await first.process.wait() == 128 + signal.SIGTERM


async def test_a_producer_believed_dead_lets_go_of_its_sources(redis: RedisServer) -> None:
    """Nobody pays for words that are part of no debate any more."""
    words = [b'data: {"delta": "word "}\n\n' for _ in range(3)]
    async with SseServer(reply(*words, Cut.STALL)) as source:
        debate = ("Tea?", "-d", f"{source.origin}/a", "-d", f"{source.origin}/b")
        async with serving(*debate, "--store", redis.url) as first:
            await began(first, f"/debates/{first.debate}/events")
            await source.received(2)
            first.process.send_signal(signal.SIGSTOP)
            redis.admin.delete(keys(first.debate)[2])
            async with serving("--continue", first.debate, "--store", redis.url):
                await source.received(4)
                first.process.send_signal(signal.SIGCONT)
                async with asyncio.timeout(30):
                    await asyncio.gather(*(request.gone.wait() for request in source.requests[:2]))
                assert not any(request.gone.is_set() for request in source.requests[2:])
