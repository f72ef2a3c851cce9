"""Redis dies, and what it lost is put back, or said to be lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.events import DebateFinished, DebateResumed
from debate_tui.domain.material import Material
from debate_tui.record.log import EpochChangedError
from debate_tui.record.redis import log
from tests.fakes.redis_server import RedisServer
from tests.record.log_operations import append_all, read_all, wait_until
from tests.record.redis.redis_operations import (
    APPENDING,
    EVENTS,
    expire_lease,
    kill_producer,
    open_stores,
    stored_events,
    take,
)
from tests.sample_debates import ending_events, opening_events, turn_deltas

if TYPE_CHECKING:
    from debate_tui.domain.errors import DebateError


@pytest.mark.parametrize("persistence", [APPENDING, ()], ids=["appending", "forgetting"])
async def test_redis_is_killed_again_and_again_and_nobody_misses_a_thing(persistence: tuple[str, ...]):
    with RedisServer(*persistence) as server:
        async with open_stores(server.url, server.url) as (store, elsewhere):
            notices: list[DebateError] = []
            material = (Material(1, "notes.md", "Tea keeps."),)
            log = await store.create("d1", setup="{}", material=material, on_write_error=notices.append)
            words = turn_deltas()
            events = append_all(log, opening_events())
            await log.flush()
            watched = await elsewhere.watch("d1")
            watchers = [asyncio.create_task(read_all(watched, after)) for after in (0, 3)]
            for _ in range(3):
                events += append_all(log, take(words, 200))
                await log.flush()
                events += append_all(log, take(words, 20))
                server.kill()
                events += append_all(log, take(words, 200))
                await wait_until(lambda: log.write_error)
                assert log.durable_seq < log.seq
                server.start()
                events += append_all(log, take(words, 20))
                await wait_until(lambda: log.durable_seq == log.seq)
                assert log.write_error is None
            events += append_all(log, ending_events())

            assert [await watcher for watcher in watchers] == [events, events[3:]]
            await log.aclose()
            assert stored_events(server) == events
            assert watched.epoch == log.epoch
            assert ["cannot be reached" in notice.message for notice in notices] == [True]
            assert (await elsewhere.find("d1")).finished == "complete"
            assert await elsewhere.setup("d1") == "{}"
            assert await elsewhere.material("d1") == material


async def test_what_redis_lost_is_put_back_while_the_debate_is_silent(server: RedisServer):
    async with open_stores(server.url, lease_s=0.1) as (store,):
        log = await store.create("d1")
        events = append_all(log, [*opening_events(), *turn_deltas(100)])
        await log.flush()
        server.kill()
        server.start()
        await wait_until(lambda: server.admin.xlen(EVENTS) == len(events))

        assert stored_events(server) == events
        assert (await store.find("d1")).events == len(events)


async def test_what_a_failover_lost_is_put_back_by_its_producer(server: RedisServer):
    async with open_stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        words = turn_deltas()
        events = append_all(log, take(words, 50))
        await log.flush()
        server.admin.save()
        events += append_all(log, take(words, 50))
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(read_all(watched))
        server.kill()
        server.start()
        assert len(stored_events(server)) == 50
        events += append_all(log, [*take(words, 50), *ending_events()])

        assert await watcher == events
        await log.aclose()
        assert stored_events(server) == events


async def test_a_history_that_lost_its_end_and_got_another_has_another_epoch(server: RedisServer):
    async with open_stores(server.url, server.url, server.url) as (store, successor, elsewhere):
        log = await store.create("d1")
        words = turn_deltas()
        before = append_all(log, take(words, 50))
        await log.flush()
        server.admin.save()
        append_all(log, take(words, 50))
        await log.flush()
        watched = await elsewhere.watch("d1")
        batches = watched.follow(90)
        assert [event.seq for event in await anext(batches)] == list(range(91, 101))
        kill_producer(log)
        server.kill()
        server.start()
        expire_lease(server)
        other = await successor.resume("d1")
        assert other.seq == 50
        other.append(DebateResumed(reason="continued", debater=None))
        await other.flush()

        with pytest.raises(EpochChangedError):
            await anext(batches)
        assert watched.epoch == other.epoch != log.epoch
        watcher = asyncio.create_task(read_all(watched))
        after = append_all(other, [*take(words, 100), *ending_events()])
        assert await watcher == [*before, *await other.read(50, 1), *after]


async def test_a_producer_that_dies_alone_leaves_the_epoch_as_it_was(server: RedisServer):
    async with open_stores(server.url, server.url) as (store, successor):
        log = await store.create("d1")
        append_all(log, opening_events())
        await log.flush()
        kill_producer(log)
        expire_lease(server)
        other = await successor.resume("d1")

        assert (other.epoch, other.seq) == (log.epoch, 4)


async def test_what_is_lost_for_good_ends_the_record_and_is_said(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "RETAINED_BYTES", 5000)
    async with open_stores(server.url) as (store,):
        notices: list[DebateError] = []
        held = await store.create("d1", on_write_error=notices.append)
        words = turn_deltas()
        for _ in range(5):
            append_all(held, take(words, 20))
            await held.flush()
        server.kill()
        server.start()
        append_all(held, take(words, 20))
        await wait_until(lambda: held.recording_stopped)
        follower = asyncio.create_task(read_all(held, 119))
        append_all(held, [DebateFinished(reason="complete")])

        assert [event.seq for event in await follower] == [120, 121]
        assert "Redis lost events 1 to" in notices[-1].message
        assert held.write_error is notices[-1]
        assert stored_events(server) == []
