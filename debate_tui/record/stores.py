"""Stores by their address: a file, or a Redis server."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from debate_tui.domain.errors import UsageError
from debate_tui.record.recorded import PolledSqliteLog
from debate_tui.record.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.errors import DebateError
    from debate_tui.record.log import DebateStore
    from debate_tui.record.sqlite import SqliteLog
    from debate_tui.record.summary import DebateSummary

_REDIS_SCHEMES: Final = ("redis://", "rediss://", "valkey://", "valkeys://", "unix://")


def open_store(address: str | Path) -> DebateStore:
    """The store at a ``redis://``, ``rediss://``, ``valkey(s)://`` or ``unix://`` address, or in a file.

    Nothing is connected or made yet. ``?ttl=SECONDS`` says how long Redis keeps a debate after its last
    event (7 days unless told otherwise, 0 for good). Raises `UsageError` for an address that is none, and
    where the package for Redis is missing; neither it nor any later error shows a password.
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

    async def delete(self, *debates: str) -> int:
        """See `DebateStore.delete`."""
        return await asyncio.to_thread(self._store.delete, *debates)

    async def aclose(self) -> None:
        """See `DebateStore.aclose`."""
        await asyncio.to_thread(self._store.close)
