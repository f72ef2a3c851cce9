"""Stores by their address: a file, or a Redis server."""

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


# A debate in the file as those see it who only watch, whichever program records it.


POLL_INTERVAL_S: Final = 0.1
"""How often the file is looked at for news."""


class PolledSqliteLog(BaseLog):
    """A `WatchedLog` of a debate in a `SqliteStore`: what is in the file is durable, and never changes."""

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
        """See `BaseLog.over`; events behind the end take the debate up again."""
        return isinstance(self._last, DebateFinished)

    async def start(self, newest_seq: int) -> None:
        """Begin with the events up to `newest_seq`, of which there is one at least."""
        self._last = (await self._read_existing(newest_seq - 1, 1))[0]
        self._poll_task = asyncio.create_task(self._poll(), name=f"watch {self._debate}")

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`; raises `DebateError` where the debate was deleted."""
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
        """Events that are known to be there."""
        if events := await asyncio.to_thread(self._store.read, self._debate, after, limit):
            return events
        raise UsageError(f"no recorded debate is called {self._debate!r}", "it was deleted")

    async def _poll(self) -> None:
        """Look for news again and again; the newest event known is read too, to see whether it is there."""
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
    """The store at a ``redis://``, ``rediss://``, ``valkey(s)://`` or ``unix://`` address, or in a file.

    Nothing is connected or made yet. ``?ttl=SECONDS`` says how long Redis keeps a debate after its last
    event (7 days unless told otherwise, 0 for good). `password` is used where the address has none. Raises
    `UsageError` for an address that is none, and where the package for Redis is missing; neither it nor any
    later error shows a password.
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
    """A `DebateStore` in a file: the `SqliteStore`, with whatever may take long done in threads."""

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
