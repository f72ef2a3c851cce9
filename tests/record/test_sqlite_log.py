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
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import (
    TurnFinished,
    event_to_json,
)
from debate_tui.record import sqlite_writer
from debate_tui.record.sqlite_log import read_events
from debate_tui.record.stores import SqliteStore
from tests.record.log_operations import append_all, check_list
from tests.sample_debates import debate_started, interjection, opening_events, turn_deltas, whole_debate

if TYPE_CHECKING:
    from debate_tui.domain.events import Event

ROOT = Path(__file__).resolve().parents[2]


async def record_debate(store: SqliteStore, debate: str = "d1", topic: str = "Tea or coffee?") -> list[Event]:
    log = await store.create(debate, clock=lambda: float(len(debate)))
    events = append_all(log, whole_debate(10, debate, topic))
    await log.aclose()
    return events


# --- keeping and giving back ----------------------------------------------------------------------


async def test_a_record_gives_back_what_was_appended(store: SqliteStore, path: Path):
    events = await record_debate(store)

    assert await store.events("d1") == events
    assert [event_to_json(event) for event in read_events(path, "d1")] == [
        event_to_json(event) for event in events
    ]


async def test_everything_is_durable_after_closing(store: SqliteStore, path: Path):
    log = await store.create("d1")
    for event in (*opening_events(), *turn_deltas(50)):
        log.append(event)
    await log.aclose()

    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*), max(seq) FROM events").fetchone() == (54, 54)
    assert (log.durable_seq, log.write_error) == (54, None)


async def test_file_and_folder_are_for_their_owner_only(store: SqliteStore, path: Path):
    await store.create("d1")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_several_debates_share_the_file_and_the_writer(store: SqliteStore):
    logs = {name: await store.create(name) for name in ("x", "y", "z")}
    for event in turn_deltas(30):
        for log in logs.values():
            log.append(event)
    await asyncio.gather(*(log.aclose() for log in logs.values()))

    for name in logs:
        assert [event.seq for event in await store.events(name)] == list(range(1, 31))


# --- going on ---------------------------------------------------------------------------------------


async def test_what_a_debate_was_begun_with_is_kept_for_whoever_continues_it(store: SqliteStore):
    log = await store.create("d1", setup='{"persona": "dry"}')
    log.append(debate_started())
    await log.flush()
    log.append(interjection())
    await log.aclose()

    assert await store.setup("d1") == '{"persona": "dry"}'
    assert await store.setup("never was") == ""


# --- who holds a debate ----------------------------------------------------------------------------------


async def test_a_debate_has_one_writer_at_a_time(path: Path, store: SqliteStore):
    await record_debate(store)
    log = await store.resume("d1")
    async with aclosing(SqliteStore(path)) as other:
        assert (await other.find("d1")).live
        with pytest.raises(UsageError, match="is running in another program"):
            await other.resume("d1")
        await log.aclose()
        assert not (await other.find("d1")).live
        await other.resume("d1")
        assert (await store.find("d1")).live
    assert not (await store.find("d1")).live
    assert [file.name for file in path.parent.glob("*.held")] == []


async def test_an_id_with_anything_in_it_can_be_held(store: SqliteStore):
    await record_debate(store, "../tea or\ncoffee %2F")
    log = await store.resume("../tea")
    assert (await store.find()).live
    await log.aclose()
    assert not (await store.find()).live


# --- the list of debates ------------------------------------------------------------------------------


async def test_the_list_shows_each_debate_without_its_events(store: SqliteStore, path: Path):
    await record_debate(store, "d1", "Tea or coffee?")
    await record_debate(store, "d22", "Cats or dogs?")
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM events")

    newest, oldest = await store.debates()
    check_list(newest, oldest)


async def test_without_a_file_there_are_no_debates_and_none_is_made(store: SqliteStore, path: Path):
    assert await store.debates() == []
    with pytest.raises(UsageError, match="No debates are recorded"):
        await store.find()
    assert not path.exists()


async def test_deleting_removes_everything_from_the_file(store: SqliteStore, path: Path):
    kept = await record_debate(store, "d22")
    await store.aclose()
    size = path.stat().st_size
    log = await store.create("d1")
    for event in (debate_started(topic="A secret topic"), *turn_deltas(2000)):
        log.append(event)
    await log.aclose()

    assert await store.delete("d1", "never was") == 1
    assert [found.debate for found in await store.debates()] == ["d22"]
    assert await store.events("d22") == kept
    assert await store.events("d1") == []
    await store.aclose()
    assert b"A secret topic" not in b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert path.stat().st_size == size


