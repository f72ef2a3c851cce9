"""The debate log: an ordered, append-only list of events, and the only truth about a debate."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import msgspec

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateFinished, TurnDelta, event_from_json, event_to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.summary import DebateSummary

    Listener = Callable[[Event], None]


BATCH_SIZE = 1000
"""Events that `read` and `follow` give at most in one go, unless told otherwise."""


class ReadableLog(Protocol):
    """Where every view of a debate gets its events from: one being held, recorded, or played back.

    Everything here is called on the event loop's thread.
    """

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event that comes from now on, in order; returns how to stop it.

        Listeners are called before `append` returns, and must be quick. One that appends is allowed to:
        every listener still sees all events in the order of their `seq`, and the inner `append` returns
        before the others were told.
        """
        ...

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """The events with `seq` greater than `after`, oldest first, at most `limit` of them."""
        ...

    def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """The events after `after` in batches, then new ones as they come, until the debate is over.

        Ends once a `debate.finished` with nothing behind it was given, or the log is closed. Any number
        of followers may be under way; each goes at its own speed.
        """
        ...

    async def aclose(self) -> None:
        """Make everything appended durable, end all followers, and let go of the store."""
        ...


class DebateLog(ReadableLog, Protocol):
    """Where the events of a debate go; a log has one writer."""

    def append(self, event: Event) -> Event:
        """Give the event its `seq` and `at`, tell the listeners, and return it as logged.

        Never waits: an event is durable within 100 ms of this call, where the log is durable at all.
        Whatever `seq` and `at` the event had are replaced; `seq` has no gaps, `at` never goes backwards.
        """
        ...


@runtime_checkable
class DurableLog(DebateLog, Protocol):
    """A log that outlives the process."""

    @property
    def seq(self) -> int:
        """The `seq` of the newest event there is; 0 for an empty log."""
        ...

    @property
    def durable_seq(self) -> int:
        """The `seq` of the newest event that survives the process being killed."""
        ...

    @property
    def write_error(self) -> DebateError | None:
        """Why events are not being written, or `None`."""
        ...

    @property
    def recording_stopped(self) -> bool:
        """Whether the record ends at `durable_seq` for good, while the debate goes on."""
        ...

    async def flush(self) -> None:
        """Wait until everything appended so far is durable, or could not be written (see `write_error`).

        Raises `TakenOverError` where it never will be, as somebody else holds the debate now.
        """
        ...


@runtime_checkable
class WatchedLog(ReadableLog, Protocol):
    """A debate as those see it who only watch: what is durable of it, whoever holds it, and wherever.

    `follow` may raise `EpochChangedError`, and `DebateError` where the debate was deleted.
    """

    @property
    def epoch(self) -> str:
        """Names the history that `seq` counts in; another where events that may have been seen were lost.

        Lower-case letters and digits; empty where a store loses nothing that it has given.
        """
        ...

    @property
    def seq(self) -> int:
        """The `seq` of the newest durable event; 0 for none."""
        ...

    @property
    def over(self) -> bool:
        """Whether no more events are to come."""
        ...


class EpochChangedError(DebateError):
    """What was followed is no longer the debate's history; read it again from the beginning."""


class TakenOverError(DebateError):
    """Somebody else holds the debate now: what is appended here since is no part of it any more."""


class StoreUnreachableError(DebateError):
    """The store cannot be asked now; it may be able to answer later."""


