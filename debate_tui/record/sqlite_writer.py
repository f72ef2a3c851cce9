"""The thread that writes the events of all debates, in a few dozen commits per second."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.errors import DebateError
from debate_tui.record.log import MAX_BACKLOG_BYTES, encode_for_storage, memory_size
from debate_tui.record.summary import update_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material
    from debate_tui.record.summary import DebateSummary


# The database file: opening it, its schema, and its error messages.


MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE debates (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            topic TEXT NOT NULL,
            format TEXT NOT NULL,
            debaters TEXT NOT NULL,
            started REAL NOT NULL,
            updated REAL NOT NULL,
            finished TEXT,
            events INTEGER NOT NULL,
            setup TEXT NOT NULL
        )""",
        """CREATE TABLE events (
            debate INTEGER NOT NULL REFERENCES debates (id) ON DELETE CASCADE,
            seq INTEGER NOT NULL,
            event BLOB NOT NULL,
            PRIMARY KEY (debate, seq)
        ) WITHOUT ROWID""",
    ),
    ("CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL)",),
    (
        """CREATE TABLE material (
            debate INTEGER NOT NULL REFERENCES debates (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            text TEXT NOT NULL,
            debater TEXT NOT NULL,
            PRIMARY KEY (debate, number)
        ) WITHOUT ROWID""",
    ),
)
"""The statements that lead from each schema version to the next; `user_version` counts those applied.

Only append entries. `debates` repeats what a list of debates shows, so that listing never reads events;
both tables change in the same transaction. `setup` holds what the debate was started with, as encoded by
its creator; `material` is written with the first event. An `id` is never reused: a writer whose debate was
deleted must not write into another.
"""

_BUSY_S = 5.0
"""Seconds a statement waits for another process's transaction, which takes milliseconds."""

_ERROR_MESSAGES: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: ("is locked by another program", "Close that program"),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "Close that program"),
    sqlite3.SQLITE_READONLY: ("cannot be written to", "Check the permissions of the file and its folder"),
    sqlite3.SQLITE_PERM: ("cannot be opened", "Check the permissions of the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check the permissions of the file and its folder"),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "Free some space"),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "Check the disk and its free space"),
    sqlite3.SQLITE_NOTADB: ("is not a database", "Move the file away, and a new one is created"),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "Move the file away ('sqlite3 FILE .recover' may save its debates)",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        "no longer accepts this debate: it was deleted, or another program is writing it",
        "Run a debate in one program only",
    ),
}

_TRANSIENT_CODES: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
)
"""After these errors, the statement may succeed later."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, creating it and updating its schema if needed.

    The file uses WAL with `synchronous=NORMAL`: commits survive the death of the process by any signal; a
    power failure may lose the commits since the last checkpoint, but never damages the file. The connection
    may be passed to another thread. Raise `DebateError` if the file cannot be used.
    """
    with translate_errors(path):
        _create_file(path)
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            if _schema_version(connection) != len(MIGRATIONS):
                _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection for the duration of a block, and raise its errors as `DebateError`."""
    with contextlib.closing(connect(path)) as connection, translate_errors(path):
        yield connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all of a block or nothing; waits for other writers at the start, never in the middle."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise errors of the database and the file system as `DebateError`, with a hint."""
    try:
        yield
    except sqlite3.Error as error:
        raise describe_error(error, path) from error
    except OSError as error:
        raise DebateError(
            f"The record {path} cannot be opened: {error.strerror or error}.",
            "Check the permissions of the folder, or use --no-record.",
        ) from error


def describe_error(error: sqlite3.Error, path: Path) -> DebateError:
    """Describe a database error in plain words."""
    trouble, advice = _ERROR_MESSAGES.get(
        _error_code(error), (f"cannot be used: {error}", "Move the file away")
    )
    return DebateError(f"The record {path} {trouble}.", f"{advice}, or use --no-record.")


def _error_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _create_file(path: Path) -> None:
    """Create the file and its folder, readable by their owner only; keep existing permissions."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _schema_version(connection) == 0:  # both are kept in the file, and setting them needs its write lock
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        version = _schema_version(connection)  # again: another process may have migrated it meanwhile
        if version > len(MIGRATIONS):
            raise DebateError(
                f"The record {path} was written by a newer debate-tui.",
                "Upgrade debate-tui, or use --no-record.",
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _schema_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


COMMIT_DELAY_S: Final = 0.02
"""Seconds the first event of a commit waits for others, well below the log's 100 ms limit."""

RETRY_S: Final = 1.0
"""Seconds between attempts to write to a full disk or a locked file."""


class RecordingState:
    """The state of a debate's recording, shared by the event loop and the writer.

    Set by the writer: `durable_seq`, the `seq` of the newest durable event; `error`, why nothing is being
    written now, or `None`; `written_bytes`, bytes written to the file, as counted by `memory_size`. Set by
    the event loop: `queued_bytes`, bytes queued. Either may set `stopped`: the record ends at `durable_seq`
    for good. Everything else belongs to the writer.
    """

    def __init__(
        self,
        summary: DebateSummary,
        *,
        setup: str = "",
        material: Sequence[Material] = (),
        row_id: int | None = None,
    ) -> None:
        self.summary = summary
        self.setup = setup
        self.material = tuple(material)
        self.row_id = row_id
        self.durable_seq = summary.events
        self.error: DebateError | None = None
        self.stopped = False
        self.queued_bytes = 0
        self.written_bytes = 0
        self.pending_events: list[Event] = []
        self.retry_at = 0.0


