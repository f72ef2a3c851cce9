"""The thread that writes: full and slow disks, locks, retries."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import (
    DebateFinished,
)
from debate_tui.record import sqlite_log, sqlite_writer, stores
from tests.record.log_operations import append_all
from tests.sample_debates import debate_started, interjection, opening_events, turn_deltas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from debate_tui.domain.events import Event
    from debate_tui.record.sqlite_log import SqliteLog
    from debate_tui.record.stores import SqliteStore


class SmallDisk:
    """Makes the writer's file unable to grow beyond `pages` pages, until told otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connection: sqlite3.Connection | None = None
        monkeypatch.setattr(stores, "connect", self.connect)

    def connect(self, path: Path) -> sqlite3.Connection:
        self.connection = sqlite_writer.connect(path)
        return self.connection

    def hold_pages(self, pages: int) -> None:
        assert self.connection is not None
        self.connection.execute(f"PRAGMA max_page_count = {pages}")


async def fill_disk(log: SqliteLog, words: Iterator[Event]) -> None:
    """Say things until the disk is full."""
    while not log.write_error:
        for _ in range(100):
            log.append(next(words))
        await log.flush()


@pytest.mark.usefixtures("quick_sqlite")
async def test_on_a_full_disk_the_debate_goes_on_with_one_notice(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    disk, notices = SmallDisk(monkeypatch), []
    log = await store.create("d1", on_write_error=notices.append)
    disk.hold_pages(20)
    words = turn_deltas()
    await fill_disk(log, words)
    durable = log.durable_seq
    for _ in range(100):
        log.append(next(words))
    await log.aclose()

    assert [notice.message for notice in notices] == [log.write_error.message if log.write_error else ""]
    assert "disk is full" in notices[0].message
    assert log.durable_seq == durable < log.seq
    assert [event.seq for event in await store.events("d1")] == list(range(1, durable + 1))
    assert (await store.find("d1")).events == durable
    assert [event.seq for event in await log.read(durable, 3)] == [durable + 1, durable + 2, durable + 3]


@pytest.mark.usefixtures("quick_sqlite")
async def test_when_there_is_space_again_nothing_is_missing(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    disk, notices = SmallDisk(monkeypatch), []
    log = await store.create("d1", on_write_error=notices.append)
    disk.hold_pages(20)
    await fill_disk(log, turn_deltas())
    disk.hold_pages(100_000)
    log.append(DebateFinished(reason="complete"))
    await log.aclose()

    assert log.write_error is None
    assert len(notices) == 1
    assert [event.seq for event in await store.events("d1")] == list(range(1, log.seq + 1))
    assert (await store.find("d1")).finished == "complete"


@pytest.mark.usefixtures("quick_sqlite")
async def test_a_file_locked_for_a_while_loses_nothing(store: SqliteStore, path: Path):
    notices: list[DebateError] = []
    log = await store.create("d1", on_write_error=notices.append)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for event in opening_events():
            log.append(event)
        await log.flush()
        assert log.durable_seq == 0
    await log.aclose()

    assert ["locked" in notice.message for notice in notices] == [True]
    assert [event.seq for event in await store.events("d1")] == [1, 2, 3, 4]


async def test_a_debate_deleted_while_it_is_held_is_lost_alone(store: SqliteStore):
    notices: list[DebateError] = []
    log = await store.create("d1", on_write_error=notices.append)
    other = await store.create("d22")
    for event in opening_events():
        log.append(event)
    await log.flush()
    await store.delete("d1")
    log.append(interjection())
    other.append(interjection())
    await log.flush()
    log.append(interjection())
    await log.aclose()
    await other.aclose()

    assert ["deleted" in notice.message for notice in notices] == [True]
    assert [found.debate for found in await store.debates()] == ["d22"]
    assert len(await store.events("d22")) == 1


@pytest.mark.usefixtures("quick_sqlite")
async def test_whoever_hears_of_trouble_may_put_it_on_the_log(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
):
    disk, heard = SmallDisk(monkeypatch), []
    log = await store.create("d1", on_write_error=lambda trouble: log.append(interjection(trouble.message)))
    log.subscribe(lambda event: heard.append(event.seq))
    disk.hold_pages(20)
    await fill_disk(log, turn_deltas())
    log.append(interjection())
    await log.aclose()

    assert heard == list(range(1, log.seq + 1))


async def test_a_log_that_is_closed_after_its_store_keeps_nobody_waiting(store: SqliteStore):
    log = await store.create("d1")
    log.append(debate_started())
    await store.aclose()
    await log.aclose()

    assert log.durable_seq == 1


async def test_a_disk_too_slow_ends_the_record_but_bounds_the_memory(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite_writer, "MAX_BACKLOG_BYTES", 100 * 600)
    monkeypatch.setattr(sqlite_log, "RECENT_EVENTS", 50)
    notices: list[DebateError] = []
    log = await store.create("d1", on_write_error=notices.append)
    log.append(debate_started())
    await log.flush()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        append_all(log, turn_deltas(1000))
        assert len(log._recent) <= 100
        assert len(notices) == 1
        assert "ends at event" in notices[0].message
        with pytest.raises(DebateError, match="were not recorded"):
            await log.read(500)
        assert [event.seq for event in await log.read(999)] == [1000, 1001]
    await log.aclose()

    assert [event.seq for event in await store.events("d1")] == list(range(1, log.durable_seq + 1))