# --- trouble ------------------------------------------------------------------------------------------


async def test_a_file_that_is_no_database_is_explained(store: SqliteStore, path: Path):
    path.parent.mkdir()
    path.write_bytes(b"this is not a database" * 100)

    for use in (store.debates, store.find, partial(store.create, "d1"), partial(store.events, "d1")):
        with pytest.raises(DebateError, match="is not a database") as caught:
            await use()
        assert "--no-record" in caught.value.hint
        assert str(path) in caught.value.message


async def test_a_damaged_file_is_explained(store: SqliteStore, path: Path):
    await record_debate(store)
    await store.aclose()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(DebateError, match="is damaged"):
        await store.debates()


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
        await store.events("d1")
    assert caught.value.hint == "Upgrade debate-tui."


async def test_a_file_of_a_newer_version_is_left_alone(store: SqliteStore, path: Path):
    await store.create("d1")
    await store.aclose()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")

    with pytest.raises(DebateError, match="newer debate-tui"):
        await store.debates()


async def test_a_file_of_an_older_version_is_brought_up_to_date(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    events = await record_debate(store)
    await store.aclose()
    monkeypatch.setattr(
        sqlite_writer,
        "MIGRATIONS",
        (*sqlite_writer.MIGRATIONS, ("ALTER TABLE debates ADD COLUMN mood TEXT",)),
    )

    assert await store.events("d1") == events
    with sqlite_writer.open_database(store._path) as connection:
        assert connection.execute("SELECT mood FROM debates").fetchall() == [(None,)]


@pytest.mark.usefixtures("quick_sqlite")
async def test_a_locked_file_is_explained(store: SqliteStore, path: Path):
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DebateError, match="is locked by another program"):
            await store.create("d1")


async def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(DebateError, match="cannot be opened") as caught:
        await SqliteStore(tmp_path / "file" / "debates.sqlite").create("d1")
    assert "permissions" in caught.value.hint


async def test_a_folder_in_place_of_the_file_is_explained(store: SqliteStore, path: Path):
    path.mkdir(parents=True)

    with pytest.raises(DebateError, match="cannot be opened"):
        await store.create("d1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_read_only_file_is_explained(store: SqliteStore, path: Path):
    await store.create("d1")
    await store.aclose()
    path.chmod(0o400)

    with pytest.raises(DebateError, match="cannot be written to"):
        await store.create("d2")


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
    assert explained.hint.endswith("or use --no-record.")


async def test_an_id_that_exists_is_not_overwritten(store: SqliteStore):
    before = await record_debate(store)
    notices: list[DebateError] = []
    log = await store.create("d1", on_write_error=notices.append)
    log.append(interjection())
    await log.aclose()

    assert len(notices) == 1
    assert await store.events("d1") == before


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
async def test_a_killed_process_leaves_all_that_was_durable_without_gaps(path: Path, seed: int):
    victim = start_recording(path)
    assert victim.stdout is not None
    moments = random.Random(seed).randrange(20, 4000)
    with victim:
        durable = 0
        for _, line in zip(range(moments), victim.stdout, strict=False):
            durable = int(line.split()[1])
        victim.send_signal(signal.SIGKILL)
    assert victim.returncode == -signal.SIGKILL

    async with aclosing(SqliteStore(path)) as store:
        events = await store.events("d1") if path.exists() else []
        assert len(events) >= durable
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        said_before = itertools.chain(opening_events(), turn_deltas())
        assert [msgspec.structs.replace(event, seq=0, at=0.0) for event in events] == [
            event for event, _ in zip(said_before, events, strict=False)
        ]
        for summary in await store.debates():
            assert (summary.events, summary.finished) == (len(events), None)


async def test_a_killed_debate_can_be_continued(path: Path):
    victim = start_recording(path)
    assert victim.stdout is not None
    with victim:
        for line in victim.stdout:
            if int(line.split()[1]) > 100:
                break
        async with aclosing(SqliteStore(path)) as store:
            assert (await store.find("d1")).live
        victim.kill()

    async with aclosing(SqliteStore(path)) as store:
        assert list(path.parent.glob("*.held"))
        before = await store.events("d1")
        assert not (await store.find("d1")).live
        log = await store.resume("d1")
        log.append(TurnFinished(turn=1, debater="a", reason="failed"))
        await log.aclose()
        after = await store.events("d1")

    assert after[:-1] == before
    assert after[-1].seq == len(before) + 1
