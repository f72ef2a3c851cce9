from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import (
    DebateFinished,
    DebateResumed,
    DebaterReplaced,
    Interjection,
    TurnFinished,
    event_to_json,
)
from debate_tui.record import sqlite_log, sqlite_writer
from debate_tui.record.sqlite_log import SqliteStore
from tests.record.log_operations import append_all, check_list, read_all, wait_until
from tests.sample_debates import BOB, debate_started, interjection, opening_events, turn_deltas, whole_debate

if TYPE_CHECKING:
    from debate_tui.domain.events import Event

ROOT = Path(__file__).resolve().parents[2]


async def record_debate(store: SqliteStore, debate: str = "d1", topic: str = "Tea or coffee?") -> list[Event]:
    log = store.create(debate, clock=lambda: float(len(debate)))
    events = append_all(log, whole_debate(10, debate, topic))
    await log.aclose()
    return events


# --- keeping and giving back ----------------------------------------------------------------------


async def test_a_record_gives_back_what_was_appended(store: SqliteStore, path: Path):
    events = await record_debate(store)

    assert store.events("d1") == events
    assert [event_to_json(event) for event in SqliteStore(path).events("d1")] == [
        event_to_json(event) for event in events
    ]


async def test_everything_is_durable_after_closing(store: SqliteStore, path: Path):
    log = store.create("d1")
    for event in (*opening_events(), *turn_deltas(50)):
        log.append(event)
    await log.aclose()

    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*), max(seq) FROM events").fetchone() == (54, 54)
    assert (log.durable_seq, log.write_error) == (54, None)


async def test_events_become_durable_by_themselves(store: SqliteStore):
    log = store.create("d1")
    log.append(debate_started())
    await wait_until(lambda: log.durable_seq == 1)

    assert [event.seq for event in store.events("d1")] == [1]


async def test_closing_the_store_writes_what_is_left(path: Path):
    with SqliteStore(path) as store:
        log = store.create("d1")
        append_all(log, opening_events())

    assert len(SqliteStore(path).events("d1")) == 4


def test_file_and_folder_are_for_their_owner_only(store: SqliteStore, path: Path):
    store.create("d1")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_several_debates_share_the_file_and_the_writer(store: SqliteStore):
    logs = {name: store.create(name) for name in ("x", "y", "z")}
    for event in turn_deltas(30):
        for log in logs.values():
            log.append(event)
    await asyncio.gather(*(log.aclose() for log in logs.values()))

    for name in logs:
        assert [event.seq for event in store.events(name)] == list(range(1, 31))


async def test_text_that_utf8_has_no_place_for_is_kept_with_question_marks(store: SqliteStore):
    log = store.create("d1")
    log.append(debate_started(topic="Tea\ud83d?"))
    log.append(interjection("a\udcffb"))
    await log.aclose()

    assert log.write_error is None
    assert store.find("d1").topic == "Tea??"
    assert [event.text for event in store.events("d1") if isinstance(event, Interjection)] == ["a?b"]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
    st.integers(1, 20),
    st.integers(0, 120),
)
def test_old_events_come_from_the_file_and_new_ones_from_memory_without_seam(
    tmp_path_factory: pytest.TempPathFactory, bursts: list[int], tail: int, after: int
):
    async def debate() -> tuple[list[Event], list[list[Event]]]:
        log = store.create("d1")
        followers = [asyncio.create_task(read_all(log)), asyncio.create_task(read_all(log, after))]
        words = turn_deltas()
        events = []
        for burst in bursts:
            events += [log.append(next(words)) for _ in range(burst)]
            await log.flush()
        events.append(log.append(DebateFinished(reason="complete")))
        followers.append(asyncio.create_task(read_all(log)))
        return events, [await follower for follower in followers if after < len(events) or follower.done()]

    with (
        pytest.MonkeyPatch.context() as patch,
        SqliteStore(tmp_path_factory.mktemp("d") / "d.sqlite") as store,
    ):
        patch.setattr(sqlite_log, "RECENT_EVENTS", tail)
        if after > sum(bursts):
            after = 0
        events, followed = asyncio.run(debate())

    assert followed == [events, events[after:], events]


async def test_reading_is_by_position_and_limit_on_both_sides(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite_log, "RECENT_EVENTS", 5)
    log = store.create("d1")
    for event in turn_deltas(30):
        log.append(event)
        await log.flush()

    assert [event.seq for event in await log.read(0, 3)] == [1, 2, 3]
    assert [event.seq for event in await log.read(27, 10)] == [28, 29, 30]
    assert list(await log.read(30)) == []


# --- going on ---------------------------------------------------------------------------------------


async def test_a_resumed_record_goes_on_behind_its_last_event(store: SqliteStore):
    before = await record_debate(store)
    log = store.resume("d1", clock=lambda: 1.0)
    resumed = log.append(DebateResumed(reason="continued", debater=None))
    await log.aclose()

    assert (resumed.seq, resumed.at) == (len(before) + 1, before[-1].at)
    assert store.events("d1") == [*before, resumed]
    assert store.find("d1").finished is None


