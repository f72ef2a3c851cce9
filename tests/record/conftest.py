"""A Redis server for the tests of this process that leave it standing, and files of debates."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from debate_tui.record import sqlite_writer
from debate_tui.record.stores import SqliteStore
from tests.fakes.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def standing_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file of debates that is not there yet."""
    return tmp_path / "data" / "debates.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    async with aclosing(SqliteStore(path)) as store:
        yield store


@pytest.fixture
def quick_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for locks or for another try."""
    monkeypatch.setattr(sqlite_writer, "_BUSY_S", 0.0)
    monkeypatch.setattr(sqlite_writer, "RETRY_S", 0.0)
