"""One Redis server for the tests of this process that leave it standing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def standing_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def quick_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits for another try, or for nothing."""
    from debate_tui.record.redis import log, store

    monkeypatch.setattr(log, "RETRY_S", 0.01)
    monkeypatch.setattr(store, "RETRY_S", 0.01)
    monkeypatch.setattr(store, "BLOCK_MS", 20)
