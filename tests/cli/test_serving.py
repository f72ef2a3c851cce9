"""Debates that a server holds: begun, and ended whatever they are at."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.cli.serving import Debates
from debate_tui.domain.errors import ConfigError
from debate_tui.record.stores import open_store
from debate_tui.server.commands import Conflict, Opponent, Order
from debate_tui.server.hub import Hub
from debate_tui.sources import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from debate_tui.record.log import DebateStore, RecordedLog

DEMO = Order("Should cats vote?", (Opponent("demo"), Opponent("demo")))


@asynccontextmanager
async def holding(tmp_path: Path) -> AsyncIterator[tuple[Debates, DebateStore]]:
    """Somebody who holds debates."""
    store = open_store(tmp_path / "debates.sqlite3")
    async with Hub(store) as hub:
        yield Debates(hub, store, config.load({})), store
    await store.aclose()


def slowed(store: DebateStore, asked: asyncio.Event, ready: asyncio.Event) -> None:
    """Let a store wait before it begins a record."""
    create = store.create

    async def slow(debate: str, **options: object) -> RecordedLog:
        asked.set()
        await ready.wait()
        return await create(debate, **options)  # type: ignore[arg-type]

    store.create = slow  # type: ignore[method-assign]


@asynccontextmanager
async def ordered(
    tmp_path: Path,
) -> AsyncIterator[tuple[Debates, DebateStore, asyncio.Task[str], asyncio.Event]]:
    """A debate was ordered, and is made ready until the event is set."""
    async with holding(tmp_path) as (debates, store):
        asked, ready = asyncio.Event(), asyncio.Event()
        slowed(store, asked, ready)
        ordering = asyncio.create_task(debates.hold(DEMO))
        await asked.wait()
        yield debates, store, ordering, ready


async def test_a_debate_is_held_also_if_whoever_ordered_it_has_gone(tmp_path: Path) -> None:
    async with ordered(tmp_path) as (debates, store, ordering, ready):
        ordering.cancel()
        await asyncio.wait([ordering])
        ready.set()
        while not (found := await store.debates()):
            await asyncio.sleep(0)
        assert found[0].finished is None
        await debates.end()
        assert [each.finished for each in await store.debates()] == ["stopped"]


async def test_a_debate_that_was_just_being_made_ready_is_not_waited_for(tmp_path: Path) -> None:
    async with ordered(tmp_path) as (debates, store, ordering, ready):
        ending = asyncio.create_task(debates.end())
        await asyncio.sleep(0)
        ready.set()
        await asyncio.wait_for(ending, 5)
        with pytest.raises(Conflict, match="about to stop"):
            await ordering
        with pytest.raises(Conflict, match="about to stop"):
            await debates.hold(DEMO)
        assert await store.debates() == []


async def test_a_keyring_that_asks_its_user_keeps_nobody_else_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asked, unlocked = threading.Event(), threading.Event()

    def key(*_: object) -> str:
        asked.set()
        assert unlocked.wait(10)
        return ""

    monkeypatch.setattr(keys, "key_in_keyring", key)
    async with holding(tmp_path) as (debates, _):
        order = Order("Should cats vote?", (Opponent("openai:x"), Opponent("openai:x")))
        ordering = asyncio.create_task(debates.hold(order))
        while not asked.is_set():
            await asyncio.sleep(0)
        assert not ordering.done()
        unlocked.set()
        with pytest.raises(ConfigError, match="No key"):
            await ordering
