"""The debate log in SQLite: one file for all debates, safe if the process is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

import msgspec

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import event_from_json
from debate_tui.record.log import BATCH_SIZE, AppendableLog
from debate_tui.record.sqlite_writer import RecordingState, SqliteWriter, connect, open_database, transaction
from debate_tui.record.summary import DebateSummary, find_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from debate_tui.domain.events import Event


# Debate locks: a locked file beside the record, released when the process ends, however it ends.


LOCK_TIMEOUT_S: Final = 0.05
"""Seconds to retry a lock, longer than `locked_debates` takes to probe one."""

_LOCK_SUFFIX: Final = ".held"


class DebateLock:
    """An exclusive lock on a debate; without effect where files cannot be locked."""

    def __init__(self, path: Path | None = None, descriptor: int = -1) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock; may be called more than once."""
        if self._path is not None:
            _remove_lock_file(self._path)
            os.close(self._descriptor)
            self._path = None


def lock_debate(record: Path, debate: str) -> DebateLock:
    """Lock a debate of a record.

    Raise `UsageError` while it is locked, in this program or another.
    """
    path = record.with_name(f"{record.name}-{quote(debate, safe='')}{_LOCK_SUFFIX}")
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            if (descriptor := _open_locked(path)) is not None:
                return DebateLock(path, descriptor)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UsageError(
                    f"The debate {debate} is being held by another program right now.",
                    "It can be continued once it has ended there.",
                ) from None
            time.sleep(LOCK_TIMEOUT_S / 5)
        except OSError:
            return DebateLock()


def locked_debates(record: Path) -> frozenset[str]:
    """Return the debates of a record that are locked now; delete lock files left by killed programs."""
    with contextlib.suppress(OSError):
        return frozenset(_find_locked(record))
    return frozenset()


def _find_locked(record: Path) -> Iterator[str]:
    for path in record.parent.glob(f"{record.name}-*{_LOCK_SUFFIX}"):
        try:
            descriptor = _open_locked(path, shared=True)
        except BlockingIOError:
            yield unquote(path.name[len(record.name) + 1 : -len(_LOCK_SUFFIX)])
        else:
            if descriptor is not None:
                _remove_lock_file(path)
                os.close(descriptor)


def _remove_lock_file(path: Path) -> None:
    """Delete a locked file; a process that has it open notices, and opens a new one."""
    with contextlib.suppress(OSError):
        path.unlink()


def _open_locked(path: Path, *, shared: bool = False) -> int | None:
    """Open and lock the file; return its descriptor, or `None` if it was deleted meanwhile.

    Raise `BlockingIOError` if it is locked already, and `OSError` where files cannot be locked.
    """
    if sys.platform == "win32":
        raise OSError
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink:
            return descriptor
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


RECENT_EVENTS: Final = 4096
"""Durable events kept in memory too, so that followers that keep up never read the file."""

_LIST_QUERY: Final = (
    "SELECT name, topic, format, debaters, started, updated, finished, events FROM debates"
    " ORDER BY started DESC, id DESC"
)


