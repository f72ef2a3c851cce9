"""What only a store behind a network must do: outlive its own deaths, and keep producers apart."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import exceptions

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateFinished, DebateResumed, Interjection, decode
from debate_tui.record.log import EpochChanged, TakenOver
from debate_tui.record.redis import client, log, tail
from debate_tui.record.redis.client import INDEX, Link, keys
from debate_tui.record.redis.store import RedisStore
from debate_tui.record.stores import FileStore, open_store
from tests.fakes.redis_server import BINARY, MISSING, Proxy, RedisServer
from tests.record.material import deltas, ending, opening, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator

    from debate_tui.domain.events import Event
    from debate_tui.record.log import ReadableLog
    from debate_tui.record.redis.log import RedisLog

pytestmark = [
    pytest.mark.skipif(BINARY is None, reason=MISSING),
    pytest.mark.usefixtures("quick_redis"),
]

ROOT = Path(__file__).resolve().parents[2]
APPENDING = ("--appendonly", "yes", "--appendfsync", "everysec")
EVENTS, HEAD, LEASE = keys("d1")
LOOPS = ("asyncio", "uvloop")


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that may be killed; it forgets everything then."""
    with RedisServer() as server:
        yield server


@asynccontextmanager
async def stores(*addresses: str, lease_s: float = 10.0) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(aclosing(RedisStore(urlsplit(address), lease_s=lease_s)))
            for address in addresses
        ]


def run_on(loop: str, debate: Coroutine[None, None, None]) -> None:
    """Servers run on uvloop, which has words of its own for a connection that was cut."""
    with asyncio.Runner(loop_factory=pytest.importorskip(loop).new_event_loop) as runner:
        runner.run(debate)


def said(text: str = "hm") -> Interjection:
    return Interjection(text=text, to=None)


def put(log: RedisLog, events: Iterable[Event]) -> list[Event]:
    return [log.append(event) for event in events]


def some(words: Iterator[Event], count: int) -> list[Event]:
    return [next(words) for _ in range(count)]


async def gathered(log: ReadableLog, after: int = 0) -> list[Event]:
    return [event async for batch in log.follow(after) for event in batch]


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0)


def dead(log: RedisLog) -> None:
    """Its process was killed: nothing more is written, nothing is let go."""
    log._writer.cancel()


def expire(server: RedisServer) -> None:
    """Nothing was heard of the producer for longer than its lease."""
    server.admin.delete(LEASE)


def kept(server: RedisServer) -> list[Event]:
    return [decode(data) for _, fields in server.admin.xrange(EVENTS) for data in fields.values()]


# --- Redis dies ----------------------------------------------------------------------------------------


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


# --- the way to Redis breaks -----------------------------------------------------------------------------


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
    standing_redis: RedisServer, quick_redis: None, loop: str, steps: list[tuple[int, str]]
):
    async def debate() -> None:
        async with Proxy(standing_redis) as proxy, stores(proxy.url, proxy.url) as (store, elsewhere):
            log = await store.create("d1")
            words = deltas()
            events = put(log, opening())
            await log.flush()
            watched = await elsewhere.watch("d1")
            watchers = [asyncio.create_task(gathered(watched)), asyncio.create_task(gathered(log, 2))]
            for count, what in steps:
                events += put(log, some(words, count))
                if what == "flush":
                    await log.flush()
                elif what == "cut":
                    await asyncio.sleep(0)
                    proxy.cut()
                elif what == "swallow":
                    proxy.swallow = 1
                    events += put(log, some(words, 1))
                    await until(lambda: not proxy.swallow)
            events += put(log, ending())
            assert [await watcher for watcher in watchers] == [events, events[2:]]
            await log.aclose()
            assert kept(standing_redis) == events
            assert log.trouble is None

    standing_redis.admin.flushall()
    run_on(loop, debate())


@pytest.mark.parametrize("answer", range(1, 13))
async def test_a_claim_whose_answer_got_lost_is_asked_again(server: RedisServer, answer: int):
    async with Proxy(server) as proxy, stores(proxy.url, proxy.url) as (store, successor):
        proxy.swallow = answer
        log = await store.create("d1")
        events = put(log, opening())
        await log.aclose()
        proxy.swallow = answer
        log = await successor.resume("d1")
        events += put(log, ending())
        await log.aclose()

        assert kept(server) == events
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
            async with Proxy(primary) as proxy, stores(proxy.url, proxy.url) as (store, elsewhere):
                log = await store.create("d1")
                words = deltas()
                events = put(log, some(words, 50))
                await until(lambda: replica.admin.xlen(EVENTS) == 50)
                replica.admin.replicaof("127.0.0.1", "1")
                watched = await elsewhere.watch("d1")
                watcher = asyncio.create_task(gathered(watched))
                events += put(log, some(words, 50))
                await log.flush()
                primary.kill()
                proxy.server = replica
                events += put(log, some(words, 50))
                await until(lambda: log.trouble)
                assert replica.admin.xlen(EVENTS) == 50
                replica.admin.replicaof("NO", "ONE")
                events += put(log, ending())

                assert await watcher == events
                await log.aclose()
                assert kept(replica) == events
                assert watched.epoch == log.epoch

    run_on(loop, debate())


