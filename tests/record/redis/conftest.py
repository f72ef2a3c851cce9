"""A Redis server for each test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def quick(quick_redis: None) -> None:
    """See `quick_redis`."""


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that may be killed; it forgets everything then."""
    with RedisServer() as server:
        yield server
