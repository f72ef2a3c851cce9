"""Redis dies, and what it lost is put back, or said to be lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.events import DebateFinished, DebateResumed
from debate_tui.record.log import EpochChanged
from debate_tui.record.redis import log
from tests.fakes.redis_server import RedisServer
from tests.record.material import deltas, ending, opening
from tests.record.redis.scene import APPENDING, EVENTS, dead, expire, gathered, kept, put, some, stores, until

if TYPE_CHECKING:
    from debate_tui.domain.errors import DebateError


@pytest.mark.parametrize("persistence", [APPENDING, ()], ids=["appending", "forgetting"])
async def test_redis_is_killed_again_and_again_and_nobody_misses_a_thing(persistence: tuple[str, ...]):
    with RedisServer(*persistence) as server:
        async with stores(server.url, server.url) as (store, elsewhere):
            notices: list[DebateError] = []
            log = await store.create("d1", setup="{}", on_trouble=notices.append)
            words = deltas()
            events = put(log, opening())
            await log.flush()
            watched = await elsewhere.watch("d1")
            watchers = [asyncio.create_task(gathered(watched, after)) for after in (0, 3)]
            for _ in range(3):
                events += put(log, some(words, 200))
                await log.flush()
                events += put(log, some(words, 20))
                server.kill()
                events += put(log, some(words, 200))
                await until(lambda: log.trouble)
                assert log.durable < log.seq
                server.start()
                events += put(log, some(words, 20))
                await until(lambda: log.durable == log.seq)
                assert log.trouble is None
            events += put(log, ending())

            assert [await watcher for watcher in watchers] == [events, events[3:]]
            await log.aclose()
            assert kept(server) == events
            assert watched.epoch == log.epoch
            assert ["cannot be reached" in notice.message for notice in notices] == [True]
            assert (await elsewhere.find("d1")).finished == "complete"
            assert await elsewhere.setup("d1") == "{}"


async def test_what_redis_lost_is_put_back_while_the_debate_is_silent(server: RedisServer):
    async with stores(server.url, lease_s=0.1) as (store,):
        log = await store.create("d1")
        events = put(log, [*opening(), *deltas(100)])
        await log.flush()
        server.kill()
        server.start()
        await until(lambda: server.admin.xlen(EVENTS) == len(events))

        assert kept(server) == events
        assert (await store.find("d1")).events == len(events)


async def test_what_a_failover_lost_is_put_back_by_its_producer(server: RedisServer):
    async with stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        words = deltas()
        events = put(log, some(words, 50))
        await log.flush()
        server.admin.save()
        events += put(log, some(words, 50))
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(gathered(watched))
        server.kill()
        server.start()
        assert len(kept(server)) == 50
        events += put(log, [*some(words, 50), *ending()])

        assert await watcher == events
        await log.aclose()
        assert kept(server) == events


async def test_a_history_that_lost_its_end_and_got_another_has_another_epoch(server: RedisServer):
    async with stores(server.url, server.url, server.url) as (store, successor, elsewhere):
        log = await store.create("d1")
        words = deltas()
        before = put(log, some(words, 50))
        await log.flush()
        server.admin.save()
        put(log, some(words, 50))
        await log.flush()
        watched = await elsewhere.watch("d1")
        batches = watched.follow(90)
        assert [event.seq for event in await anext(batches)] == list(range(91, 101))
        dead(log)
        server.kill()
        server.start()
        expire(server)
        other = await successor.resume("d1")
        assert other.seq == 50
        other.append(DebateResumed(reason="continued", debater=None))
        await other.flush()

        with pytest.raises(EpochChanged):
            await anext(batches)
        assert watched.epoch == other.epoch != log.epoch
        watcher = asyncio.create_task(gathered(watched))
        after = put(other, [*some(words, 100), *ending()])
        assert await watcher == [*before, *await other.read(50, 1), *after]


async def test_a_producer_that_dies_alone_leaves_the_epoch_as_it_was(server: RedisServer):
    async with stores(server.url, server.url) as (store, successor):
        log = await store.create("d1")
        put(log, opening())
        await log.flush()
        dead(log)
        expire(server)
        other = await successor.resume("d1")

        assert (other.epoch, other.seq) == (log.epoch, 4)


async def test_what_is_lost_for_good_ends_the_record_and_is_said(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "KEPT", 5000)
    async with stores(server.url) as (store,):
        notices: list[DebateError] = []
        held = await store.create("d1", on_trouble=notices.append)
        words = deltas()
        for _ in range(5):
            put(held, some(words, 20))
            await held.flush()
        server.kill()
        server.start()
        put(held, some(words, 20))
        await until(lambda: held.lost)
        follower = asyncio.create_task(gathered(held, 119))
        put(held, [DebateFinished(reason="complete")])

        assert [event.seq for event in await follower] == [120, 121]
        assert "Redis lost events 1 to" in notices[-1].message
        assert held.trouble is notices[-1]
        assert kept(server) == []
