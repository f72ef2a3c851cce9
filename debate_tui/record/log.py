"""The debate log: an ordered, append-only list of events, and the only truth about a debate."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateFinished, TurnDelta, event_from_json, event_to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material
    from debate_tui.record.summary import DebateSummary

    Listener = Callable[[Event], None]


BATCH_SIZE = 1000
"""The default maximum number of events per batch from `read` and `follow`."""


class EpochChangedError(DebateError):
    """The debate's history was replaced; it must be read again from the beginning."""


class TakenOverError(DebateError):
    """Another process has taken over the debate; events appended here are no longer part of it."""


class StoreUnreachableError(DebateError):
    """The store cannot be reached now but may be available later."""


class ReadableLog(ABC):
    """The source of events for every view of a debate, whether live, recorded or played back.

    A subclass implements `seq`, `over` and `read`, and calls `_publish` with each event once `read` can
    return it. All methods must be called on the event loop's thread. `material` has the texts that
    `debate.started` names, hidden material included.
    """

    def __init__(self, material: Sequence[Material] = ()) -> None:
        self.material = tuple(material)
        self._closed = False
        self._listeners: dict[object, Listener] = {}
        self._undelivered: deque[tuple[object, Event]] = deque()
        self._delivering = False
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    @abstractmethod
    def seq(self) -> int:
        """The `seq` of the newest event; 0 if the log is empty."""

    @property
    def durable_seq(self) -> int:
        """The `seq` of the newest event that no crash of this process can take away."""
        return self.seq

    @property
    def recording_stopped(self) -> bool:
        """Whether the record ends at `durable_seq` for good although the debate continues."""
        return False

    @property
    def epoch(self) -> str:
        """An identifier of the history that `seq` counts in: lowercase letters and digits.

        It changes when events that viewers may have seen were lost; empty if that cannot happen.
        """
        return ""

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether no more events will follow."""

    @abstractmethod
    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """Return up to `limit` events with `seq` greater than `after`, oldest first."""

    async def read_material(self) -> Sequence[Material]:
        """Return `material`, fetched first if another host has it."""
        return self.material

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every new event, in order, and return a function that unsubscribes it.

        Listeners are called before `append` returns, so they must be quick. A listener may call `append`
        itself: all listeners still receive events in `seq` order, but that inner `append` returns before
        the other listeners have received the event.
        """
        token = object()
        self._listeners[token] = listener

        def stop() -> None:
            self._listeners.pop(token, None)

        return stop

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """Yield the events after `after` in batches, then new ones as they arrive, until the debate is over.

        The iterator ends once it has yielded a `debate.finished` with nothing after it, or when the log is
        closed. There can be any number of followers, each at its own pace. The log of a store may raise
        `EpochChangedError`, and `DebateError` if the debate was deleted.
        """
        while True:
            batch = await self.read(after, BATCH_SIZE) if after < self.seq else ()
            if batch:
                after = batch[-1].seq
                yield batch
            # Nothing is awaited between this check and `_wait_for_change`, so no wake-up is lost.
            elif after >= self.seq:
                if self.over or self._closed:
                    return
                await self._wait_for_change()

    async def flush(self) -> None:
        """Wait until all events appended so far are durable or have failed to be written.

        Raise `TakenOverError` if the events will never be written because another process has taken over
        the debate.
        """
        return  # a log that writes nowhere has nothing to wait for

    async def aclose(self) -> None:
        """Make all appended events durable, end all followers and release the store."""
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
            if self._undelivered:  # a listener raised; the others must still receive their events
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


