"""One producer at a time, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateResumed
from debate_tui.record.log import TakenOverError
from tests.record.log_operations import append_all, read_all, wait_until
from tests.record.redis.redis_operations import LEASE, ROOT, expire_lease, open_stores, stored_events
from tests.sample_debates import ending_events, interjection, opening_events, turn_deltas

if TYPE_CHECKING:
    from tests.fakes.redis_server import RedisServer


async def test_a_debate_that_is_held_cannot_be_taken_over_until_it_is_let_go(server: RedisServer):
    async with open_stores(server.url, server.url) as (store, successor):
        log = await store.create("d1")
        append_all(log, opening_events())
        with pytest.raises(DebateError, match="running in another process") as caught:
            await successor.resume("d1")
        assert "again in 10 s" in caught.value.hint
        await log.aclose()
        other = await successor.resume("d1")

        assert other.seq == 4


async def test_a_producer_believed_dead_cannot_append_any_more(server: RedisServer):
    async with open_stores(server.url, server.url, server.url) as (store, successor, elsewhere):
        notices: list[DebateError] = []
        zombie = await store.create("d1", on_write_error=notices.append)
        events = append_all(zombie, opening_events())
        await zombie.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(read_all(watched))
        expire_lease(server)
        other = await successor.resume("d1")
        append_all(zombie, turn_deltas(100))
        events += append_all(other, [DebateResumed(reason="continued", debater=None)])
        append_all(zombie, turn_deltas(100))
        with pytest.raises(TakenOverError):
            await zombie.flush()
        events += append_all(other, ending_events())

        assert await watcher == events
        assert stored_events(server) == events
        assert isinstance(zombie.write_error, TakenOverError)
        assert notices == [zombie.write_error]
        await zombie.aclose()
        assert server.admin.get(LEASE) == b"2"


async def test_a_producer_that_was_only_slow_goes_on(server: RedisServer):
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        events = append_all(log, opening_events())
        await log.flush()
        expire_lease(server)
        events += append_all(log, ending_events())
        await log.aclose()

        assert stored_events(server) == events
        assert not log.recording_stopped


async def test_two_who_restored_the_same_debate_do_not_mix_their_words(server: RedisServer):
    """Redis lost the takeover: whoever comes first keeps the debate, the other one is told."""
    async with open_stores(server.url, server.url) as (store, successor):
        zombie = await store.create("d1")
        append_all(zombie, opening_events())
        await zombie.flush()
        server.admin.save()
        expire_lease(server)
        other = await successor.resume("d1")
        append_all(other, [interjection("other")])
        await other.flush()
        server.kill()
        server.start()
        events = [*stored_events(server), *append_all(zombie, [interjection("zombie")])]
        await zombie.flush()
        append_all(other, [interjection("other")])
        await wait_until(lambda: other.recording_stopped or zombie.recording_stopped)

        assert stored_events(server) == events
        assert isinstance(other.write_error, TakenOverError)


async def test_a_silent_producer_keeps_its_debate(server: RedisServer):
    async with open_stores(server.url, lease_s=0.1) as (store,):
        await store.create("d1")
        for _ in range(3):
            expire_lease(server)
            await wait_until(lambda: server.admin.exists(LEASE))

        assert 0 < server.admin.pttl(LEASE) <= 100


async def test_an_id_that_exists_is_not_overwritten(server: RedisServer):
    async with open_stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        events = append_all(log, opening_events())
        await log.aclose()
        with pytest.raises(UsageError, match="exists"):
            await elsewhere.create("d1")

        assert stored_events(server) == events


async def test_a_killed_process_leaves_a_debate_to_be_continued_elsewhere(server: RedisServer):
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.record.record_process", server.url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    durable = 0
    with victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            durable = int(line.split()[1])
            if durable > 100:
                break
        victim.send_signal(signal.SIGKILL)
    before = stored_events(server)
    assert len(before) >= durable
    async with open_stores(server.url) as (store,):
        with pytest.raises(DebateError, match="running in another process"):
            await store.resume("d1")
        expire_lease(server)
        log = await store.resume("d1")
        after = append_all(log, [DebateResumed(reason="continued", debater=None), *ending_events()])
        await log.aclose()
        watched = await store.watch("d1")

        assert await read_all(watched) == stored_events(server) == [*before, *after]
        assert [event.seq for event in stored_events(server)] == list(range(1, len(before) + 5))
