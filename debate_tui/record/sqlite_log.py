"""The debate log in SQLite: one file for all debates, safe against the death of the process."""

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


# Who holds a debate: a lock on a file beside the record, which goes with the program, however that ends.


LOCK_TIMEOUT_S: Final = 0.05
"""Longer than anybody takes to look who holds a debate, which locks it too."""

_LOCK_SUFFIX: Final = ".held"


class DebateLock:
    """A debate that nobody else may write; without effect where files cannot be locked."""

    def __init__(self, path: Path | None = None, descriptor: int = -1) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have the debate; may be called again."""
        if self._path is not None:
            _remove_lock_file(self._path)
            os.close(self._descriptor)
            self._path = None


def lock_debate(record: Path, debate: str) -> DebateLock:
    """Hold a debate of a record from now on.

    Raises `UsageError` while somebody else does, in this program or another.
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
    """The debates of a record that are held now; what killed programs have left behind is cleared away."""
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
    """Take away a file that is locked: whoever has opened it will see, and take another one."""
    with contextlib.suppress(OSError):
        path.unlink()


def _open_locked(path: Path, *, shared: bool = False) -> int | None:
    """A descriptor of the file, which is locked; `None` if it has been taken away meanwhile."""
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
"""Durable events kept in memory as well, so that followers who keep up never touch the file."""

_LIST_QUERY: Final = (
    "SELECT name, topic, format, debaters, started, updated, finished, events FROM debates"
    " ORDER BY started DESC, id DESC"
)


class SqliteLog(AppendableLog):
    """A debate's log in the file of a `SqliteStore`, which makes these.

    Every event is durable within 100 ms. Where the disk is slow, full or gone, the debate goes on:
    `on_write_error` is called once, on the loop's thread, from `append` or `aclose`; events wait in memory
    (up to 64 MiB) and are written when that becomes possible again. Beyond that the record ends, without a
    gap before its end.
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
        """The `seq` of the newest event that survives the process being killed."""
        return self._recording.durable_seq

    @property
    def recording_stopped(self) -> bool:
        """Whether the record ends at `durable_seq` for good, while the debate goes on."""
        return self._recording.stopped

    @property
    def write_error(self) -> DebateError | None:
        """Why events are not being written, or `None`."""
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
        """See `ReadableLog.read`; raises `DebateError` where the record cannot be read or has ended."""
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
        """Wait until everything appended so far is durable, or could not be written (see `write_error`)."""
        await asyncio.wrap_future(self._writer.flush())
        self._report_error()

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; the store itself stays open."""
        await super().aclose()
        await self.flush()
        self._lock.release()

    def _store_event(self, event: Event) -> None:
        self._recent.append(event)
        if not self._recording.stopped:
            self._writer.put(self._recording, event)
        self._trim()

    def _trim(self) -> None:
        """Forget events that the file can give back; all but the newest once it takes no more."""
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
    """All recorded debates: one SQLite file, made when the first debate is.

    Every method raises `DebateError` with a hint where the file cannot be used. They take milliseconds,
    except for reading or deleting long debates, which belong in a thread. Close the store last; that
    waits for the writer.
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
        """The log of a new debate, to be known by the id `debate`.

        `setup` is kept beside the events, for whoever continues the debate: what it is held by and no
        event says, such as personas and the format itself. It must not hold a key.
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
        """The log of a recorded debate, to be continued behind its last event.

        Raises `UsageError` while it is being held elsewhere.
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
        """The recorded debates, newest first; only those that contain all of the words, if any."""
        if not self._path.exists():
            return []
        with open_database(self._path) as connection:
            rows = connection.execute(_LIST_QUERY).fetchall()
        live = locked_debates(self._path)
        with _translate_decode_errors(self._path):
            return [summary for row in rows if (summary := _summary_from_row(row, live)).matches(words)]

    def find(self, debate: str = "") -> DebateSummary:
        """The debate with this id, or whose id begins so; the newest for an empty id."""
        return find_summary(self.debates(), debate)

    def events(self, debate: str) -> list[Event]:
        """All recorded events of a debate."""
        return _read_events(self._path, debate, 0, -1)

    def read(self, debate: str, after: int, limit: int) -> list[Event]:
        """At most `limit` recorded events of a debate behind `after`."""
        return _read_events(self._path, debate, after, limit)

    def setup(self, debate: str) -> str:
        """The setup a debate was created with."""
        with open_database(self._path) as connection:
            row = connection.execute("SELECT setup FROM debates WHERE name = ?", (debate,)).fetchone()
        return str(row[0]) if row else ""

    def secret(self) -> bytes:
        """32 random bytes, made when they are first asked for."""
        with open_database(self._path) as connection, transaction(connection):
            connection.execute(
                "INSERT OR IGNORE INTO secrets (name, value) VALUES ('server', ?)", (os.urandom(32),)
            )
            row = connection.execute("SELECT value FROM secrets WHERE name = 'server'").fetchone()
        return bytes(row[0])

    def delete(self, *debates: str) -> int:
        """Delete debates with everything recorded of them, overwritten in the file; returns how many."""
        with open_database(self._path) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            with transaction(connection):
                deleted = connection.executemany(
                    "DELETE FROM debates WHERE name = ?", [(debate,) for debate in debates]
                ).rowcount
            # As a script: stepped as a query, the vacuum stops after its first page.
            connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def close(self) -> None:
        """Write what is left and let go of the file; no log of this store may be used afterwards."""
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