class SqliteWriter:
    """A writer thread with group commit: events within 20 ms, or up to a flush, share a transaction.

    An event is durable 20 ms plus one commit after it was queued. While the disk takes longer, events wait
    in memory and the next commit contains more of them, up to `MAX_BACKLOG_BYTES` per debate.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queue: SimpleQueue[tuple[RecordingState, Event] | Future[None] | None] = SimpleQueue()
        self._pending: set[RecordingState] = set()
        self._flush_requested = threading.Event()
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def put(self, recording: RecordingState, event: Event) -> None:
        """Queue an event, without waiting; a debate whose backlog is full is recorded no further."""
        recording.queued_bytes += memory_size(event)
        if recording.queued_bytes - recording.written_bytes > MAX_BACKLOG_BYTES:
            recording.stopped = True
        else:
            self._queue.put((recording, event))

    def flush(self) -> Future[None]:
        """Return a future that is done when all queued events are durable or have failed to be written."""
        done: Future[None] = Future()
        self._queue.put(done)
        self._flush_requested.set()
        if not self._thread.is_alive():
            self._resolve_queued_flushes()
        return done

    def close(self) -> None:
        """Make one last attempt to write what is left, and close the file."""
        self._queue.put(None)
        self._flush_requested.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._commit_loop()
        finally:
            self._connection.close()
            self._resolve_queued_flushes()

    def _commit_loop(self) -> None:
        running = True
        while running:
            flushed: list[Future[None]] = []
            running = self._collect_batch(flushed)
            urgent = bool(flushed) or not running
            for recording in tuple(self._pending):
                if urgent or time.monotonic() >= recording.retry_at:
                    self._try_commit(recording)
            _resolve_flushes(flushed)

    def _collect_batch(self, flushed: list[Future[None]]) -> bool:
        """Wait for work and collect what arrives with it; return whether to continue afterwards."""
        try:
            item = self._queue.get(timeout=RETRY_S if self._pending else None)
            if isinstance(item, tuple):
                self._flush_requested.wait(COMMIT_DELAY_S)
            self._flush_requested.clear()
            while item is not None:
                if isinstance(item, tuple):
                    recording, event = item
                    recording.pending_events.append(event)
                    self._pending.add(recording)
                else:
                    flushed.append(item)
                item = self._queue.get_nowait()
        except Empty:
            return True
        return False

    def _resolve_queued_flushes(self) -> None:
        """Complete flushes queued after the thread has ended, so that their callers do not wait forever."""
        with contextlib.suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if isinstance(item, Future):
                    _resolve_flushes([item])

    def _try_commit(self, recording: RecordingState) -> None:
        if not recording.stopped:
            try:
                self._write_events(recording, recording.pending_events)
            except sqlite3.Error as error:
                recording.error = describe_error(error, self._path)
                if _error_code(error) in _TRANSIENT_CODES:
                    recording.retry_at = time.monotonic() + RETRY_S
                    return
                recording.stopped = True
            else:
                recording.error = None
                recording.retry_at = 0.0
        self._pending.discard(recording)
        recording.pending_events = []

    def _write_events(self, recording: RecordingState, events: list[Event]) -> None:
        summary, rows = recording.summary, []
        for event in events:
            stored, data = encode_for_storage(event)
            summary = update_summary(summary, stored)
            rows.append((event.seq, data))
        summary = msgspec.structs.replace(summary, events=events[-1].seq, updated=events[-1].at)
        with transaction(self._connection):
            row = self._save_summary(recording, summary)
            self._connection.executemany(
                "INSERT INTO events (debate, seq, event) VALUES (?, ?, ?)",
                ((row, seq, data) for seq, data in rows),
            )
        recording.row_id = row
        recording.summary = summary
        recording.written_bytes += sum(map(memory_size, events))
        recording.durable_seq = summary.events

    def _save_summary(self, recording: RecordingState, summary: DebateSummary) -> int | None:
        values = (
            summary.topic,
            summary.format,
            msgspec.json.encode(summary.debaters).decode(),
            summary.started,
            summary.updated,
            summary.finished,
            summary.events,
        )
        if recording.row_id is None:
            row = self._connection.execute(
                "INSERT INTO debates (topic, format, debaters, started, updated, finished, events, name,"
                " setup) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, summary.debate, recording.setup),
            ).lastrowid
            self._connection.executemany(
                "INSERT INTO material (debate, number, name, text, debater) VALUES (?, ?, ?, ?, ?)",
                ((row, each.number, each.name, each.text, each.debater) for each in recording.material),
            )
            return row
        self._connection.execute(
            "UPDATE debates SET topic = ?, format = ?, debaters = ?, started = ?, updated = ?, finished = ?,"
            " events = ? WHERE id = ?",
            (*values, recording.row_id),
        )
        return recording.row_id


def _resolve_flushes(flushed: list[Future[None]]) -> None:
    for done in flushed:
        if done.set_running_or_notify_cancel():
            done.set_result(None)