class DebateStore(Protocol):
    """Where any number of debates are kept; every method raises `DebateError` where that cannot be used."""

    async def create(
        self,
        debate: str,
        *,
        setup: str = "",
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> DurableLog:
        """The log of a new debate, to be known by the id `debate`.

        `setup` is kept beside the events, for whoever continues the debate. `on_write_error` is told, on the
        loop's thread, that events cannot be written; the debate may go on regardless.
        """
        ...

    async def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> DurableLog:
        """The log of a debate that nobody holds any more, to be continued behind its last event."""
        ...

    async def watch(self, debate: str) -> WatchedLog:
        """The debate with exactly this id, for watching; to be closed when nobody does any more."""
        ...

    async def debates(self, words: str = "") -> list[DebateSummary]:
        """The debates there are, newest first; only those that contain all of the words, if any."""
        ...

    async def find(self, debate: str = "") -> DebateSummary:
        """The debate with this id, or whose id begins so; the newest for an empty id."""
        ...

    async def setup(self, debate: str) -> str:
        """The setup a debate was created with."""
        ...

    async def secret(self) -> bytes:
        """Random bytes that belong to this store, the same for all who use it; nothing else is told them."""
        ...

    async def delete(self, *debates: str) -> int:
        """Delete debates with everything kept of them; returns how many there were."""
        ...

    async def aclose(self) -> None:
        """Write what is left and let go; no log of this store may be used afterwards."""
        ...


class BaseLog(ABC):
    """Listeners and followers, the same for every log of this process.

    A subclass says what there is (`seq`, `over`, `read`) and calls `_publish` with each event once it can
    be read.
    """

    def __init__(self) -> None:
        self._closed = False
        self._listeners: dict[object, Listener] = {}
        self._undelivered: deque[tuple[object, Event]] = deque()
        self._delivering = False
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    @abstractmethod
    def seq(self) -> int:
        """The `seq` of the newest event there is; 0 for an empty log."""

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether no more events are to come."""

    @abstractmethod
    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `ReadableLog.subscribe`."""
        token = object()
        self._listeners[token] = listener

        def stop() -> None:
            self._listeners.pop(token, None)

        return stop

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """See `ReadableLog.follow`."""
        while True:
            batch = await self.read(after, BATCH_SIZE) if after < self.seq else ()
            if batch:
                after = batch[-1].seq
                yield batch
            # Nothing is awaited between this look at the log and `_wait_for_change`, so no wake-up gets lost.
            elif after >= self.seq:
                if self.over or self._closed:
                    return
                await self._wait_for_change()

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`."""
        self._closed = True
        self._wake()

    def _publish(self, event: Event) -> None:
        self._wake()
        self._undelivered.extend((token, event) for token in self._listeners)
        if not self._delivering:
            self._deliver()

    def _deliver(self) -> None:
        self._delivering = True
        try:
            while self._undelivered:
                token, event = self._undelivered.popleft()
                if listener := self._listeners.get(token):
                    listener(event)
        finally:
            self._delivering = False
            if self._undelivered:  # a listener raised; that is no reason to keep the others in the dark
                self._deliver()

    async def _wait_for_change(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()


class AppendableLog(BaseLog):
    """A log written in this process: numbers the events and gives them their time.

    A subclass keeps them: `_store_event` takes one and must not wait, and `read` gives it back from then on.
    `last` is where an existing log goes on.
    """

    def __init__(self, last: Event | None = None, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._seq = last.seq if last else 0
        self._last_at = last.at if last else 0.0
        self._over = isinstance(last, DebateFinished)

    @property
    def seq(self) -> int:
        """See `BaseLog.seq`."""
        return self._seq

    @property
    def over(self) -> bool:
        """See `BaseLog.over`; an event behind the end takes the debate up again."""
        return self._over

    def append(self, event: Event) -> Event:
        """See `DebateLog.append`."""
        self._seq += 1
        self._last_at = max(self._last_at, self._clock())
        logged = msgspec.structs.replace(event, seq=self._seq, at=self._last_at)
        self._over = isinstance(logged, DebateFinished)
        self._store_event(logged)
        self._publish(logged)
        return logged

    @abstractmethod
    def _store_event(self, event: Event) -> None:
        """Take an event with its final `seq` and `at`; must not wait."""


class MemoryLog(AppendableLog):
    """A log that lives as long as the process: for `--no-record`, and for events read elsewhere.

    `events` are taken as they are: logged events without gaps, such as a record or an export holds.
    """

    def __init__(self, events: Iterable[Event] = (), *, clock: Callable[[], float] = time.time) -> None:
        self._events = list(events)
        super().__init__(self._events[-1] if self._events else None, clock=clock)

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`."""
        return self._events[after : after + limit]

    def _store_event(self, event: Event) -> None:
        self._events.append(event)


# What stores have in common: an event's bytes, its weight, and how much may wait to be written.


MAX_BACKLOG_BYTES: Final = 64 * 2**20
"""Bytes of events, roughly, that may wait for the store before a debate's record is given up."""


def encode_for_storage(event: Event) -> tuple[Event, bytes]:
    """An event and its bytes; lone surrogates, which UTF-8 has no place for, become question marks."""
    try:
        return event, event_to_json(event)
    except UnicodeEncodeError:
        import json

        data = json.dumps(msgspec.to_builtins(event), ensure_ascii=False).encode("utf-8", "replace")
        return event_from_json(data), data


def memory_size(event: Event) -> int:
    """About what an event takes in memory, in bytes."""
    return 512 + (len(event.text) if isinstance(event, TurnDelta) else 0)
