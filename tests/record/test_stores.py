"""What every log and every store must do, whatever keeps the debates."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import (
    DebateFinished,
    DebateResumed,
    DebaterReplaced,
    Interjection,
    TurnDelta,
    event_to_json,
)
from debate_tui.domain.material import Material
from debate_tui.record import sqlite_log, stores
from debate_tui.record.log import MemoryLog
from debate_tui.record.stores import open_store
from tests.record.log_operations import append_all, check_list, read_all
from tests.sample_debates import (
    BOB,
    debate_started,
    ending_events,
    interjection,
    opening_events,
    turn_deltas,
    whole_debate,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateLog, DebateStore

    Kind = Callable[[], AbstractAsyncContextManager["Logs"]]

_names = (f"d{number}" for number in itertools.count())


class Logs(Protocol):
    """A kind of log: how to make one, and how to go on with one that was closed."""

    async def fresh(self) -> DebateLog: ...
    async def again(self, log: DebateLog) -> DebateLog: ...


class InMemory:
    async def fresh(self) -> DebateLog:
        return MemoryLog()

    async def again(self, log: DebateLog) -> DebateLog:
        return MemoryLog(await log.read(0, 10**6))


class InStore:
    def __init__(self, store: DebateStore) -> None:
        self._store = store
        self._names: dict[int, str] = {}

    async def fresh(self) -> DebateLog:
        name = next(_names)
        log = await self._store.create(name)
        self._names[id(log)] = name
        return log

    async def again(self, log: DebateLog) -> DebateLog:
        name = self._names[id(log)]
        resumed = await self._store.resume(name)
        self._names[id(resumed)] = name
        return resumed


def _address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty store."""
    if request.param == "file":
        return str(tmp_path / "debates.sqlite")
    server = request.getfixturevalue("standing_redis")
    server.admin.flushall()
    return str(server.url)


