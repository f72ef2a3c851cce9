"""Several servers with one Redis: one of them is killed, one believed dead, and no viewer notices."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.events import DebateResumed, event_from_json
from debate_tui.record.redis.connection import debate_keys
from tests.cli.serve_process import serve_process
from tests.fakes.redis_server import RedisServer
from tests.fakes.sse_server import Cut, SseServer, reply
from tests.server.received_messages import ReceivedMessages, check_same_log
from tests.server.running_server import read_sse, received_at_least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from debate_tui.domain.events import Event
    from tests.cli.serve_process import ServeProcess

if sys.platform == "win32":
    pytest.skip("signals of another kind", allow_module_level=True)

DEBATE = ("Tea or coffee?", "-d", "demo", "-d", "demo")


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


async def events_known_to(server: ServeProcess, path: str) -> list[Event]:
    """All events that a server knows of."""
    events: list[Event] = []
    more = True
    while more:
        after = events[-1].seq if events else 0
        answer = await server.client.get(f"{path}?after={after}", headers={"accept": "application/json"})
        page = answer.json()
        events += [event_from_json(json.dumps(event)) for event in page["events"]]
        more = page["more"]
    return events


async def wait_until_started(producer: ServeProcess, path: str) -> None:
    """Wait until others can know of the debate: nothing is shown that is not with Redis."""
    await read_sse(producer.client, f"{path}?after=0", ReceivedMessages(), until=received_at_least(1))


def wait_for_messages(received: ReceivedMessages, messages: int) -> Callable[[ReceivedMessages], bool]:
    """Until so many more have come, and the place is one that every event before was told at."""
    enough = len(received.messages) + messages
    return lambda received: len(received.messages) >= enough and "." not in received.last_id


async def test_whoever_watched_a_replica_that_was_killed_goes_on_at_another(redis: RedisServer) -> None:
    async with (
        serve_process(*DEBATE, "--store", redis.url) as producer,
        serve_process("--store", redis.url) as first,
        serve_process("--store", redis.url) as second,
    ):
        path = f"/debates/{producer.debate}/events"
        received = ReceivedMessages()
        await wait_until_started(producer, path)
        await read_sse(first.client, f"{path}?after=0", received, until=received_at_least(15))
        first.process.kill()
        await first.process.wait()
        await read_sse(second.client, path, received, until=wait_for_messages(received, 15))
        producer.process.send_signal(signal.SIGTERM)
        await producer.process.wait()
        await read_sse(second.client, path, received)
        assert received.messages[-1].data["reason"] == "stopped"
        assert received.of_type("reset") == []
        check_same_log(received.events(), await events_known_to(second, path))


async def test_while_redis_is_away_a_server_says_that_it_is_passing(redis: RedisServer) -> None:
    async with serve_process("--store", redis.url) as server:
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
    async with serve_process("--store", redis.url) as watched:
        received = ReceivedMessages()
        async with serve_process(*DEBATE, "--store", redis.url) as first:
            path = f"/debates/{first.debate}/events"
            await wait_until_started(first, path)
            await read_sse(watched.client, f"{path}?after=0", received, until=received_at_least(15))
            first.process.kill()
            await first.process.wait()
        redis.admin.delete(debate_keys(first.debate)[2])  # the lease, which would run out by itself
        async with serve_process("--continue", first.debate, "--store", redis.url):
            await read_sse(watched.client, path, received, until=wait_for_messages(received, 15))
        assert received.of_type("reset") == []
        told = received.events()
        check_same_log(told, (await events_known_to(watched, path))[: told[-1].seq])


async def test_a_producer_that_lost_its_lease_stops_and_appends_nothing(redis: RedisServer) -> None:
    async with serve_process(*DEBATE, "--store", redis.url) as first:
        path = f"/debates/{first.debate}/events"
        received = ReceivedMessages()
        await read_sse(first.client, f"{path}?after=0", received, until=received_at_least(15))
        first.process.send_signal(signal.SIGSTOP)
        redis.admin.delete(debate_keys(first.debate)[2])
        async with serve_process("--continue", first.debate, "--store", redis.url) as second:
            first.process.send_signal(signal.SIGCONT)
            assert first.process.stderr is not None
            async with asyncio.timeout(30):
                said = (await first.process.stderr.readline()).decode()
                hint = (await first.process.stderr.readline()).decode()
            assert f"Another process has taken over the debate {first.debate}" in said
            assert "It ends here" in hint
            while "debate_tui_debates_held 0" not in (await first.client.get("/metrics")).text:
                await asyncio.sleep(0.02)
            # Those who watch the first server are told how the debate goes on at the second.
            await read_sse(first.client, path, received, until=wait_for_messages(received, 15))
            second.process.send_signal(signal.SIGTERM)
            await second.process.wait()
            while not received.of_type("debate.finished"):
                await read_sse(first.client, path, received)
        events = await events_known_to(first, path)
        check_same_log(received.events(), events)
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
        async with serve_process(*debate, "--store", redis.url) as first:
            await wait_until_started(first, f"/debates/{first.debate}/events")
            await source.received(2)
            first.process.send_signal(signal.SIGSTOP)
            redis.admin.delete(debate_keys(first.debate)[2])
            async with serve_process("--continue", first.debate, "--store", redis.url):
                await source.received(4)
                first.process.send_signal(signal.SIGCONT)
                async with asyncio.timeout(30):
                    await asyncio.gather(*(request.gone.wait() for request in source.requests[:2]))
                assert not any(request.gone.is_set() for request in source.requests[2:])