async def test_a_redis_that_hangs_and_does_everything_late_does_it_once(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client, "TIMEOUT_S", 0.05)
    async with stores(server.url, server.url) as (store, elsewhere):
        notices: list[DebateError] = []
        log = await store.create("d1", on_trouble=notices.append)
        words = deltas()
        events = put(log, opening())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(gathered(watched))
        server.freeze()
        for _ in range(5):
            events += put(log, some(words, 30))
            await log.flush()
        server.thaw()
        events += put(log, ending())

        assert await watcher == events
        await log.aclose()
        assert kept(server) == events
        assert len(notices) == 1


async def test_a_follower_that_missed_much_waits_for_redis_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tail, "TAIL", 3)
    with RedisServer(*APPENDING) as server:
        async with stores(server.url, server.url) as (store, elsewhere):
            log = await store.create("d1")
            events = put(log, [*opening(), *deltas(50), *ending()])
            await log.aclose()
            watched = await elsewhere.watch("d1")
            server.kill()
            with pytest.raises(DebateError, match="cannot be reached"):
                await watched.read()
            watcher = asyncio.create_task(gathered(watched))
            await asyncio.sleep(0)
            server.start()

            assert await watcher == events


async def test_a_full_redis_is_said_once_and_written_to_when_there_is_room(server: RedisServer):
    async with stores(server.url) as (store,):
        notices: list[DebateError] = []
        log = await store.create("d1", on_trouble=notices.append)
        server.admin.config_set("maxmemory", "1")
        put(log, opening())
        await log.flush()
        put(log, deltas(10))
        await log.flush()
        assert (log.durable, str(log.trouble)) == (0, str(notices[0]))
        server.admin.config_set("maxmemory", "0")
        await until(lambda: log.durable == 14)

        assert [notice.message.endswith("is full") for notice in notices] == [True]
        assert log.trouble is None


async def test_a_primary_that_became_a_replica_is_asked_again_until_it_is_one(server: RedisServer):
    async with stores(server.url) as (store,):
        notices: list[DebateError] = []
        log = await store.create("d1", on_trouble=notices.append)
        server.admin.replicaof("127.0.0.1", "1")
        put(log, opening())
        await log.flush()
        assert log.durable == 0
        server.admin.replicaof("NO", "ONE")
        await until(lambda: log.durable == 4)

        assert ["is a replica" in notice.message for notice in notices] == [True]


async def test_whoever_hears_of_trouble_may_put_it_on_the_log(server: RedisServer):
    async with stores(server.url) as (store,):
        log = await store.create("d1", on_trouble=lambda trouble: log.append(said(trouble.message)))
        heard: list[int] = []
        log.subscribe(lambda event: heard.append(event.seq))
        server.kill()
        put(log, opening())
        await until(lambda: log.trouble)
        server.start()
        await until(lambda: log.durable == 5)

        assert heard == [1, 2, 3, 4, 5]
        assert isinstance(kept(server)[-1], Interjection)


async def test_a_redis_away_for_too_long_ends_the_record_but_bounds_the_memory(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "BACKLOG", 100 * 600)
    monkeypatch.setattr(log, "KEPT", 20 * 600)
    async with stores(server.url) as (store,):
        notices: list[DebateError] = []
        held = await store.create("d1", on_trouble=notices.append)
        put(held, opening())
        await held.flush()
        durable = kept(server)
        server.admin.client_pause(10_000_000, all=False)
        put(held, deltas(1000))

        assert held.lost
        assert len(held._kept) < 50
        assert [event.seq for event in await held.read(1003)] == [1004]
        server.admin.client_unpause()
        await held.aclose()
        assert "ends at event" in notices[-1].message
        assert kept(server)[: len(durable)] == durable
        assert [event.seq for event in kept(server)] == list(range(1, held.durable + 1))