class SqliteLog(AppendableLog):
    """A debate's log in the file of a `SqliteStore`, which creates it.

    Every event is durable within 100 ms. If the disk is slow, full or missing, the debate continues:
    `on_write_error` is called once, on the event loop's thread, from `append`, `flush` or `aclose`. Up to
    64 MiB of events wait in memory and are written when that becomes possible again. Beyond that, recording
    stops; the record has no gaps up to its end.
    """

    def __init__(
        self,
        writer: SqliteWriter,
        recording: RecordingState,
        path: Path,
        lock: DebateLock,
        *,
        last: Event | None,
        clock: Callable[[], float],
        on_write_error: Callable[[DebateError], None],
    ) -> None:
        super().__init__(last, clock=clock)
        self._writer = writer
        self._recording = recording
        self._path = path
        self._lock = lock
        self._on_write_error = on_write_error
        self._error_reported = False
        self._recent: list[Event] = []
        self._recent_after = self.seq

    @property
    def durable_seq(self) -> int:
        """The `seq` of the newest event that would survive if the process were killed."""
        return self._recording.durable_seq

    @property
    def recording_stopped(self) -> bool:
        """Whether the record ends at `durable_seq` for good although the debate continues."""
        return self._recording.stopped

    @property
    def write_error(self) -> DebateError | None:
        """The reason why events are not being written, or `None`."""
        if self._recording.stopped and self._recording.error is None:
            return DebateError(
                f"the record {self._path} ends at event {self.durable_seq}: the disk did not keep up",
                "the debate goes on unrecorded; export it before leaving",
            )
        return self._recording.error

    def append(self, event: Event) -> Event:
        """See `DebateLog.append`."""
        logged = super().append(event)
        self._report_error()
        return logged

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`. Raise `DebateError` if the events cannot be read or were not recorded."""
        if after >= self._recent_after:
            start = after - self._recent_after
            return self._recent[start : start + limit]
        events = await asyncio.to_thread(
            _read_events, self._path, self._recording.summary.debate, after, limit
        )
        if not events:
            raise DebateError(f"events {after + 1} to {self._recent_after} of this debate were not recorded")
        return events

    async def flush(self) -> None:
        """Wait until all events appended so far are durable or have failed to be written.

        See `write_error` for the failure.
        """
        await asyncio.wrap_future(self._writer.flush())
        self._report_error()

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; the store stays open."""
        await super().aclose()
        await self.flush()
        self._lock.release()

    def _store_event(self, event: Event) -> None:
        self._recent.append(event)
        if not self._recording.stopped:
            self._writer.put(self._recording, event)
        self._trim()

    def _trim(self) -> None:
        """Drop events that the file can return; once recording has stopped, all but the newest."""
        spare = len(self._recent) - RECENT_EVENTS
        if spare < RECENT_EVENTS:
            return
        if not self._recording.stopped:
            spare = min(spare, self.durable_seq - self._recent_after)
        if spare >= RECENT_EVENTS:
            del self._recent[:spare]
            self._recent_after += spare

    def _report_error(self) -> None:
        if not self._error_reported and (trouble := self.write_error):
            self._error_reported = True
            self._on_write_error(trouble)


class SqliteStore:
    """All recorded debates in one SQLite file, created with the first debate.

    Every method raises `DebateError` with a hint if the file cannot be used. Methods take milliseconds,
    except reading or deleting long debates, which belongs in a thread. Close the store last: closing waits
    for the writer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._locks: list[DebateLock] = []
        self._writer: SqliteWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create(
        self,
        debate: str,
        *,
        setup: str = "",
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """Create a debate with the id `debate` and return its log.

        `setup` is stored with the events, to resume the debate: everything it needs that no event contains,
        such as personas and the format itself. It must not contain an API key.
        """
        writer = self._get_writer()
        recording = RecordingState(DebateSummary(debate), setup=setup)
        lock = self._lock_debate(debate)
        return SqliteLog(
            writer, recording, self._path, lock, last=None, clock=clock, on_write_error=on_write_error
        )

    def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """Return the log of a recorded debate, to append after its last event.

        Raise `UsageError` while another program, or this one, holds it.
        """
        writer = self._get_writer()
        name = self.find(debate).debate
        lock = self._lock_debate(name)
        summary = self.find(name)
        with open_database(self._path) as connection:
            row = connection.execute("SELECT id FROM debates WHERE name = ?", (name,)).fetchone()[0]
        last = _read_events(self._path, name, summary.events - 1, 1)[-1]
        recording = RecordingState(summary, row_id=row)
        return SqliteLog(
            writer, recording, self._path, lock, last=last, clock=clock, on_write_error=on_write_error
        )

    def debates(self, words: str = "") -> list[DebateSummary]:
        """Return the recorded debates, newest first; with `words`, only those that contain all of them."""
        if not self._path.exists():
            return []
        with open_database(self._path) as connection:
            rows = connection.execute(_LIST_QUERY).fetchall()
        live = locked_debates(self._path)
        with _translate_decode_errors(self._path):
            return [summary for row in rows if (summary := _summary_from_row(row, live)).matches(words)]

    def find(self, debate: str = "") -> DebateSummary:
        """Return the debate whose id is or starts with `debate`, or the newest if it is empty.

        Raise `UsageError` if no debate matches, or several do.
        """
        return find_summary(self.debates(), debate)

    def events(self, debate: str) -> list[Event]:
        """Return all recorded events of a debate."""
        return _read_events(self._path, debate, 0, -1)

    def read(self, debate: str, after: int, limit: int) -> list[Event]:
        """Return up to `limit` recorded events of a debate with `seq` greater than `after`."""
        return _read_events(self._path, debate, after, limit)

    def setup(self, debate: str) -> str:
        """Return the setup that the debate was created with."""
        with open_database(self._path) as connection:
            row = connection.execute("SELECT setup FROM debates WHERE name = ?", (debate,)).fetchone()
        return str(row[0]) if row else ""

    def secret(self) -> bytes:
        """Return 32 random bytes, generated on first use."""
        with open_database(self._path) as connection, transaction(connection):
            connection.execute(
                "INSERT OR IGNORE INTO secrets (name, value) VALUES ('server', ?)", (os.urandom(32),)
            )
            row = connection.execute("SELECT value FROM secrets WHERE name = 'server'").fetchone()
        return bytes(row[0])

    def delete(self, *debates: str) -> int:
        """Delete debates, overwriting their data in the file; return how many existed."""
        with open_database(self._path) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            with transaction(connection):
                deleted = connection.executemany(
                    "DELETE FROM debates WHERE name = ?", [(debate,) for debate in debates]
                ).rowcount
            # Run as a script: stepped as a query, the vacuum stops after its first page.
            connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def close(self) -> None:
        """Write pending events and close the file; logs of this store must not be used afterwards."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for lock in self._locks:
            lock.release()
        self._locks.clear()

    def _lock_debate(self, debate: str) -> DebateLock:
        lock = lock_debate(self._path, debate)
        self._locks.append(lock)
        return lock

    def _get_writer(self) -> SqliteWriter:
        if self._writer is None:
            self._writer = SqliteWriter(connect(self._path), self._path)
        return self._writer


def _read_events(path: Path, debate: str, after: int, limit: int) -> list[Event]:
    with open_database(path) as connection:
        rows = connection.execute(
            "SELECT event FROM events WHERE debate = (SELECT id FROM debates WHERE name = ?) AND seq > ?"
            " ORDER BY seq LIMIT ?",
            (debate, after, limit),
        ).fetchall()
    with _translate_decode_errors(path):
        return [event_from_json(row[0]) for row in rows]


@contextlib.contextmanager
def _translate_decode_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, RecursionError) as error:
        raise DebateError(
            f"the record {path} holds what this version cannot read: {error}", "upgrade debate-tui"
        ) from error


def _summary_from_row(row: tuple[object, ...], live: Container[str]) -> DebateSummary:
    name, topic, format_, debaters, started, updated, finished, events = row
    return msgspec.convert(
        {
            "debate": name,
            "topic": topic,
            "format": format_,
            "debaters": msgspec.json.decode(str(debaters)),
            "started": started,
            "updated": updated,
            "finished": finished,
            "events": events,
            "live": name in live,
        },
        DebateSummary,
    )
