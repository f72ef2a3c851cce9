"""The way to Redis breaks, and whatever is said meanwhile gets there once."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import Interjection
from debate_tui.record.redis import connection, log
from debate_tui.record.redis import store as tail
from tests.fakes.redis_server import Proxy, RedisServer
from tests.record.log_operations import append_all, read_all, wait_until
from tests.record.redis.redis_operations import (
    APPENDING,
    EVENTS,
    HEAD,
    LOOPS,
    open_stores,
    run_on,
    stored_events,
    take,
)
from tests.sample_debates import ending_events, interjection, opening_events, turn_deltas, whole_debate


@pytest.mark.parametrize("loop", LOOPS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["flush", "cut", "swallow", "go on"])),
        min_size=1,
        max_size=8,
    )
)
def test_wherever_the_connection_is_cut_there_is_no_gap_and_no_duplicate(
    standing_redis: RedisServer, loop: str, steps: list[tuple[int, str]]
):
    async def debate() -> None:
        async with Proxy(standing_redis) as proxy, open_stores(proxy.url, proxy.url) as (store, elsewhere):
            log = await store.create("d1")
            words = turn_deltas()
            events = append_all(log, opening_events())
            await log.flush()
            watched = await elsewhere.watch("d1")
            watchers = [asyncio.create_task(read_all(watched)), asyncio.create_task(read_all(log, 2))]
            for count, what in steps:
                events += append_all(log, take(words, count))
                if what == "flush":
                    await log.flush()
                elif what == "cut":
                    await asyncio.sleep(0)
                    proxy.cut()
                elif what == "swallow":
                    proxy.swallow = 1
                    events += append_all(log, take(words, 1))
                    await wait_until(lambda: not proxy.swallow)
            events += append_all(log, ending_events())
            assert [await watcher for watcher in watchers] == [events, events[2:]]
            await log.aclose()
            assert stored_events(standing_redis) == events
            assert log.write_error is None

    standing_redis.admin.flushall()
    run_on(loop, debate())


@pytest.mark.parametrize("answer", range(1, 13))
async def test_a_claim_whose_answer_got_lost_is_asked_again(server: RedisServer, answer: int):
    async with Proxy(server) as proxy, open_stores(proxy.url, proxy.url) as (store, successor):
        proxy.swallow = answer
        log = await store.create("d1")
        events = append_all(log, opening_events())
        await log.aclose()
        proxy.swallow = answer
        log = await successor.resume("d1")
        events += append_all(log, ending_events())
        await log.aclose()

        assert stored_events(server) == events
        assert server.admin.hget(HEAD, "token") == b"2"


@pytest.mark.parametrize("loop", LOOPS)
def test_a_replica_that_was_behind_takes_over_and_gets_what_it_missed(loop: str):
    async def debate() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with (
            RedisServer("--port", str(port)) as primary,
            RedisServer("--replicaof", "127.0.0.1", str(port)) as replica,
        ):
            async with Proxy(primary) as proxy, open_stores(proxy.url, proxy.url) as (store, elsewhere):
                log = await store.create("d1")
                words = turn_deltas()
                events = append_all(log, take(words, 50))
                await wait_until(lambda: replica.admin.xlen(EVENTS) == 50)
                replica.admin.replicaof("127.0.0.1", "1")
                watched = await elsewhere.watch("d1")
                watcher = asyncio.create_task(read_all(watched))
                events += append_all(log, take(words, 50))
                await log.flush()
                primary.kill()
                proxy.server = replica
                events += append_all(log, take(words, 50))
                await wait_until(lambda: log.write_error)
                assert replica.admin.xlen(EVENTS) == 50
                replica.admin.replicaof("NO", "ONE")
                events += append_all(log, ending_events())

                assert await watcher == events
                await log.aclose()
                assert stored_events(replica) == events
                assert watched.epoch == log.epoch

    run_on(loop, debate())


async def test_a_redis_that_hangs_and_does_everything_late_does_it_once(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "TIMEOUT_S", 0.05)
    async with open_stores(server.url, server.url) as (store, elsewhere):
        notices: list[DebateError] = []
        log = await store.create("d1", on_write_error=notices.append)
        words = turn_deltas()
        events = append_all(log, opening_events())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(read_all(watched))
        server.freeze()
        for _ in range(5):
            events += append_all(log, take(words, 30))
            await log.flush()
        server.thaw()
        events += append_all(log, ending_events())

        assert await watcher == events
        await log.aclose()
        assert stored_events(server) == events
        assert len(notices) == 1


async def test_a_follower_that_missed_much_waits_for_redis_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "RECENT_EVENTS", 3)
    with RedisServer(*APPENDING) as server:
        async with open_stores(server.url, server.url) as (store, elsewhere):
            log = await store.create("d1")
            events = append_all(log, whole_debate(50))
            await log.aclose()
            watched = await elsewhere.watch("d1")
            server.kill()
            with pytest.raises(DebateError, match="cannot be reached"):
                await watched.read()
            watcher = asyncio.create_task(read_all(watched))
            await asyncio.sleep(0)
            server.start()

            assert await watcher == events


async def test_a_full_redis_is_said_once_and_written_to_when_there_is_room(server: RedisServer):
    async with open_stores(server.url) as (store,):
        notices: list[DebateError] = []
        log = await store.create("d1", on_write_error=notices.append)
        server.admin.config_set("maxmemory", "1")
        append_all(log, opening_events())
        await log.flush()
        append_all(log, turn_deltas(10))
        await log.flush()
        assert (log.durable_seq, str(log.write_error)) == (0, str(notices[0]))
        server.admin.config_set("maxmemory", "0")
        await wait_until(lambda: log.durable_seq == 14)

        assert [notice.message.endswith("is full.") for notice in notices] == [True]
        assert log.write_error is None


async def test_a_primary_that_became_a_replica_is_asked_again_until_it_is_one(server: RedisServer):
    async with open_stores(server.url) as (store,):
        notices: list[DebateError] = []
        log = await store.create("d1", on_write_error=notices.append)
        server.admin.replicaof("127.0.0.1", "1")
        append_all(log, opening_events())
        await log.flush()
        assert log.durable_seq == 0
        server.admin.replicaof("NO", "ONE")
        await wait_until(lambda: log.durable_seq == 4)

        assert ["read-only replica" in notice.message for notice in notices] == [True]


async def test_whoever_hears_of_trouble_may_put_it_on_the_log(server: RedisServer):
    async with open_stores(server.url) as (store,):
        log = await store.create(
            "d1", on_write_error=lambda trouble: log.append(interjection(trouble.message))
        )
        heard: list[int] = []
        log.subscribe(lambda event: heard.append(event.seq))
        server.kill()
        append_all(log, opening_events())
        await wait_until(lambda: log.write_error)
        server.start()
        await wait_until(lambda: log.durable_seq == 5)

        assert heard == [1, 2, 3, 4, 5]
        assert isinstance(stored_events(server)[-1], Interjection)


async def test_a_redis_away_for_too_long_ends_the_record_but_bounds_the_memory(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "MAX_BACKLOG_BYTES", 100 * 600)
    monkeypatch.setattr(log, "RETAINED_BYTES", 20 * 600)
    async with open_stores(server.url) as (store,):
        notices: list[DebateError] = []
        held = await store.create("d1", on_write_error=notices.append)
        append_all(held, opening_events())
        await held.flush()
        durable = stored_events(server)
        server.admin.client_pause(10_000_000, all=False)
        append_all(held, turn_deltas(1000))

        assert held.recording_stopped
        assert len(held._recent) < 50
        assert [event.seq for event in await held.read(1003)] == [1004]
        server.admin.client_unpause()
        await held.aclose()
        assert "ends at event" in notices[-1].message
        assert stored_events(server)[: len(durable)] == durable
        assert [event.seq for event in stored_events(server)] == list(range(1, held.durable_seq + 1))


async def test_closing_does_not_wait_for_ever_for_a_redis_that_is_gone(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "CLOSE_TIMEOUT_S", 0.0)
    async with open_stores(server.url) as (store,):
        held = await store.create("d1")
        server.kill()
        append_all(held, opening_events())
        await held.aclose()

        assert held.durable_seq == 0
        assert held.write_error is not None
