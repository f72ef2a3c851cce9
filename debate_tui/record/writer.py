"""The one thread that writes: the events of any number of debates, a few dozen commits a second."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.record.database import describe_error, is_transient, transaction
from debate_tui.record.storing import MAX_BACKLOG_BYTES, encode_for_storage, memory_size
from debate_tui.record.summary import update_summary

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.events import Event
    from debate_tui.record.summary import DebateSummary

COMMIT_DELAY_S: Final = 0.02
"""How long the first event of a commit waits for others: far below the 100 ms the log has."""

RETRY_S: Final = 1.0
"""How long to wait before writing again to a disk that is full or a file that is locked."""


class RecordingState:
    """A debate being recorded, as the event loop and the writer share it.

    Set by the writer: `durable_seq`, the `seq` of the newest event that survives the process; `error`, why
    nothing is being written now, or `None`; `written_bytes`, bytes put into the file, as `memory_size` counts
    them. Set by the loop: `queued_bytes`, bytes handed over. Either may set `stopped`: the record ends at
    `durable_seq`, for good. The rest is the writer's own.
    """

    def __init__(self, summary: DebateSummary, *, setup: str = "", row_id: int | None = None) -> None:
        self.summary = summary
        self.setup = setup
        self.row_id = row_id
        self.durable_seq = summary.events
        self.error: DebateError | None = None
        self.stopped = False
        self.queued_bytes = 0
        self.written_bytes = 0
        self.pending_events: list[Event] = []
        self.retry_at = 0.0


class SqliteWriter:
    """Group commit: what comes within 20 ms, or until somebody asks for a flush, shares a transaction.

    An event is durable those 20 ms plus one commit after it was handed over. While the disk takes longer,
    events wait in memory and the next commit carries more of them, up to `BACKLOG` for each debate.
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
        """Hand over an event; never waits. A debate whose backlog is full loses the rest of its record."""
        recording.queued_bytes += memory_size(event)
        if recording.queued_bytes - recording.written_bytes > MAX_BACKLOG_BYTES:
            recording.stopped = True
        else:
            self._queue.put((recording, event))

    def flush(self) -> Future[None]:
        """Done when all that was handed over so far is durable, or could not be written."""
        done: Future[None] = Future()
        self._queue.put(done)
        self._flush_requested.set()
        if not self._thread.is_alive():
            self._resolve_queued_flushes()
        return done

    def close(self) -> None:
        """Write what is left, once, and let go of the file."""
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
        """Wait for work and collect what comes with it; says whether to go on afterwards."""
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
        """Keep nobody waiting for a thread that has ended."""
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
                if is_transient(error):
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
            return self._connection.execute(
                "INSERT INTO debates (topic, format, debaters, started, updated, finished, events, name,"
                " setup) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, summary.debate, recording.setup),
            ).lastrowid
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