async def test_what_a_debate_was_begun_with_is_kept_for_whoever_continues_it(store: SqliteStore):
    log = store.create("d1", setup='{"persona": "dry"}')
    log.append(debate_started())
    await log.flush()
    log.append(interjection())
    await log.aclose()

    assert store.setup("d1") == '{"persona": "dry"}'
    assert store.setup("never was") == ""


async def test_a_resumed_record_gives_old_events_too(store: SqliteStore):
    before = await record_debate(store)
    log = store.resume("d1")
    follower = asyncio.create_task(read_all(log))
    new = [log.append(DebateResumed(reason="", debater=None)), log.append(DebateFinished(reason="stopped"))]

    assert await follower == [*before, *new]


# --- who holds a debate ----------------------------------------------------------------------------------


async def test_a_debate_has_one_writer_at_a_time(path: Path, store: SqliteStore):
    await record_debate(store)
    log = store.resume("d1")
    with SqliteStore(path) as other:
        assert other.find("d1").live
        with pytest.raises(UsageError, match="being held by another program"):
            other.resume("d1")
        await log.aclose()
        assert not other.find("d1").live
        other.resume("d1")
        assert store.find("d1").live
    assert not store.find("d1").live
    assert [file.name for file in path.parent.glob("*.held")] == []


async def test_an_id_with_anything_in_it_can_be_held(store: SqliteStore):
    await record_debate(store, "../tea or\ncoffee %2F")
    log = store.resume("../tea")
    assert store.find().live
    await log.aclose()
    assert not store.find().live


# --- the list of debates ------------------------------------------------------------------------------


async def test_the_list_shows_each_debate_without_its_events(store: SqliteStore, path: Path):
    await record_debate(store, "d1", "Tea or coffee?")
    await record_debate(store, "d22", "Cats or dogs?")
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM events")

    newest, oldest = store.debates()
    check_list(newest, oldest)


async def test_the_list_is_filtered_by_words_of_topic_format_and_debaters(store: SqliteStore):
    await record_debate(store, "d1", "Tea or coffee?")
    await record_debate(store, "d22", "Cats or dogs?")

    assert [found.debate for found in store.debates("COFFEE bob")] == ["d1"]
    assert [found.debate for found in store.debates("openai:gpt oxford")] == ["d22", "d1"]
    assert store.debates("coffee dogs") == []


async def test_an_unfinished_debate_is_listed_with_its_debaters_of_now(store: SqliteStore):
    log = store.create("d1")
    log.append(debate_started())
    log.append(DebaterReplaced(debater="b", reason="", remaining=("a", "b"), source="demo:new", model="new"))
    await log.flush()

    found = store.find("d1")
    assert (found.finished, found.events) == (None, 2)
    assert [debater.source for debater in found.debaters] == ["demo:ada", "demo:new"]
    assert found.debaters[1].name == BOB.name


async def test_a_debate_is_found_by_the_beginning_of_its_id(store: SqliteStore):
    await record_debate(store, "abc1")
    await record_debate(store, "abc22")

    assert store.find("abc1").debate == "abc1"
    assert store.find("abc2").debate == "abc22"
    assert store.find().debate == "abc22"
    with pytest.raises(UsageError, match="2 recorded debates begin with 'abc'"):
        store.find("abc")
    with pytest.raises(UsageError, match="called 'zzz'"):
        store.find("zzz")


def test_without_a_file_there_are_no_debates_and_none_is_made(store: SqliteStore, path: Path):
    assert store.debates() == []
    with pytest.raises(UsageError, match="no debates are recorded"):
        store.find()
    assert not path.exists()


async def test_deleting_removes_everything_from_the_file(store: SqliteStore, path: Path):
    kept = await record_debate(store, "d22")
    store.close()
    size = path.stat().st_size
    log = store.create("d1")
    for event in (debate_started(topic="A secret topic"), *turn_deltas(2000)):
        log.append(event)
    await log.aclose()

    assert store.delete("d1", "never was") == 1
    assert [found.debate for found in store.debates()] == ["d22"]
    assert store.events("d22") == kept
    assert store.events("d1") == []
    store.close()
    assert b"A secret topic" not in b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert path.stat().st_size == size


# --- trouble ------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database_is_explained(store: SqliteStore, path: Path):
    path.parent.mkdir()
    path.write_bytes(b"this is not a database" * 100)

    for use in (store.debates, store.find, lambda: store.create("d1"), lambda: store.events("d1")):
        with pytest.raises(DebateError, match="is not a database") as caught:
            use()
        assert "--no-record" in caught.value.hint
        assert str(path) in caught.value.message


