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
from debate_tui.record.log import TakenOver
from tests.record.material import deltas, ending, opening
from tests.record.redis.scene import LEASE, ROOT, expire, gathered, kept, put, said, stores, until

if TYPE_CHECKING:
    from tests.fakes.redis_server import RedisServer


async def test_a_debate_that_is_held_cannot_be_taken_over_until_it_is_let_go(server: RedisServer):
    async with stores(server.url, server.url) as (store, successor):
        log = await store.create("d1")
        put(log, opening())
        with pytest.raises(DebateError, match="held by another process") as caught:
            await successor.resume("d1")
        assert "10 s after" in caught.value.hint
        await log.aclose()
        other = await successor.resume("d1")

        assert other.seq == 4


async def test_a_producer_believed_dead_cannot_append_any_more(server: RedisServer):
    async with stores(server.url, server.url, server.url) as (store, successor, elsewhere):
        notices: list[DebateError] = []
        zombie = await store.create("d1", on_trouble=notices.append)
        events = put(zombie, opening())
        await zombie.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(gathered(watched))
        expire(server)
        other = await successor.resume("d1")
        put(zombie, deltas(100))
        events += put(other, [DebateResumed(reason="continued", debater=None)])
        put(zombie, deltas(100))
        with pytest.raises(TakenOver):
            await zombie.flush()
        events += put(other, ending())

        assert await watcher == events
        assert kept(server) == events
        assert isinstance(zombie.trouble, TakenOver)
        assert notices == [zombie.trouble]
        await zombie.aclose()
        assert server.admin.get(LEASE) == b"2"


async def test_a_producer_that_was_only_slow_goes_on(server: RedisServer):
    async with stores(server.url) as (store,):
        log = await store.create("d1")
        events = put(log, opening())
        await log.flush()
        expire(server)
        events += put(log, ending())
        await log.aclose()

        assert kept(server) == events
        assert not log.lost


async def test_two_who_restored_the_same_debate_do_not_mix_their_words(server: RedisServer):
    """Redis lost the takeover: whoever comes first keeps the debate, the other one is told."""
    async with stores(server.url, server.url) as (store, successor):
        zombie = await store.create("d1")
        put(zombie, opening())
        await zombie.flush()
        server.admin.save()
        expire(server)
        other = await successor.resume("d1")
        put(other, [said("other")])
        await other.flush()
        server.kill()
        server.start()
        events = [*kept(server), *put(zombie, [said("zombie")])]
        await zombie.flush()
        put(other, [said("other")])
        await until(lambda: other.lost or zombie.lost)

        assert kept(server) == events
        assert isinstance(other.trouble, TakenOver)


async def test_a_silent_producer_keeps_its_debate(server: RedisServer):
    async with stores(server.url, lease_s=0.1) as (store,):
        await store.create("d1")
        for _ in range(3):
            expire(server)
            await until(lambda: server.admin.exists(LEASE))

        assert 0 < server.admin.pttl(LEASE) <= 100


async def test_an_id_that_exists_is_not_overwritten(server: RedisServer):
    async with stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        events = put(log, opening())
        await log.aclose()
        with pytest.raises(UsageError, match="already"):
            await elsewhere.create("d1")

        assert kept(server) == events


async def test_a_killed_process_leaves_a_debate_to_be_continued_elsewhere(server: RedisServer):
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.record.victim", server.url], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    durable = 0
    with victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            durable = int(line.split()[1])
            if durable > 100:
                break
        victim.send_signal(signal.SIGKILL)
    before = kept(server)
    assert len(before) >= durable
    async with stores(server.url) as (store,):
        with pytest.raises(DebateError, match="held by another process"):
            await store.resume("d1")
        expire(server)
        log = await store.resume("d1")
        after = put(log, [DebateResumed(reason="continued", debater=None), *ending()])
        await log.aclose()
        watched = await store.watch("d1")

        assert await gathered(watched) == kept(server) == [*before, *after]
        assert [event.seq for event in kept(server)] == list(range(1, len(before) + 5))
