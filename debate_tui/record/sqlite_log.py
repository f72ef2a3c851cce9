"""The debate log in SQLite: one file for all debates, safe if the process is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import event_from_json
from debate_tui.record.log import BATCH_SIZE, DebateLog, translate_decode_errors
from debate_tui.record.sqlite_writer import RecordingState, SqliteWriter, open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

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
                    f"The debate {debate} is running in another program.",
                    "You can resume it once it has ended there.",
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


class SqliteLog(DebateLog):
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
        super().__init__(last, material=recording.material, clock=clock)
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
        return self._recording.durable_seq

    @property
    def recording_stopped(self) -> bool:
        return self._recording.stopped

    @property
    def write_error(self) -> DebateError | None:
        if self._recording.stopped and self._recording.error is None:
            return DebateError(
                f"The record {self._path} ends at event {self.durable_seq}: the disk did not keep up.",
                "The debate continues unrecorded. Export it before you quit.",
            )
        return self._recording.error

    def append(self, event: Event) -> Event:
        logged = super().append(event)
        self._report_error()
        return logged

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`. Raise `DebateError` if the events cannot be read or were not recorded."""
        if after >= self._recent_after:
            start = after - self._recent_after
            return self._recent[start : start + limit]
        events = await asyncio.to_thread(
            read_events, self._path, self._recording.summary.debate, after, limit
        )
        if not events:
            raise DebateError(f"Events {after + 1} to {self._recent_after} of this debate were not recorded.")
        return events

    async def flush(self) -> None:
        """See `ReadableLog.flush`; `write_error` has the reason for a failure."""
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


_DELTA_START: Final = b'{"type":"turn.delta"'
"""How a stored delta begins."""


def read_events(
    path: Path, debate: str, after: int = 0, limit: int = -1, *, deltas: bool = True
) -> list[Event]:
    """Read up to `limit` events of a debate with `seq` greater than `after`, oldest first; -1 means all.

    Without `deltas`, the events with text are left out, apart from the few that were hard to encode.
    """
    with open_database(path) as connection:
        rows = connection.execute(
            "SELECT event FROM events WHERE debate = (SELECT id FROM debates WHERE name = ?) AND seq > ?"
            " AND (? OR substr(event, 1, ?) <> ?) ORDER BY seq LIMIT ?",
            (debate, after, deltas, len(_DELTA_START), _DELTA_START, limit),
        ).fetchall()
    with translate_decode_errors(f"The record {path}"):
        return [event_from_json(row[0]) for row in rows]
