"""The debate log in SQLite: one file for all debates, safe against the death of the process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import decode
from debate_tui.record import holding
from debate_tui.record.database import connect, opened, transaction
from debate_tui.record.log import BATCH, LocalLog
from debate_tui.record.summary import Summary, pick
from debate_tui.record.writer import Recording, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from debate_tui.domain.events import Event

TAIL: Final = 4096
"""Durable events kept in memory as well, so that followers who keep up never touch the file."""

_LIST: Final = (
    "SELECT name, topic, format, debaters, started, updated, finished, events FROM debates"
    " ORDER BY started DESC, id DESC"
)


class SqliteLog(LocalLog):
    """A debate's log in the file of a `Store`, which makes these.

    Every event is durable within 100 ms. Where the disk is slow, full or gone, the debate goes on:
    `on_trouble` is called once, on the loop's thread, from `append` or `aclose`; events wait in memory (up
    to 64 MiB) and are written when that becomes possible again. Beyond that the record ends, without a
    gap before its end.
    """

    def __init__(
        self,
        writer: Writer,
        recording: Recording,
        path: Path,
        hold: holding.Hold,
        *,
        last: Event | None,
        clock: Callable[[], float],
        on_trouble: Callable[[DebateError], None],
    ) -> None:
        super().__init__(last, clock=clock)
        self._writer = writer
        self._recording = recording
        self._path = path
        self._hold = hold
        self._on_trouble = on_trouble
        self._told = False
        self._tail: list[Event] = []
        self._tail_after = self.seq

    @property
    def durable(self) -> int:
        """The `seq` of the newest event that survives the process being killed."""
        return self._recording.durable

    @property
    def lost(self) -> bool:
        """Whether the record ends at `durable` for good, while the debate goes on."""
        return self._recording.lost

    @property
    def trouble(self) -> DebateError | None:
        """Why events are not being written, or `None`."""
        if self._recording.lost and self._recording.trouble is None:
            return DebateError(
                f"the record {self._path} ends at event {self.durable}: the disk did not keep up",
                "the debate goes on unrecorded; export it before leaving",
            )
        return self._recording.trouble

    def append(self, event: Event) -> Event:
        """See `DebateLog.append`."""
        logged = super().append(event)
        self._tell_trouble()
        return logged

    async def read(self, after: int = 0, limit: int = BATCH) -> Sequence[Event]:
        """See `ReadableLog.read`; raises `DebateError` where the record cannot be read or has ended."""
        if after >= self._tail_after:
            start = after - self._tail_after
            return self._tail[start : start + limit]
        events = await asyncio.to_thread(_stored, self._path, self._recording.summary.debate, after, limit)
        if not events:
            raise DebateError(f"events {after + 1} to {self._tail_after} of this debate were not recorded")
        return events

    async def flush(self) -> None:
        """Wait until everything appended so far is durable, or could not be written (see `trouble`)."""
        await asyncio.wrap_future(self._writer.flush())
        self._tell_trouble()

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`; the store itself stays open."""
        await super().aclose()
        await self.flush()
        self._hold.release()

    def _keep(self, event: Event) -> None:
        self._tail.append(event)
        if not self._recording.lost:
            self._writer.put(self._recording, event)
        self._trim()

    def _trim(self) -> None:
        """Forget events that the file can give back; all but the newest once it takes no more."""
        spare = len(self._tail) - TAIL
        if spare < TAIL:
            return
        if not self._recording.lost:
            spare = min(spare, self.durable - self._tail_after)
        if spare >= TAIL:
            del self._tail[:spare]
            self._tail_after += spare

    def _tell_trouble(self) -> None:
        if not self._told and (trouble := self.trouble):
            self._told = True
            self._on_trouble(trouble)


class Store:
    """All recorded debates: one SQLite file, made when the first debate is.

    Every method raises `DebateError` with a hint where the file cannot be used. They take milliseconds,
    except for reading or deleting long debates, which belong in a thread. Close the store last; that
    waits for the writer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[holding.Hold] = []
        self._writer: Writer | None = None

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
        on_trouble: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """The log of a new debate, to be known by the id `debate`.

        `setup` is kept beside the events, for whoever continues the debate: what it is held by and no
        event says, such as personas and the format itself. It must not hold a key.
        """
        writer = self._writing()
        recording = Recording(Summary(debate), setup=setup)
        hold = self._hold(debate)
        return SqliteLog(writer, recording, self._path, hold, last=None, clock=clock, on_trouble=on_trouble)

    def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_trouble: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """The log of a recorded debate, to be continued behind its last event.

        Raises `UsageError` while it is being held elsewhere.
        """
        writer = self._writing()
        name = self.find(debate).debate
        hold = self._hold(name)
        summary = self.find(name)
        with opened(self._path) as connection:
            row = connection.execute("SELECT id FROM debates WHERE name = ?", (name,)).fetchone()[0]
        last = _stored(self._path, name, summary.events - 1, 1)[-1]
        recording = Recording(summary, row=row)
        return SqliteLog(writer, recording, self._path, hold, last=last, clock=clock, on_trouble=on_trouble)

    def debates(self, words: str = "") -> list[Summary]:
        """The recorded debates, newest first; only those that contain all of the words, if any."""
        if not self._path.exists():
            return []
        with opened(self._path) as connection:
            rows = connection.execute(_LIST).fetchall()
        live = holding.held(self._path)
        with _readable(self._path):
            return [summary for row in rows if (summary := _summary(row, live)).matches(words)]

    def find(self, debate: str = "") -> Summary:
        """The debate with this id, or whose id begins so; the newest for an empty id."""
        return pick(self.debates(), debate)

    def events(self, debate: str) -> list[Event]:
        """All recorded events of a debate."""
        return _stored(self._path, debate, 0, -1)

    def read(self, debate: str, after: int, limit: int) -> list[Event]:
        """At most `limit` recorded events of a debate behind `after`."""
        return _stored(self._path, debate, after, limit)

    def setup(self, debate: str) -> str:
        """The setup a debate was created with."""
        with opened(self._path) as connection:
            row = connection.execute("SELECT setup FROM debates WHERE name = ?", (debate,)).fetchone()
        return str(row[0]) if row else ""

    def delete(self, *debates: str) -> int:
        """Delete debates with everything recorded of them, overwritten in the file; returns how many."""
        with opened(self._path) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            with transaction(connection):
                gone = connection.executemany(
                    "DELETE FROM debates WHERE name = ?", [(debate,) for debate in debates]
                ).rowcount
            # As a script: stepped as a query, the vacuum stops after its first page.
            connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def close(self) -> None:
        """Write what is left and let go of the file; no log of this store may be used afterwards."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for hold in self._held:
            hold.release()
        self._held.clear()

    def _hold(self, debate: str) -> holding.Hold:
        hold = holding.take(self._path, debate)
        self._held.append(hold)
        return hold

    def _writing(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(connect(self._path), self._path)
        return self._writer


def _stored(path: Path, debate: str, after: int, limit: int) -> list[Event]:
    with opened(path) as connection:
        rows = connection.execute(
            "SELECT event FROM events WHERE debate = (SELECT id FROM debates WHERE name = ?) AND seq > ?"
            " ORDER BY seq LIMIT ?",
            (debate, after, limit),
        ).fetchall()
    with _readable(path):
        return [decode(row[0]) for row in rows]


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (msgspec.DecodeError, RecursionError) as error:
        raise DebateError(
            f"the record {path} holds what this version cannot read: {error}", "upgrade debate-tui"
        ) from error


def _summary(row: tuple[object, ...], live: Container[str]) -> Summary:
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
        Summary,
    )
