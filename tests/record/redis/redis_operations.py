"""What happens to debates in Redis: stores, producers, and what befalls them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from debate_tui.domain.events import event_from_json
from debate_tui.record.redis.connection import debate_keys
from debate_tui.record.redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator

    from debate_tui.domain.events import Event
    from debate_tui.record.redis.log import RedisLog
    from tests.fakes.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[3]
APPENDING = ("--appendonly", "yes", "--appendfsync", "everysec")
EVENTS, HEAD, LEASE = debate_keys("d1")
LOOPS = ("asyncio", "uvloop")


@asynccontextmanager
async def open_stores(*addresses: str, lease_s: float = 10.0) -> AsyncIterator[list[RedisStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(aclosing(RedisStore(urlsplit(address), lease_s=lease_s)))
            for address in addresses
        ]


def run_on(loop: str, debate: Coroutine[None, None, None]) -> None:
    """Servers run on uvloop, which has words of its own for a connection that was cut."""
    with asyncio.Runner(loop_factory=pytest.importorskip(loop).new_event_loop) as runner:
        runner.run(debate)


def take(words: Iterator[Event], count: int) -> list[Event]:
    return [next(words) for _ in range(count)]


def kill_producer(log: RedisLog) -> None:
    """Its process was killed: nothing more is written, nothing is let go."""
    log._writer_task.cancel()


def expire_lease(server: RedisServer) -> None:
    """Nothing was heard of the producer for longer than its lease."""
    server.admin.delete(LEASE)


def stored_events(server: RedisServer) -> list[Event]:
    return [event_from_json(data) for _, fields in server.admin.xrange(EVENTS) for data in fields.values()]
