"""Stores by their address: a file or a Redis server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.domain.events import DebateFinished
from debate_tui.record.log import BATCH_SIZE, BaseLog
from debate_tui.record.sqlite_log import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateStore
    from debate_tui.record.sqlite_log import SqliteLog
    from debate_tui.record.summary import DebateSummary


# Watching a debate in the file, whichever program records it.


POLL_INTERVAL_S: Final = 0.1
"""Seconds between checks of the file for new events."""


class PolledSqliteLog(BaseLog):
    """A `WatchedLog` of a debate in a `SqliteStore`; events in the file are durable and never change."""

    def __init__(self, store: SqliteStore, debate: str) -> None:
        super().__init__()
        self._store = store
        self._debate = debate
        self._last: Event | None = None
        self._failure: DebateError | None = None
        self._poll_task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        """See `WatchedLog.epoch`."""
        return ""

    @property
    def seq(self) -> int:
        """See `BaseLog.seq`."""
        return self._last.seq if self._last else 0

    @property
    def over(self) -> bool:
        """See `BaseLog.over`; events after `debate.finished` reopen the debate."""
        return isinstance(self._last, DebateFinished)

    async def start(self, newest_seq: int) -> None:
        """Start with the events up to `newest_seq`, which must be at least 1."""
        self._last = (await self._read_existing(newest_seq - 1, 1))[0]
        self._poll_task = asyncio.create_task(self._poll(), name=f"watch {self._debate}")

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`. Raise `DebateError` if the debate was deleted."""
        return await self._read_existing(after, min(limit, self.seq - after)) if after < self.seq else ()

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        """See `WatchedLog.follow`."""
        async for batch in super().follow(after):
            yield batch
        if self._failure:
            raise self._failure

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`."""
        await super().aclose()
        if self._poll_task:
            self._poll_task.cancel()
            await asyncio.wait({self._poll_task})

    async def _read_existing(self, after: int, limit: int) -> list[Event]:
        """Read events that are known to exist; raise `UsageError` if the debate was deleted."""
        if events := await asyncio.to_thread(self._store.read, self._debate, after, limit):
            return events
        raise UsageError(f"no recorded debate is called {self._debate!r}", "it was deleted")

    async def _poll(self) -> None:
        """Poll for new events; reading the newest known one again shows whether the debate still exists."""
        while not self._closed:
            try:
                _, *new_events = found = await self._read_existing(self.seq - 1, BATCH_SIZE)
            except DebateError as error:
                self._failure = error
                self._closed = True
                self._wake()
                return
            for event in new_events:
                self._last = event
                self._publish(event)
            if len(found) < BATCH_SIZE:
                await asyncio.sleep(POLL_INTERVAL_S)


_REDIS_SCHEMES: Final = ("redis://", "rediss://", "valkey://", "valkeys://", "unix://")


def open_store(address: str | Path, password: str = "") -> DebateStore:
    """Return the store at a Redis address or in a file.

    Addresses of Redis start with ``redis://``, ``rediss://``, ``valkey(s)://`` or ``unix://``. Nothing is
    connected or created yet. ``?ttl=SECONDS`` sets how long Redis keeps a debate after its last event
    (default 7 days, 0 for good). `password` is used if the address contains none. Raise `UsageError` if the
    address is invalid or the package for Redis is missing; neither this nor any later error contains a
    password.
    """
    if not isinstance(address, str) or not address.startswith(_REDIS_SCHEMES):
        return AsyncSqliteStore(Path(address))
    try:
        from debate_tui.record.redis.store import RedisStore
    except ImportError:
        raise UsageError(
            "keeping debates in Redis needs the package redis", "pip install 'debate-tui[redis]'"
        ) from None
    try:
        url = urlsplit(address)
    except ValueError:
        raise UsageError("the address of the store is not one", "put an IPv6 address in brackets") from None
    if password and url.password is None:
        user, _, host = url.netloc.rpartition("@")
        url = url._replace(netloc=f"{user}:{quote(password, safe='')}@{host}")
    return RedisStore(url)


class AsyncSqliteStore:
    """A `DebateStore` in a file: a `SqliteStore` whose methods run in threads."""

    def __init__(self, path: Path) -> None:
        self._store = SqliteStore(path)

    async def create(
        self,
        debate: str,
        *,
        setup: str = "",
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """See `DebateStore.create`."""
        return await asyncio.to_thread(
            self._store.create, debate, setup=setup, clock=clock, on_write_error=on_write_error
        )

    async def resume(
        self,
        debate: str,
        *,
        clock: Callable[[], float] = time.time,
        on_write_error: Callable[[DebateError], None] = lambda _: None,
    ) -> SqliteLog:
        """See `DebateStore.resume`."""
        return await asyncio.to_thread(self._store.resume, debate, clock=clock, on_write_error=on_write_error)

    async def watch(self, debate: str) -> PolledSqliteLog:
        """See `DebateStore.watch`."""
        summary = await self.find(debate)
        if summary.debate != debate:
            raise UsageError(f"no recorded debate is called {debate!r}", "give its whole id")
        log = PolledSqliteLog(self._store, debate)
        await log.start(summary.events)
        return log

    async def debates(self, words: str = "") -> list[DebateSummary]:
        """See `DebateStore.debates`."""
        return await asyncio.to_thread(self._store.debates, words)

    async def find(self, debate: str = "") -> DebateSummary:
        """See `DebateStore.find`."""
        return await asyncio.to_thread(self._store.find, debate)

    async def setup(self, debate: str) -> str:
        """See `DebateStore.setup`."""
        return await asyncio.to_thread(self._store.setup, debate)

    async def secret(self) -> bytes:
        """See `DebateStore.secret`."""
        return await asyncio.to_thread(self._store.secret)

    async def delete(self, *debates: str) -> int:
        """See `DebateStore.delete`."""
        return await asyncio.to_thread(self._store.delete, *debates)

    async def aclose(self) -> None:
        """See `DebateStore.aclose`."""
        await asyncio.to_thread(self._store.close)