async def test_closing_does_not_wait_for_ever_for_a_redis_that_is_gone(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(log, "CLOSING_S", 0.0)
    async with stores(server.url) as (store,):
        held = await store.create("d1")
        server.kill()
        put(held, opening())
        await held.aclose()

        assert held.durable == 0
        assert held.trouble is not None


# --- producers -------------------------------------------------------------------------------------------


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


# --- those who watch -------------------------------------------------------------------------------------


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


async def test_events_of_an_unknown_kind_are_explained(server: RedisServer):
    async with stores(server.url, server.url) as (store, elsewhere):
        log = await store.create("d1")
        put(log, opening())
        await log.flush()
        watched = await elsewhere.watch("d1")
        watcher = asyncio.create_task(gathered(watched))
        server.admin.xadd(EVENTS, {log.epoch: '{"type":"from.the.future"}'}, "5-0")

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


# --- keeping for a while ---------------------------------------------------------------------------------


async def test_debates_expire_some_time_after_their_last_event(server: RedisServer):
    async with stores(f"{server.url}?ttl=60") as (store,):
        log = await store.create("d1")
        put(log, [started()])
        await log.flush()
        for key in (EVENTS, HEAD):
            server.admin.persist(key)
        put(log, ending())
        await log.aclose()

        assert all(0 < server.admin.pttl(key) <= 60_000 for key in (EVENTS, HEAD))
        assert not server.admin.exists(LEASE)


async def test_debates_may_be_kept_for_good(server: RedisServer):
    async with stores(server.url, f"{server.url}?ttl=0") as (store, lasting):
        log = await store.create("d1")
        put(log, opening())
        await log.aclose()
        assert 0 < server.admin.ttl(EVENTS) <= 7 * 86_400
        await lasting.resume("d1")

        assert [server.admin.ttl(key) for key in (EVENTS, HEAD)] == [-1, -1]


async def test_what_has_expired_is_off_the_list(server: RedisServer):
    async with stores(server.url) as (store,):
        log = await store.create("d1")
        put(log, opening())
        await log.aclose()
        for key in (EVENTS, HEAD):
            server.admin.pexpire(key, 1)
        await until(lambda: not server.admin.exists(EVENTS, HEAD))

        assert await store.debates() == []
        assert server.admin.zcard(INDEX) == 0


# --- addresses and errors ----------------------------------------------------------------------------------


async def test_an_address_says_what_kind_of_store_it_is(tmp_path: Path):
    for address in ("redis://h", "rediss://h:1/2", "valkey://h", "valkeys://h", "unix:///s?db=1&ttl=5"):
        store = open_store(address)
        assert isinstance(store, RedisStore)
        await store.aclose()
    for address in (tmp_path / "redis:x", str(tmp_path / "d.sqlite")):
        store = open_store(address)
        assert isinstance(store, FileStore)
        await store.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "redis://:s3cret@host:port",
        "redis://u:s3cret@host:99999",
        "redis://u:s3cret@[::1",
        "redis://u:s3cret@host?nonsense=1",
        "redis://u:s3cret@host?ttl=soon",
        "redis://u:s3cret@host?socket_timeout=soon",
    ],
)
def test_an_address_that_is_none_is_explained_without_its_password(address: str):
    with pytest.raises(UsageError) as caught:
        open_store(address)
    assert "s3cret" not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


async def test_a_wrong_password_is_explained_and_shown_nowhere(server: RedisServer):
    server.admin.config_set("requirepass", "right")
    address = server.url.replace("unix://", "unix://default:s3cret@")
    async with stores(address) as (store,):
        for use in (store.create, store.resume, store.watch, store.find, store.setup, store.delete):
            with pytest.raises(DebateError, match="refuses the password") as caught:
                await use("d1")
            assert "s3cret" not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"


async def test_a_server_that_is_not_there_is_explained(tmp_path: Path):
    async with stores("redis://u:s3cret@127.0.0.1:1") as (store,):
        with pytest.raises(DebateError) as caught:
            await store.debates()
    assert caught.value.message == "Redis at 127.0.0.1:1 cannot be reached"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.BusyLoadingError(), "loading"),
        (exceptions.NoPermissionError(), "does not permit"),
        (exceptions.MovedError("1 h:1"), "Cluster"),
        (exceptions.ClusterDownError("down"), "Cluster"),
        (exceptions.TimeoutError(), "does not answer"),
        (exceptions.ResponseError("MISCONF oh"), "refuses: MISCONF oh"),
    ],
)
def test_every_error_has_plain_words_and_a_way_out(error: Exception, words: str):
    explained = Link(urlsplit("redis://u:s3cret@h")).explain(error)

    assert words in explained.message
    assert explained.message.startswith("Redis at h:6379 ")
    assert explained.hint


def test_without_the_package_the_address_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("debate_tui.record.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(UsageError, match="needs the package redis") as caught:
        open_store("redis://h")
    assert "debate-tui[redis]" in caught.value.hint


def test_redis_is_loaded_only_where_it_is_asked_for():
    program = "import sys, debate_tui.record.stores; sys.exit('redis' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
