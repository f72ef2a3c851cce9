"""What is kept, and for how long."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import weakref
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import event_from_json
from debate_tui.record.redis import store as tail
from debate_tui.record.redis.connection import INDEX_KEY
from tests.record.log_operations import append_all, read_all, wait_until
from tests.record.redis.redis_operations import EVENTS, HEAD, LEASE, ROOT, open_stores, take
from tests.sample_debates import debate_started, ending_events, opening_events, turn_deltas, whole_debate

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


# Debates watched from anywhere.


async def watch_process(server: RedisServer, after: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.record.watch_process", server.url, "d1", str(after)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )


async def read_lines(process: asyncio.subprocess.Process, count: int) -> list[str]:
    assert process.stdout is not None
    return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


async def test_a_viewer_goes_on_at_another_process_where_the_first_one_died(server: RedisServer):
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        words = turn_deltas()
        events = append_all(log, [*opening_events(), *take(words, 50)])
        await log.flush()
        first, other = await asyncio.gather(watch_process(server, 0), watch_process(server, 10))
        (epoch, *seen), (same, *late) = await asyncio.gather(read_lines(first, 41), read_lines(other, 21))
        first.kill()
        events += append_all(log, take(words, 50))
        second = await watch_process(server, 40)
        events += append_all(log, [*take(words, 50), *ending_events()])
        left = len(events)
        (again, *rest), more = await asyncio.gather(
            read_lines(second, left - 39), read_lines(other, left - 30)
        )

        assert epoch == same == again == log.epoch
        assert [event_from_json(line) for line in (*seen, *rest)] == events
        assert [event_from_json(line) for line in (*late, *more)] == events[10:]
        assert [await process.wait() for process in (second, other)] == [0, 0]
        assert await first.wait() == -signal.SIGKILL


async def test_all_who_watch_a_debate_here_share_one_reader(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tail, "BLOCK_MS", 1000)
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        events = append_all(log, opening_events())
        await log.flush()
        watched = await asyncio.gather(*(store.watch("d1") for _ in range(20)))
        watchers = [asyncio.create_task(read_all(each)) for each in watched for _ in range(5)]

        def blocked() -> int:
            return sum("b" in each["flags"] for each in server.admin.client_list())

        await wait_until(blocked)
        assert blocked() == 1
        for each in watched[1:]:
            await each.aclose()
        events += append_all(log, ending_events())
        assert [await watcher for watcher in watchers] == [events] * 100
        await watched[0].aclose()
        again = await store.watch("d1")
        assert again is not watched[0]
        assert await read_all(again) == events


async def test_a_debate_that_is_gone_for_a_moment_is_waited_for(server: RedisServer):
    async with open_stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        events = append_all(log, opening_events())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(read_all(watched))
        server.kill()
        server.start()
        with pytest.raises(UsageError):
            await elsewhere.watch("d2")
        events += append_all(log, ending_events())

        assert await watcher == events


@pytest.mark.parametrize(
    "data",
    [b'{"type":"from.the.future"}', b'{"type":"interjection","text":"\xff"}', b'{"x":' + b"[" * 100_000],
    ids=["kind", "bytes", "nested"],
)
async def test_events_that_cannot_be_read_are_explained(server: RedisServer, data: bytes):
    async with open_stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        append_all(log, opening_events())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(read_all(watched))
        server.admin.xadd(EVENTS, {log.epoch: data}, "5-0")

        with pytest.raises(DebateError, match="cannot read") as caught:
            await watcher
        assert caught.value.hint == "Upgrade debate-tui."


async def test_trimmed_events_are_reported_not_skipped(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "MISSING_TIMEOUT_S", 0.0)
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        append_all(log, whole_debate(0))
        await log.aclose()
        server.admin.xtrim(EVENTS, maxlen=3, approximate=False)
        watched = await store.watch("d1")

        with pytest.raises(DebateError, match="no longer in Redis"):
            await read_all(watched)
        with pytest.raises(DebateError, match="no longer in Redis"):
            await watched.read()
        with pytest.raises(DebateError, match="no longer in Redis"):
            await (await store.resume("d1")).read()
