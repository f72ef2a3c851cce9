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

from debate_tui.record.database import explain, passing, transaction
from debate_tui.record.storing import BACKLOG, storable, weight
from debate_tui.record.summary import advance

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.events import Event
    from debate_tui.record.summary import Summary

GATHER_S: Final = 0.02
"""How long the first event of a commit waits for others: far below the 100 ms the log has."""

RETRY_S: Final = 1.0
"""How long to wait before writing again to a disk that is full or a file that is locked."""


class Recording:
    """A debate being recorded, as the event loop and the writer share it.

    Set by the writer: `durable`, the `seq` of the newest event that survives the process; `trouble`, why
    nothing is being written now, or `None`; `written`, bytes put into the file, as `weight` counts them.
    Set by the loop: `taken`, bytes handed over. Either may set `lost`: the record ends at `durable`, for
    good. The rest is the writer's own.
    """

    def __init__(self, summary: Summary, *, setup: str = "", row: int | None = None) -> None:
        self.summary = summary
        self.setup = setup
        self.row = row
        self.durable = summary.events
        self.trouble: DebateError | None = None
        self.lost = False
        self.taken = 0
        self.written = 0
        self.unwritten: list[Event] = []
        self.retry_at = 0.0


class Writer:
    """Group commit: what comes within 20 ms, or until somebody asks for a flush, shares a transaction.

    An event is durable those 20 ms plus one commit after it was handed over. While the disk takes longer,
    events wait in memory and the next commit carries more of them, up to `BACKLOG` for each debate.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queue: SimpleQueue[tuple[Recording, Event] | Future[None] | None] = SimpleQueue()
        self._owing: set[Recording] = set()
        self._hurried = threading.Event()
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def put(self, recording: Recording, event: Event) -> None:
        """Hand over an event; never waits. A debate whose backlog is full loses the rest of its record."""
        recording.taken += weight(event)
        if recording.taken - recording.written > BACKLOG:
            recording.lost = True
        else:
            self._queue.put((recording, event))

    def flush(self) -> Future[None]:
        """Done when all that was handed over so far is durable, or could not be written."""
        done: Future[None] = Future()
        self._queue.put(done)
        self._hurried.set()
        if not self._thread.is_alive():
            self._release()
        return done

    def close(self) -> None:
        """Write what is left, once, and let go of the file."""
        self._queue.put(None)
        self._hurried.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._connection.close()
            self._release()

    def _work(self) -> None:
        going_on = True
        while going_on:
            flushed: list[Future[None]] = []
            going_on = self._gather(flushed)
            urgent = bool(flushed) or not going_on
            for recording in tuple(self._owing):
                if urgent or time.monotonic() >= recording.retry_at:
                    self._commit(recording)
            _resolve(flushed)

    def _gather(self, flushed: list[Future[None]]) -> bool:
        """Wait for work and collect what comes with it; says whether to go on afterwards."""
        try:
            item = self._queue.get(timeout=RETRY_S if self._owing else None)
            if isinstance(item, tuple):
                self._hurried.wait(GATHER_S)
            self._hurried.clear()
            while item is not None:
                if isinstance(item, tuple):
                    recording, event = item
                    recording.unwritten.append(event)
                    self._owing.add(recording)
                else:
                    flushed.append(item)
                item = self._queue.get_nowait()
        except Empty:
            return True
        return False

    def _release(self) -> None:
        """Keep nobody waiting for a thread that has ended."""
        with contextlib.suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if isinstance(item, Future):
                    _resolve([item])

    def _commit(self, recording: Recording) -> None:
        if not recording.lost:
            try:
                self._write(recording, recording.unwritten)
            except sqlite3.Error as error:
                recording.trouble = explain(error, self._path)
                if passing(error):
                    recording.retry_at = time.monotonic() + RETRY_S
                    return
                recording.lost = True
            else:
                recording.trouble = None
                recording.retry_at = 0.0
        self._owing.discard(recording)
        recording.unwritten = []

    def _write(self, recording: Recording, events: list[Event]) -> None:
        summary, rows = recording.summary, []
        for event in events:
            stored, data = storable(event)
            summary = advance(summary, stored)
            rows.append((event.seq, data))
        summary = msgspec.structs.replace(summary, events=events[-1].seq, updated=events[-1].at)
        with transaction(self._connection):
            row = self._summarise(recording, summary)
            self._connection.executemany(
                "INSERT INTO events (debate, seq, event) VALUES (?, ?, ?)",
                ((row, seq, data) for seq, data in rows),
            )
        recording.row = row
        recording.summary = summary
        recording.written += sum(map(weight, events))
        recording.durable = summary.events

    def _summarise(self, recording: Recording, summary: Summary) -> int | None:
        values = (
            summary.topic,
            summary.format,
            msgspec.json.encode(summary.debaters).decode(),
            summary.started,
            summary.updated,
            summary.finished,
            summary.events,
        )
        if recording.row is None:
            return self._connection.execute(
                "INSERT INTO debates (topic, format, debaters, started, updated, finished, events, name,"
                " setup) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, summary.debate, recording.setup),
            ).lastrowid
        self._connection.execute(
            "UPDATE debates SET topic = ?, format = ?, debaters = ?, started = ?, updated = ?, finished = ?,"
            " events = ? WHERE id = ?",
            (*values, recording.row),
        )
        return recording.row


def _resolve(flushed: list[Future[None]]) -> None:
    for done in flushed:
        if done.set_running_or_notify_cancel():
            done.set_result(None)
