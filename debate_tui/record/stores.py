"""Stores of debates: one SQLite file, or a Redis server, by its address."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import msgspec

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateFinished, DebaterInfo
from debate_tui.domain.material import Material
from debate_tui.record.log import BATCH_SIZE, ReadableLog, translate_decode_errors
from debate_tui.record.sqlite_log import (
    SqliteLog,
    lock_debate,
    locked_debates,
    read_events,
)
from debate_tui.record.sqlite_writer import RecordingState, SqliteWriter, connect, open_database, transaction
from debate_tui.record.summary import DebateSummary, find_summary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateStore
    from debate_tui.record.sqlite_log import DebateLock

_REDIS_SCHEMES: Final = ("redis://", "rediss://", "valkey://", "valkeys://", "unix://")


def open_store(address: str | Path, password: str = "") -> DebateStore:
    """Return the store at a Redis address or in a file.

    Addresses of Redis start with ``redis://``, ``rediss://``, ``valkey(s)://`` or ``unix://``. Nothing is
    connected or created yet. ``?ttl=SECONDS`` sets how long Redis keeps a debate after its last event
    (default 7 days, 0 for good). `password` is used if the address contains none. Raise `UsageError` if the
    address is invalid or the package for Redis is missing; neither this nor any later error contains a
    password.
    """
    if not isinstance(address, str) or not address.startswith(_REDIS_SCHEMES):
        return SqliteStore(Path(address))
    try:
        from debate_tui.record.redis.store import RedisStore
    except ImportError:
        raise UsageError(
            "Keeping debates in Redis needs the package 'redis'.", "Run: pip install 'debate-tui[redis]'"
        ) from None
    try:
        url = urlsplit(address)
    except ValueError:
        raise UsageError("The store's address is not valid.", "Put IPv6 addresses in brackets.") from None
    if password and url.password is None:
        user, _, host = url.netloc.rpartition("@")
        url = url._replace(netloc=f"{user}:{quote(password, safe='')}@{host}")
    return RedisStore(url)


# The SQLite file


_LIST_QUERY: Final = (
    "SELECT name, topic, format, debaters, started, updated, finished, events FROM debates"
    " ORDER BY started DESC, id DESC"
)


class SqliteStore:
    """A `DebateStore` in one SQLite file, which is created with the first debate.

    The file is read and written in threads. A store that has created or resumed debates must be closed, after
    its logs: closing waits for the writer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._locks: list[DebateLock] = []
        self._writer: SqliteWriter | None = None
        self._acquiring = threading.Lock()

    async def create(
        self,
        debate: str,
        *,
        setup: str = "",
        material: Sequence[Material] = (),
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        writer, lock = await asyncio.to_thread(self._acquire, debate)
        recording = RecordingState(DebateSummary(debate), setup=setup, material=material)
        return SqliteLog(
            writer, recording, self._path, lock, last=None, clock=clock, on_write_error=on_write_error
        )

    async def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """See `DebateStore.resume`. Raise `UsageError` while another program, or this one, writes to it."""
        name = (await self.find(debate)).debate
        writer, lock = await asyncio.to_thread(self._acquire, name)
        recording, last = await asyncio.to_thread(_read_recording, self._path, name)
        return SqliteLog(
            writer, recording, self._path, lock, last=last, clock=clock, on_write_error=on_write_error
        )

    async def watch(self, debate: str) -> PolledSqliteLog:
        summary = await self.find(debate)
        if summary.debate != debate:
            raise UsageError(f"No recorded debate has the id '{debate}'.", "Give the whole id.")
        log = PolledSqliteLog(self._path, debate, await self.material(debate))
        await log.start(summary.events)
        return log

    async def debates(self, words: str = "") -> list[DebateSummary]:
        summaries = await asyncio.to_thread(list_debates, self._path)
        return [summary for summary in summaries if summary.matches(words)]

    async def find(self, debate: str = "") -> DebateSummary:
        return find_summary(await self.debates(), debate)

    async def events(self, debate: str, *, deltas: bool = True) -> list[Event]:
        return await asyncio.to_thread(read_events, self._path, debate, deltas=deltas)

    async def setup(self, debate: str) -> str:
        return await asyncio.to_thread(_read_setup, self._path, debate)

    async def material(self, debate: str) -> tuple[Material, ...]:
        return await asyncio.to_thread(_read_material, self._path, debate)

    async def secret(self) -> bytes:
        return await asyncio.to_thread(_read_secret, self._path)

    async def delete(self, *debates: str) -> int:
        """See `DebateStore.delete`; the debates' data in the file is overwritten."""
        return await asyncio.to_thread(_delete, self._path, debates)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    def _acquire(self, debate: str) -> tuple[SqliteWriter, DebateLock]:
        """Lock a debate, and start the writer if it is the first one."""
        with self._acquiring:
            if self._writer is None:
                self._writer = SqliteWriter(connect(self._path), self._path)
            lock = lock_debate(self._path, debate)
            self._locks.append(lock)
            return self._writer, lock

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for lock in self._locks:
            lock.release()
        self._locks.clear()


def list_debates(path: Path) -> list[DebateSummary]:
    """Read the summaries of all debates in a file, newest first; none if it does not exist."""
    if not path.exists():
        return []
    with open_database(path) as connection:
        rows = connection.execute(_LIST_QUERY).fetchall()
    live = locked_debates(path)
    with translate_decode_errors(f"The record {path}"):
        return [
            DebateSummary(
                debate=name,
                topic=topic,
                format=format_,
                debaters=msgspec.json.decode(debaters, type=tuple[DebaterInfo, ...]),
                started=started,
                updated=updated,
                finished=finished,
                events=events,
                live=name in live,
            )
            for name, topic, format_, debaters, started, updated, finished, events in rows
        ]


def _read_recording(path: Path, debate: str) -> tuple[RecordingState, Event]:
    """Return what is needed to append to a debate, and its last event."""
    summary = find_summary(list_debates(path), debate)
    with open_database(path) as connection:
        row_id = connection.execute("SELECT id FROM debates WHERE name = ?", (debate,)).fetchone()[0]
    last = read_events(path, debate, summary.events - 1, 1)[-1]
    return RecordingState(summary, material=_read_material(path, debate), row_id=row_id), last


def _read_setup(path: Path, debate: str) -> str:
    with open_database(path) as connection:
        row = connection.execute("SELECT setup FROM debates WHERE name = ?", (debate,)).fetchone()
    return str(row[0]) if row else ""


def _read_material(path: Path, debate: str) -> tuple[Material, ...]:
    with open_database(path) as connection:
        rows = connection.execute(
            "SELECT number, material.name, text, debater FROM material JOIN debates ON debate = id"
            " WHERE debates.name = ? ORDER BY number",
            (debate,),
        ).fetchall()
    return tuple(Material(*row) for row in rows)


def _read_secret(path: Path) -> bytes:
    """Return 32 random bytes, generated on first use."""
    with open_database(path) as connection, transaction(connection):
        connection.execute(
            "INSERT OR IGNORE INTO secrets (name, value) VALUES ('server', ?)", (os.urandom(32),)
        )
        row = connection.execute("SELECT value FROM secrets WHERE name = 'server'").fetchone()
    return bytes(row[0])


def _delete(path: Path, debates: Sequence[str]) -> int:
    with open_database(path) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        with transaction(connection):
            deleted = connection.executemany(
                "DELETE FROM debates WHERE name = ?", [(debate,) for debate in debates]
            ).rowcount
        # Run as a script: stepped as a query, the vacuum stops after its first page.
        connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
    for debate in debates:
        remove_drafts(path, debate)
    return deleted


# Drafts of turns that the user is still writing, in files beside the record


def draft_file(record: Path, debate: str, turn: int) -> Path:
    """Return the file for the draft of a turn; `record` is the file of all debates."""
    return record.with_name("drafts") / f"{debate}-{turn}.txt"


def remove_drafts(record: Path, debate: str) -> None:
    """Remove what is left of a debate's drafts: of turns that were stopped before they were sent."""
    for file in draft_file(record, debate, 0).parent.glob(f"{debate}-*.txt"):
        file.unlink(missing_ok=True)


# Watching a debate in the file, whichever program records it


POLL_INTERVAL_S: Final = 0.1
"""Seconds between checks of the file for new events."""


class PolledSqliteLog(ReadableLog):
    """A log of a debate in a file; events in the file are durable and never change."""

    def __init__(self, path: Path, debate: str, material: Sequence[Material] = ()) -> None:
        super().__init__(material)
        self._path = path
        self._debate = debate
        self._last: Event | None = None
        self._failure: DebateError | None = None
        self._poll_task: asyncio.Task[None] | None = None

    @property
    def seq(self) -> int:
        return self._last.seq if self._last else 0

    @property
    def over(self) -> bool:
        """See `ReadableLog.over`; events after `debate.finished` reopen the debate."""
        return isinstance(self._last, DebateFinished)

    async def start(self, newest_seq: int) -> None:
        """Start with the events up to `newest_seq`, which must be at least 1."""
        self._last = (await self._read_existing(newest_seq - 1, 1))[0]
        self._poll_task = asyncio.create_task(self._poll(), name=f"watch {self._debate}")

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`. Raise `DebateError` if the debate was deleted."""
        return await self._read_existing(after, min(limit, self.seq - after)) if after < self.seq else ()

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        async for batch in super().follow(after):
            yield batch
        if self._failure:
            raise self._failure

    async def aclose(self) -> None:
        await super().aclose()
        if self._poll_task:
            self._poll_task.cancel()
            await asyncio.wait({self._poll_task})

    async def _read_existing(self, after: int, limit: int) -> list[Event]:
        """Read events that are known to exist; raise `UsageError` if the debate was deleted."""
        if events := await asyncio.to_thread(read_events, self._path, self._debate, after, limit):
            return events
        raise UsageError(f"No recorded debate has the id '{self._debate}'.", "It was deleted.")

    async def _poll(self) -> None:
        """Poll for new events; reading the newest known one again shows whether the debate still exists."""
        while not self._closed:
            try:
                _, *new_events = found = await self._read_existing(self.seq - 1, BATCH_SIZE)
            except DebateError as error:
                self._failure = error
                self._closed = True
                self._wake()
                return
            for event in new_events:
                self._last = event
                self._publish(event)
            if len(found) < BATCH_SIZE:
                await asyncio.sleep(POLL_INTERVAL_S)