async def test_a_damaged_file_is_explained(store: SqliteStore, path: Path):
    await record_debate(store)
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(DebateError, match="is damaged"):
        store.debates()


@pytest.mark.parametrize(
    "data",
    [b'{"type":"from.the.future"}', b'{"type":"interjection","text":"\xff"}', b'{"x":' + b"[" * 100_000],
    ids=["kind", "bytes", "nested"],
)
async def test_events_that_cannot_be_read_are_explained(store: SqliteStore, path: Path, data: bytes):
    await record_debate(store)
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE events SET event = ? WHERE seq = 3", (data,))

    with pytest.raises(DebateError, match="cannot read") as caught:
        store.events("d1")
    assert caught.value.hint == "upgrade debate-tui"


def test_a_file_of_a_newer_version_is_left_alone(store: SqliteStore, path: Path):
    store.create("d1")
    store.close()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")

    with pytest.raises(DebateError, match="newer debate-tui"):
        store.debates()


async def test_a_file_of_an_older_version_is_brought_up_to_date(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    events = await record_debate(store)
    store.close()
    monkeypatch.setattr(
        sqlite_writer,
        "MIGRATIONS",
        (*sqlite_writer.MIGRATIONS, ("ALTER TABLE debates ADD COLUMN mood TEXT",)),
    )

    assert store.events("d1") == events
    with sqlite_writer.open_database(store._path) as connection:
        assert connection.execute("SELECT mood FROM debates").fetchall() == [(None,)]


@pytest.mark.usefixtures("quick_sqlite")
def test_a_locked_file_is_explained(store: SqliteStore, path: Path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DebateError, match="is locked by another program"):
            store.create("d1")


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(DebateError, match="cannot be opened") as caught:
        SqliteStore(tmp_path / "file" / "debates.sqlite").create("d1")
    assert "permissions" in caught.value.hint


def test_a_folder_in_place_of_the_file_is_explained(store: SqliteStore, path: Path):
    path.mkdir(parents=True)

    with pytest.raises(DebateError, match="cannot be opened"):
        store.create("d1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_is_explained(store: SqliteStore, path: Path):
    store.create("d1")
    store.close()
    path.chmod(0o400)

    with pytest.raises(DebateError, match="cannot be written to"):
        store.create("d2")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "locked"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "cannot be written to"),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, "cannot be opened"),
        (sqlite3.SQLITE_FULL, "disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, "read or written"),
        (sqlite3.SQLITE_CORRUPT_VTAB, "damaged"),
        (sqlite3.SQLITE_TOOBIG, "cannot be used: boom"),
    ],
)
def test_every_error_has_plain_words_and_a_way_out(code: int, words: str, path: Path):
    error = sqlite3.OperationalError("boom")
    error.sqlite_errorcode = code

    explained = sqlite_writer.describe_error(error, path)

    assert words in explained.message
    assert explained.hint.endswith("or use --no-record")


async def test_an_id_that_exists_is_not_overwritten(store: SqliteStore):
    before = await record_debate(store)
    notices: list[DebateError] = []
    log = store.create("d1", on_write_error=notices.append)
    log.append(interjection())
    await log.aclose()

    assert len(notices) == 1
    assert store.events("d1") == before


# --- the death of the process ---------------------------------------------------------------------------


def start_recording(path: Path) -> subprocess.Popen[str]:
    """Start a process that records words without end."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.record.record_process", str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_killed_process_leaves_all_that_was_durable_without_gaps(path: Path, seed: int):
    victim = start_recording(path)
    assert victim.stdout is not None
    moments = random.Random(seed).randrange(20, 4000)
    with victim:
        durable = 0
        for _, line in zip(range(moments), victim.stdout, strict=False):
            durable = int(line.split()[1])
        victim.send_signal(signal.SIGKILL)
    assert victim.returncode == -signal.SIGKILL

    with SqliteStore(path) as store:
        events = store.events("d1") if path.exists() else []
        assert len(events) >= durable
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        said_before = itertools.chain(opening_events(), turn_deltas())
        assert [msgspec.structs.replace(event, seq=0, at=0.0) for event in events] == [
            event for event, _ in zip(said_before, events, strict=False)
        ]
        for summary in store.debates():
            assert (summary.events, summary.finished) == (len(events), None)


async def test_a_killed_debate_can_be_continued(path: Path):
    victim = start_recording(path)
    assert victim.stdout is not None
    with victim:
        for line in victim.stdout:
            if int(line.split()[1]) > 100:
                break
        with SqliteStore(path) as store:
            assert store.find("d1").live
        victim.kill()

    with SqliteStore(path) as store:
        assert list(path.parent.glob("*.held"))
        before = store.events("d1")
        assert not store.find("d1").live
        log = store.resume("d1")
        log.append(TurnFinished(turn=1, debater="a", reason="failed"))
        await log.aclose()
        after = store.events("d1")

    assert after[:-1] == before
    assert after[-1].seq == len(before) + 1
