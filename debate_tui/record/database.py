"""The file all debates are kept in: how it is opened, its schema, and its errors in plain words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
)
"""What leads from each version of the schema to the next; a file's `user_version` counts those applied.

Entries are only ever added. `debates` repeats what a list of debates shows, so that the list never has to
read events; both tables change in the same transaction. `encode_setup` is what the debate was begun with, as
whoever began it wrote it. An `id` is never given again: a writer whose debate was deleted must not end up
in another.
"""

_BUSY_S = 5.0
"""How long a statement waits for another process's transaction, which takes milliseconds."""

_ERROR_MESSAGES: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: ("is locked by another program", "close the program that holds it"),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "close the program that holds it"),
    sqlite3.SQLITE_READONLY: ("cannot be written to", "check the permissions of the file and its folder"),
    sqlite3.SQLITE_PERM: ("cannot be opened", "check the permissions of the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "check the permissions of the file and its folder"),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", "free some space"),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "check the disk and the space left on it"),
    sqlite3.SQLITE_NOTADB: ("is not a database", "move the file away; a new one is made"),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "move the file away; `sqlite3 FILE .recover` may save its debates",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        "no longer takes this debate: it was deleted, or another program is writing it",
        "hold a debate from one program only",
    ),
}

_TRANSIENT_CODES: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
)


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, made if need be, with its schema brought up to date.

    WAL with `synchronous=NORMAL`: what was committed survives the death of the process, by whatever
    signal; a power cut may take the commits since the last checkpoint, but never damages the file. The
    connection may be handed to another thread. Raises `DebateError`.
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
    """A connection for the length of a block, whose errors are `DebateError` too."""
    with contextlib.closing(connect(path)) as connection, translate_errors(path):
        yield connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of a block or nothing of it; waits for other writers at the start, never in the middle."""
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
    """Turn the errors of the database and the file system into errors meant for people."""
    try:
        yield
    except sqlite3.Error as error:
        raise describe_error(error, path) from error
    except OSError as error:
        raise DebateError(
            f"the record {path} cannot be opened: {error.strerror or error}",
            "check the permissions of the folder, or use --no-record",
        ) from error


def describe_error(error: sqlite3.Error, path: Path) -> DebateError:
    """A database error in plain words."""
    trouble, advice = _ERROR_MESSAGES.get(
        _error_code(error), (f"cannot be used: {error}", "move the file away")
    )
    return DebateError(f"the record {path} {trouble}", f"{advice}, or use --no-record")


def is_transient(error: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later: a lock, a full disk, a disk error."""
    return _error_code(error) in _TRANSIENT_CODES


def _error_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _create_file(path: Path) -> None:
    """Make the file and its folder for their owner's eyes only; what exists keeps its permissions."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _schema_version(connection) == 0:  # both are kept in the file, and setting them needs its write lock
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        version = _schema_version(connection)  # again: another process may have been quicker
        if version > len(MIGRATIONS):
            raise DebateError(
                f"the record {path} was written by a newer debate-tui",
                "upgrade debate-tui, or use --no-record",
            )
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _schema_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
