"""Debates that a server holds: begun, and ended whatever they are at."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from debate_tui import config
from debate_tui.cli.serve import RunningDebates
from debate_tui.domain.errors import ConfigError
from debate_tui.record.stores import open_store
from debate_tui.server.commands import ConflictError, DebateRequest, DebaterRequest
from debate_tui.server.hub import Hub
from debate_tui.sources import credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from debate_tui.record.log import DebateStore, DurableLog

DEMO = DebateRequest("Should cats vote?", (DebaterRequest("demo"), DebaterRequest("demo")))


@asynccontextmanager
async def open_debates(tmp_path: Path) -> AsyncIterator[tuple[RunningDebates, DebateStore]]:
    """Somebody who holds debates."""
    store = open_store(tmp_path / "debates.sqlite3")
    async with Hub(store) as hub:
        yield RunningDebates(hub, store, config.load_settings({})), store
    await store.aclose()


def slow_opening(store: DebateStore, asked: asyncio.Event, ready: asyncio.Event) -> None:
    """Let a store wait before it begins a record."""
    create = store.create

    async def slow(debate: str, **options: object) -> DurableLog:
        asked.set()
        await ready.wait()
        return await create(debate, **options)  # type: ignore[arg-type]

    store.create = slow  # type: ignore[method-assign]


@asynccontextmanager
async def ordered_debate(
    tmp_path: Path,
) -> AsyncIterator[tuple[RunningDebates, DebateStore, asyncio.Task[str], asyncio.Event]]:
    """A debate was ordered, and is made ready until the event is set."""
    async with open_debates(tmp_path) as (debates, store):
        asked, ready = asyncio.Event(), asyncio.Event()
        slow_opening(store, asked, ready)
        ordering = asyncio.create_task(debates.start_debate(DEMO))
        await asked.wait()
        yield debates, store, ordering, ready


async def test_a_debate_runs_even_if_its_client_has_disconnected(tmp_path: Path) -> None:
    async with ordered_debate(tmp_path) as (debates, store, ordering, ready):
        ordering.cancel()
        await asyncio.wait([ordering])
        ready.set()
        while not (found := await store.debates()):
            await asyncio.sleep(0)
        assert found[0].finished is None
        await debates.end_all()
        assert [each.finished for each in await store.debates()] == ["stopped"]


async def test_shutdown_does_not_wait_for_a_debate_still_starting(tmp_path: Path) -> None:
    async with ordered_debate(tmp_path) as (debates, store, ordering, ready):
        ending = asyncio.create_task(debates.end_all())
        await asyncio.sleep(0)
        ready.set()
        await asyncio.wait_for(ending, 5)
        with pytest.raises(ConflictError, match="about to stop"):
            await ordering
        with pytest.raises(ConflictError, match="about to stop"):
            await debates.start_debate(DEMO)
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

    monkeypatch.setattr(credentials, "key_in_keyring", key)
    async with open_debates(tmp_path) as (debates, _):
        order = DebateRequest("Should cats vote?", (DebaterRequest("openai:x"), DebaterRequest("openai:x")))
        ordering = asyncio.create_task(debates.start_debate(order))
        while not asked.is_set():
            await asyncio.sleep(0)
        assert not ordering.done()
        unlocked.set()
        with pytest.raises(ConfigError, match="No key"):
            await ordering
