"""What is kept, and for how long."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError
from debate_tui.record.redis.connection import INDEX_KEY
from tests.record.material import debate_started, ending_events, opening_events
from tests.record.redis.scene import EVENTS, HEAD, LEASE, append_all, open_stores, wait_until

if TYPE_CHECKING:
    from tests.fakes.redis_server import RedisServer


async def test_debates_expire_some_time_after_their_last_event(server: RedisServer):
    async with open_stores(f"{server.url}?ttl=60") as (store,):
        log = await store.create("d1")
        append_all(log, [debate_started()])
        await log.flush()
        for key in (EVENTS, HEAD):
            server.admin.persist(key)
        append_all(log, ending_events())
        await log.aclose()

        assert all(0 < server.admin.pttl(key) <= 60_000 for key in (EVENTS, HEAD))
        assert not server.admin.exists(LEASE)


async def test_debates_may_be_kept_for_good(server: RedisServer):
    async with open_stores(server.url, f"{server.url}?ttl=0") as (store, lasting):
        log = await store.create("d1")
        append_all(log, opening_events())
        await log.aclose()
        assert 0 < server.admin.ttl(EVENTS) <= 7 * 86_400
        await lasting.resume("d1")

        assert [server.admin.ttl(key) for key in (EVENTS, HEAD)] == [-1, -1]


async def test_a_log_that_was_closed_takes_no_memory(server: RedisServer):
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        append_all(log, opening_events())
        await log.aclose()
        again = await store.resume("d1")
        await again.aclose()
        kept = [weakref.ref(log), weakref.ref(again)]
        del log, again
        gc.collect()
        assert [each() for each in kept] == [None, None]


async def test_a_summary_of_another_version_is_explained(server: RedisServer):
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        append_all(log, opening_events())
        await log.aclose()
        server.admin.hset(HEAD, "summary", b'{"debate":7}')
        for ask in (store.debates, store.find, lambda: store.find("d1"), lambda: store.resume("d1")):
            with pytest.raises(DebateError, match="cannot read"):
                await ask()


async def test_what_has_expired_is_off_the_list(server: RedisServer):
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        append_all(log, opening_events())
        await log.aclose()
        for key in (EVENTS, HEAD):
            server.admin.pexpire(key, 1)
        await wait_until(lambda: not server.admin.exists(EVENTS, HEAD))

        assert await store.debates() == []
        assert server.admin.zcard(INDEX_KEY) == 0
