"""Debates watched from anywhere."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import decode
from debate_tui.record.redis import tail
from tests.record.material import deltas, ending, opening
from tests.record.redis.scene import EVENTS, ROOT, gathered, put, some, stores, until

if TYPE_CHECKING:
    from tests.fakes.redis_server import RedisServer


async def spectator(server: RedisServer, after: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.record.spectator", server.url, "d1", str(after)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )


async def lines(process: asyncio.subprocess.Process, count: int) -> list[str]:
    assert process.stdout is not None
    return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


async def test_a_viewer_goes_on_at_another_process_where_the_first_one_died(server: RedisServer):
    async with stores(server.url) as (store,):
        log = await store.create("d1")
        words = deltas()
        events = put(log, [*opening(), *some(words, 50)])
        await log.flush()
        first, other = await asyncio.gather(spectator(server, 0), spectator(server, 10))
        (epoch, *seen), (same, *late) = await asyncio.gather(lines(first, 41), lines(other, 21))
        first.kill()
        events += put(log, some(words, 50))
        second = await spectator(server, 40)
        events += put(log, [*some(words, 50), *ending()])
        left = len(events)
        (again, *rest), more = await asyncio.gather(lines(second, left - 39), lines(other, left - 30))

        assert epoch == same == again == log.epoch
        assert [decode(line) for line in (*seen, *rest)] == events
        assert [decode(line) for line in (*late, *more)] == events[10:]
        assert [await process.wait() for process in (second, other)] == [0, 0]
        assert await first.wait() == -signal.SIGKILL


async def test_all_who_watch_a_debate_here_share_one_reader(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tail, "BLOCK_MS", 1000)
    async with stores(server.url) as (store,):
        log = await store.create("d1")
        events = put(log, opening())
        await log.flush()
        watched = await asyncio.gather(*(store.watch("d1") for _ in range(20)))
        watchers = [asyncio.create_task(gathered(each)) for each in watched for _ in range(5)]

        def blocked() -> int:
            return sum("b" in each["flags"] for each in server.admin.client_list())

        await until(blocked)
        assert blocked() == 1
        for each in watched[1:]:
            await each.aclose()
        events += put(log, ending())
        assert [await watcher for watcher in watchers] == [events] * 100
        await watched[0].aclose()
        again = await store.watch("d1")
        assert again is not watched[0]
        assert await gathered(again) == events


async def test_a_debate_that_is_gone_for_a_moment_is_waited_for(server: RedisServer):
    async with stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        events = put(log, opening())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(gathered(watched))
        server.kill()
        server.start()
        with pytest.raises(UsageError):
            await elsewhere.watch("d2")
        events += put(log, ending())

        assert await watcher == events


@pytest.mark.parametrize(
    "data",
    [b'{"type":"from.the.future"}', b'{"type":"interjection","text":"\xff"}', b'{"x":' + b"[" * 100_000],
    ids=["kind", "bytes", "nested"],
)
async def test_events_that_cannot_be_read_are_explained(server: RedisServer, data: bytes):
    async with stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        put(log, opening())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(gathered(watched))
        server.admin.xadd(EVENTS, {log.epoch: data}, "5-0")

        with pytest.raises(DebateError, match="cannot read") as caught:
            await watcher
        assert caught.value.hint == "upgrade debate-tui"


async def test_events_that_somebody_trimmed_are_missed_not_skipped(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tail, "GONE_S", 0.0)
    async with stores(server.url) as (store,):
        log = await store.create("d1")
        put(log, [*opening(), *ending()])
        await log.aclose()
        server.admin.xtrim(EVENTS, maxlen=3, approximate=False)
        watched = await store.watch("d1")

        with pytest.raises(DebateError, match="no longer in Redis"):
            await gathered(watched)
        with pytest.raises(DebateError, match="no longer in Redis"):
            await watched.read()
        with pytest.raises(DebateError, match="no longer in Redis"):
            await (await store.resume("d1")).read()
