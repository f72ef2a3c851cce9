"""Debates watched from anywhere."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import event_from_json
from debate_tui.record.redis import store as tail
from tests.record.material import ending_events, opening_events, turn_deltas
from tests.record.redis.scene import EVENTS, ROOT, append_all, open_stores, read_all, take, wait_until

if TYPE_CHECKING:
    from tests.fakes.redis_server import RedisServer


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
        assert caught.value.hint == "upgrade debate-tui"


async def test_trimmed_events_are_reported_not_skipped(server: RedisServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "MISSING_TIMEOUT_S", 0.0)
    async with open_stores(server.url) as (store,):
        log = await store.create("d1")
        append_all(log, [*opening_events(), *ending_events()])
        await log.aclose()
        server.admin.xtrim(EVENTS, maxlen=3, approximate=False)
        watched = await store.watch("d1")

        with pytest.raises(DebateError, match="no longer in Redis"):
            await read_all(watched)
        with pytest.raises(DebateError, match="no longer in Redis"):
            await watched.read()
        with pytest.raises(DebateError, match="no longer in Redis"):
            await (await store.resume("d1")).read()