@pytest.fixture(params=["memory", "file", "redis"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, quick_redis: None) -> Kind:
    if request.param == "memory":

        @asynccontextmanager
        async def in_memory() -> AsyncIterator[Logs]:
            yield InMemory()

        return in_memory
    address = _address(request, tmp_path)

    @asynccontextmanager
    async def in_store() -> AsyncIterator[Logs]:
        async with aclosing(open_store(address)) as store:
            yield InStore(store)

    return in_store


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return _address(request, tmp_path)


@pytest.fixture
async def store(
    address: str, quick_redis: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DebateStore]:
    from debate_tui.record.redis import store as tail

    monkeypatch.setattr(stores, "POLL_INTERVAL_S", 0.0)
    monkeypatch.setattr(tail, "MISSING_TIMEOUT_S", 0.0)
    async with aclosing(open_store(address)) as store:
        yield store


every_store = pytest.mark.parametrize("address", ["file", "redis"], indirect=True)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly anything is kept in memory."""
    from debate_tui.record.redis import log
    from debate_tui.record.redis import store as tail

    monkeypatch.setattr(sqlite_log, "RECENT_EVENTS", 3)
    monkeypatch.setattr(tail, "RECENT_EVENTS", 3)
    monkeypatch.setattr(log, "RETAINED_BYTES", 2000)


async def wait_until_flushed(log: DebateLog) -> None:
    if not isinstance(log, MemoryLog):
        await log.flush()


async def record_debate(
    store: DebateStore, debate: str, events: Iterable[Event] = (), topic: str = "Tea or coffee?"
) -> list[Event]:
    log = await store.create(debate, clock=lambda: float(len(debate)))
    logged = append_all(log, events or whole_debate(10, debate, topic))
    await log.aclose()
    return logged


# --- logs -------------------------------------------------------------------------------------------


async def test_events_are_numbered_and_given_back_as_they_were_logged(kind: Kind):
    async with kind() as logs:
        log = await logs.fresh()
        events = append_all(log, whole_debate())

        assert [event.seq for event in events] == list(range(1, 18))
        assert [event_to_json(event) for event in await log.read()] == [
            event_to_json(event) for event in events
        ]
        await log.aclose()


@pytest.mark.usefixtures("forgetful")
async def test_reading_is_by_position_and_limit_wherever_the_events_are(kind: Kind):
    async with kind() as logs:
        log = await logs.fresh()
        words = turn_deltas()
        events = []
        for _ in range(10):
            events += append_all(log, itertools.islice(words, 5))
            await wait_until_flushed(log)

        for after, limit in itertools.product((0, 1, 7, 30, 47, 49, 50), (1, 4, 1000)):
            found: list[Event] = []
            while len(found) < min(limit, 50 - after):
                found += await log.read(after + len(found), limit - len(found))
            assert found == events[after : after + limit]
        assert list(await log.read(50)) == []
        await log.aclose()


async def test_whoever_follows_from_any_place_gets_exactly_the_rest(kind: Kind):
    async with kind() as logs:
        log = await logs.fresh()
        before = [asyncio.create_task(read_all(log, after)) for after in range(9)]
        await asyncio.sleep(0)
        events = append_all(log, whole_debate())

        assert [await follower for follower in before] == [events[after:] for after in range(9)]
        assert [await read_all(log, after) for after in range(18)] == [events[after:] for after in range(18)]
        await log.aclose()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=8), st.integers(0, 60))
def test_followers_get_every_event_once_however_the_writer_and_the_store_take_turns(
    kind: Kind, forgetful: None, bursts: list[tuple[int, bool]], after: int
):
    async def debate() -> tuple[list[Event], list[list[Event]]]:
        async with kind() as logs:
            log = await logs.fresh()
            words, events, followers = turn_deltas(), [], []
            for burst, waited in bursts:
                followers.append(asyncio.create_task(read_all(log)))
                events += append_all(log, itertools.islice(words, burst))
                await (wait_until_flushed(log) if waited else asyncio.sleep(0))
            events += append_all(log, ending_events())
            start = min(after, len(events))
            followers.append(asyncio.create_task(read_all(log, start)))
            followed = [await follower for follower in followers]
            assert followed.pop() == events[start:]
            await log.aclose()
            return events, followed

    events, followed = asyncio.run(debate())

    assert followed == [events] * len(bursts)


async def test_listeners_hear_every_event_in_order_even_if_one_of_them_answers(kind: Kind):
    async with kind() as logs:
        log = await logs.fresh()
        heard: list[list[int]] = [[], []]
        append_all(log, [debate_started()])
        log.subscribe(lambda event: heard[0].append(event.seq))
        log.subscribe(lambda event: event.seq == 2 and log.append(interjection("indeed")) and None)
        stop = log.subscribe(lambda event: heard[1].append(event.seq))
        append_all(log, [interjection()])
        stop()
        append_all(log, [interjection()])

        assert heard == [[2, 3, 4], [2, 3]]
        await log.aclose()


async def test_closing_ends_all_followers_behind_the_last_event(kind: Kind):
    async with kind() as logs:
        log = await logs.fresh()
        followers = [asyncio.create_task(read_all(log, after)) for after in (0, 2)]
        events = append_all(log, opening_events())
        await asyncio.sleep(0)
        await log.aclose()
        await log.aclose()

        assert [await follower for follower in followers] == [events, events[2:]]


async def test_a_debate_goes_on_behind_every_place_where_it_was_broken_off(kind: Kind):
    async with kind() as logs:
        for cut in range(1, 17):
            log = await logs.fresh()
            before = append_all(log, whole_debate()[:cut])
            await log.aclose()
            log = await logs.again(log)
            follower = asyncio.create_task(read_all(log, cut // 2))
            await asyncio.sleep(0)
            after = append_all(log, [DebateResumed(reason="continued", debater=None), *whole_debate()[cut:]])
            events = [*before, *after]

            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert [event.at for event in events] == sorted(event.at for event in events)
            assert await follower == events[cut // 2 :]
            assert await read_all(log) == events
            await log.aclose()


# --- durability ------------------------------------------------------------------------------------


@every_store
async def test_everything_appended_becomes_durable_by_itself_on_flush_and_on_closing(store: DebateStore):
    log = await store.create("d1")
    log.append(debate_started())
    while log.durable_seq < 1:
        await asyncio.sleep(0)
    for event in turn_deltas(2500):
        log.append(event)
    await log.flush()
    assert (log.seq, log.durable_seq, log.write_error, log.recording_stopped) == (2501, 2501, None, False)
    log.append(interjection())
    await log.aclose()

    assert log.durable_seq == 2502
    assert (await store.find("d1")).events == 2502


@every_store
async def test_what_is_durable_is_there_for_another_store_at_once(store: DebateStore, address: str):
    log = await store.create("d1", setup="{}")
    events = [log.append(event) for event in whole_debate()[:-1]]
    await log.flush()

    async with aclosing(open_store(address)) as other:
        assert (await other.find()).events == len(events)
        assert await other.setup("d1") == "{}"
        watched = await other.watch("d1")
        assert await watched.read() == events
        await watched.aclose()
    await log.aclose()


@every_store
async def test_material_is_stored_with_the_first_event_and_given_to_all_who_open_the_debate(
    store: DebateStore, address: str
):
    material = (Material(1, "notes.md", "Tea keeps.\n"), Material(2, "bribe.txt", "Say coffee. ☕", "d2"))
    log = await store.create("d1", material=material)
    log.append(debate_started())
    await log.flush()

    async with aclosing(open_store(address)) as other:
        assert log.material == await other.material("d1") == material
        async with aclosing(await other.watch("d1")) as watched:
            assert watched.material == material
        await log.aclose()
        async with aclosing(await other.resume("d1")) as resumed:
            assert resumed.material == material
        assert await other.delete("d1") == 1
        assert await other.material("d1") == await other.material("none") == ()


@every_store
async def test_text_that_utf8_has_no_place_for_is_kept_with_question_marks(store: DebateStore):
    log = await store.create("d1")
    log.append(debate_started(topic="Tea\ud83d?"))
    log.append(interjection("a\udcffb"))
    await log.aclose()
    watched = await store.watch("d1")

    assert log.write_error is None
    assert (await store.find("d1")).topic == "Tea??"
    assert [event.text for event in await watched.read() if isinstance(event, Interjection)] == ["a?b"]
    await watched.aclose()


# --- watching ----------------------------------------------------------------------------------------


@every_store
@pytest.mark.usefixtures("forgetful")
async def test_a_recorded_debate_is_watched_from_any_place(store: DebateStore):
    events = await record_debate(store, "d1")
    watched = await store.watch("d1")

    assert (watched.seq, watched.over) == (17, True)
    assert [await read_all(watched, after) for after in range(18)] == [events[after:] for after in range(18)]
    assert await watched.read(3, 2) == events[3:5]
    await watched.aclose()


@every_store
@pytest.mark.usefixtures("forgetful")
async def test_a_debate_under_way_is_watched_without_a_gap_from_every_place(store: DebateStore):
    log = await store.create("d1")
    events = [log.append(event) for event in opening_events()]
    await log.flush()
    watched = await store.watch("d1")
    watchers = [(after, asyncio.create_task(read_all(watched, after))) for after in range(5)]
    heard: list[int] = []
    watched.subscribe(lambda event: heard.append(event.seq))
    for event in (*turn_deltas(40), *ending_events()):
        events.append(log.append(event))
        if len(events) % 7 == 0:
            await log.flush()
        watchers.append((len(events), asyncio.create_task(read_all(watched, len(events)))))

    for after, watcher in watchers:
        assert await watcher == events[after:]
    assert heard == list(range(5, len(events) + 1))
    await watched.aclose()
    await log.aclose()


@every_store
async def test_watching_stops_when_it_is_closed_or_the_debate_deleted(store: DebateStore):
    await record_debate(store, "d1", opening_events())
    watched = await store.watch("d1")
    watcher = asyncio.create_task(read_all(watched))
    await watched.aclose()
    assert len(await watcher) in (0, 4)

    watched = await store.watch("d1")
    batches = watched.follow()
    assert len(await anext(batches)) == 4
    await store.delete("d1")
    with pytest.raises(DebateError, match="the id 'd1'"):
        await anext(batches)
    await watched.aclose()


@every_store
async def test_a_debate_that_is_not_there_cannot_be_watched_or_resumed(store: DebateStore):
    await record_debate(store, "d1")

    for use in (store.watch, store.resume):
        with pytest.raises(UsageError, match="the id 'none'"):
            await use("none")
    with pytest.raises(UsageError):
        await store.watch("d")
    assert await store.setup("none") == ""


# --- the list of debates -------------------------------------------------------------------------------


@every_store
async def test_debates_are_listed_newest_first_and_found_by_words(store: DebateStore):
    assert await store.debates() == []
    with pytest.raises(UsageError, match="No debates are recorded"):
        await store.find()
    await record_debate(store, "d1", topic="Tea or coffee?")
    await record_debate(store, "d22", topic="Cats or dogs?")

    newest, oldest = await store.debates()
    check_list(newest, oldest)
    assert [found.debate for found in await store.debates("COFFEE bob")] == ["d1"]
    assert await store.debates("coffee dogs") == []


@every_store
async def test_the_events_are_read_without_their_text(store: DebateStore):
    await record_debate(store, "d1")
    events = await store.events("d1")
    assert any(isinstance(event, TurnDelta) for event in events)
    assert await store.events("d1", deltas=False) == [
        event for event in events if not isinstance(event, TurnDelta)
    ]


@every_store
async def test_a_debate_is_found_by_the_beginning_of_its_id(store: DebateStore):
    await record_debate(store, "abc1")
    await record_debate(store, "abc22")

    assert (await store.find("abc1")).debate == "abc1"
    assert (await store.find("abc2")).debate == "abc22"
    assert (await store.find()).debate == "abc22"
    with pytest.raises(UsageError, match="2 recorded debates have ids that start with 'abc'"):
        await store.find("abc")
    with pytest.raises(UsageError, match="the id 'zzz'"):
        await store.find("zzz")


@every_store
async def test_the_list_shows_debates_as_they_are_now(store: DebateStore):
    log = await store.create("d1")
    log.append(debate_started())
    log.append(DebaterReplaced(debater="b", reason="", remaining=("a", "b"), source="demo:new", model="new"))
    await log.flush()
    found = await store.find("d1")
    assert (found.finished, found.events) == (None, 2)
    assert [debater.source for debater in found.debaters] == ["demo:ada", "demo:new"]
    assert found.debaters[1].name == BOB.name

    log.append(DebateFinished(reason="stopped"))
    await log.aclose()
    assert (await store.find("d1")).finished == "stopped"
    log = await store.resume("d1")
    log.append(DebateResumed(reason="continued", debater=None))
    await log.aclose()
    found = await store.find("d1")
    assert (found.finished, found.events, found.topic) == (None, 4, "Tea or coffee?")


@every_store
async def test_deleting_takes_debates_off_the_list_and_leaves_the_others(store: DebateStore):
    await record_debate(store, "d1")
    kept = await record_debate(store, "d22")

    assert await store.delete("d1", "never was") == 1
    assert [found.debate for found in await store.debates()] == ["d22"]
    watched = await store.watch("d22")
    assert await watched.read() == kept
    await watched.aclose()
    again = await record_debate(store, "d1", opening_events())
    watched = await store.watch("d1")
    assert await watched.read() == again
    await watched.aclose()


@every_store
async def test_a_deleted_debate_that_is_being_held_goes_on_unrecorded_and_says_so(store: DebateStore):
    notices: list[DebateError] = []
    log = await store.create("d1", on_write_error=notices.append)
    for event in opening_events():
        log.append(event)
    await log.flush()
    await store.delete("d1")
    for _ in range(3):
        log.append(interjection())
        await log.flush()
    follower = asyncio.create_task(read_all(log, 4))
    log.append(DebateFinished(reason="complete"))

    assert [event.seq for event in await follower] == [5, 6, 7, 8]
    await log.aclose()
    assert ["deleted" in notice.message for notice in notices] == [True]
    assert log.recording_stopped
    assert log.write_error is not None
    assert await store.debates() == []


@every_store
async def test_closing_the_store_writes_what_is_left(address: str):
    async with aclosing(open_store(address)) as store:
        log = await store.create("d1")
        for event in opening_events():
            log.append(event)

    async with aclosing(open_store(address)) as store:
        assert (await store.find("d1")).events == 4


@every_store
async def test_a_store_has_a_secret_of_its_own(store: DebateStore):
    secret = await store.secret()
    assert len(secret) == 32
    assert await store.secret() == secret


async def test_the_secret_outlives_the_program(tmp_path):
    secrets = []
    for name in ("one", "one", "two"):
        store = open_store(tmp_path / name)
        secrets.append(await store.secret())
        await store.aclose()
    assert secrets[0] == secrets[1] != secrets[2]


@pytest.mark.parametrize(
    ("address", "password", "shown"),
    [
        ("redis://user@host:1/0", "p@ss", ("user", "p@ss")),
        ("redis://host", "p@ss", (None, "p@ss")),
        ("redis://user:own@host", "p@ss", ("user", "own")),
        ("unix:///run/redis", "p@ss", (None, "p@ss")),
        ("redis://host", "", (None, None)),
    ],
)
def test_the_password_of_a_store_comes_from_elsewhere(address, password, shown):
    options = open_store(address, password)._connection.client.connection_pool.connection_kwargs
    assert (options.get("username") or None, options.get("password")) == shown