class DebateLog(ReadableLog):
    """A log that is written in this process; it has exactly one writer.

    A subclass implements `_store_event`, which must not wait, and `read`, which must return a stored event
    from then on. `last` is the last event of an existing log that is to be continued.
    """

    def __init__(
        self,
        last: Event | None = None,
        *,
        material: Sequence[Material] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(material)
        self._clock = clock
        self._seq = last.seq if last else 0
        self._last_at = last.at if last else 0.0
        self._over = isinstance(last, DebateFinished)

    @property
    def seq(self) -> int:
        return self._seq

    @property
    def over(self) -> bool:
        """See `ReadableLog.over`; an event after `debate.finished` reopens the debate."""
        return self._over

    @property
    def write_error(self) -> DebateError | None:
        """The reason why events are not being written, or `None`."""
        return None

    def append(self, event: Event) -> Event:
        """Assign the event its `seq` and `at`, call the listeners, and return the event as logged.

        This never waits: in the log of a store the event is durable within 100 ms of this call. Any `seq`
        and `at` the event already had are replaced. `seq` has no gaps, and `at` never decreases.
        """
        self._seq += 1
        self._last_at = max(self._last_at, self._clock())
        logged = msgspec.structs.replace(event, seq=self._seq, at=self._last_at)
        self._over = isinstance(logged, DebateFinished)
        self._store_event(logged)
        self._publish(logged)
        return logged

    @abstractmethod
    def _store_event(self, event: Event) -> None:
        """Store an event with its final `seq` and `at`, without waiting."""


class MemoryLog(DebateLog):
    """A log in memory, for `--no-record` and for events read from elsewhere.

    `events` are used unchanged: logged events without gaps, for example from a record or an export.
    """

    def __init__(
        self,
        events: Iterable[Event] = (),
        *,
        material: Sequence[Material] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._events = list(events)
        super().__init__(self._events[-1] if self._events else None, material=material, clock=clock)

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        return self._events[after : after + limit]

    def _store_event(self, event: Event) -> None:
        self._events.append(event)


class DebateStore(Protocol):
    """Storage for any number of debates.

    Every method raises `DebateError` if the storage cannot be used.
    """

    async def create(
        self,
        debate: str,
        *,
        setup: str = "",
        material: Sequence[Material] = (),
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> DebateLog:
        """Create a debate with the id `debate` and return its log.

        `setup` and `material` are stored with the first event and are used to resume the debate.
        `on_write_error` is called on the event loop's thread when events cannot be written; the debate may
        continue regardless.
        """
        ...

    async def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> DebateLog:
        """Return the log of a debate that no process holds, to append after its last event."""
        ...

    async def watch(self, debate: str) -> ReadableLog:
        """Return the durable events of the debate with exactly this id, whichever process writes them.

        Close it after use.
        """
        ...

    async def debates(self, words: str = "") -> list[DebateSummary]:
        """Return the debates, newest first; with `words`, only those that contain all of them."""
        ...

    async def find(self, debate: str = "") -> DebateSummary:
        """Return the debate whose id is or starts with `debate`, or the newest if it is empty.

        Raise `UsageError` if no debate matches, or several do.
        """
        ...

    async def events(self, debate: str, *, deltas: bool = True) -> list[Event]:
        """Return all durable events of the debate with exactly this id.

        Without `deltas`, the events with text are left out: the others are few and quick to read.
        """
        ...

    async def setup(self, debate: str) -> str:
        """Return the setup that the debate was created with."""
        ...

    async def material(self, debate: str) -> tuple[Material, ...]:
        """Return the material of the debate with exactly this id, hidden material included, by number."""
        ...

    async def secret(self) -> bytes:
        """Return random bytes that all users of this store share and must keep secret."""
        ...

    async def delete(self, *debates: str) -> int:
        """Delete debates with all their data and return how many existed."""
        ...

    async def aclose(self) -> None:
        """Write pending events and release the store; its logs must not be used afterwards."""
        ...


# Helpers shared by all stores.


MAX_BACKLOG_BYTES: Final = 64 * 2**20
"""Approximate bytes of events that may await writing before a debate's recording stops."""


def encode_for_storage(event: Event) -> tuple[Event, bytes]:
    """Return the event as it will be stored, and its JSON bytes.

    Lone surrogates, which UTF-8 cannot encode, become question marks.
    """
    try:
        return event, event_to_json(event)
    except UnicodeEncodeError:
        import json

        data = json.dumps(msgspec.to_builtins(event), ensure_ascii=False).encode("utf-8", "replace")
        return event_from_json(data), data


@contextmanager
def translate_decode_errors(stored: str) -> Iterator[None]:
    """Raise `DebateError` if `stored`, the subject of a sentence, has what this version cannot read."""
    try:
        yield
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DebateError(
            f"{stored} has something this version cannot read: {error}.", "Upgrade debate-tui."
        ) from error


def memory_size(event: Event) -> int:
    """Estimate how much memory an event takes, in bytes."""
    return 512 + (len(event.text) if isinstance(event, TurnDelta) else 0)
