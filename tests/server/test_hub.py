"""The hub: which debates are open, however many are asked for at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.events import DebateFinished, Vote
from debate_tui.record.log import MemoryLog
from debate_tui.record.stores import open_store
from debate_tui.server import hub
from debate_tui.server.hub import MAX_IDLE_DEBATES, Hub
from tests.sample_debates import opening_events
from tests.server.generated_debates import example_debate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from debate_tui.record.log import DebateStore, ReadableLog

LOG = example_debate()


@asynccontextmanager
async def store_with(tmp_path: Path, *debates: str) -> AsyncIterator[DebateStore]:
    """A store that has these debates, all finished."""
    store = open_store(tmp_path / "debates.sqlite3")
    for debate in debates:
        log = await store.create(debate)
        for event in LOG:
            log.append(event)
        await log.aclose()
    yield store
    await store.aclose()


async def test_however_many_are_asked_for_at_once_all_are_found(tmp_path: Path) -> None:
    debates = [f"d{number:02}" for number in range(MAX_IDLE_DEBATES + 18)]
    async with store_with(tmp_path, *debates) as store, Hub(store) as here:
        for _ in range(2):
            found = await asyncio.gather(*map(here.find, debates * 2))
            assert [channel and channel.debate for channel in found] == debates * 2
            assert all(channel and channel.seq == len(LOG) for channel in found)
            await here.find(debates[0])
            assert MAX_IDLE_DEBATES <= len(here.hosted_debates) <= MAX_IDLE_DEBATES + 1


async def test_a_look_at_what_has_changed_closes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "RECHECK_INTERVAL_S", 0.0)
    monkeypatch.setattr(hub, "MAX_IDLE_DEBATES", 1)
    debates = ["d1", "d2", "d3"]
    async with store_with(tmp_path, *debates) as store, Hub(store) as here:
        for _ in range(10):
            found = await asyncio.gather(*map(here.find, debates * 3))
            assert [channel and channel.debate for channel in found] == debates * 3


async def test_a_debate_that_comes_to_be_held_here_while_it_is_looked_up_stays_so(tmp_path: Path) -> None:
    async with store_with(tmp_path, "d1") as store:
        watch, log = store.watch, MemoryLog()
        for event in opening_events():
            log.append(event)

        async def slow(debate: str) -> ReadableLog:
            watched = await watch(debate)
            here.host("d1", log, known_seq=4)
            return watched

        store.watch = slow  # type: ignore[method-assign]
        async with Hub(store) as here:
            found = await here.find("d1")
            assert found is not None
            assert found is await here.find("d1")
            assert found.seq == log.seq
            assert here.hosted_debates == [found]


async def test_an_unknown_debate_is_not_found(tmp_path: Path) -> None:
    async with store_with(tmp_path) as store, Hub(store) as here:
        assert await asyncio.gather(*(here.find("nope") for _ in range(3))) == [None] * 3
        assert here.hosted_debates == []


async def test_a_debate_of_its_own_shows_no_other(tmp_path: Path) -> None:
    async with store_with(tmp_path, "old", "other") as store, Hub(store, only_hosted=True) as here:
        here.host("new", MemoryLog(LOG))
        assert await here.find("new") is not None
        assert await here.find("old") is None
        assert [summary.debate for summary, _ in await here.debates()] == ["new"]


async def test_what_a_debate_here_logs_after_its_end_is_published_when_it_is_next_looked_up() -> None:
    log = MemoryLog()
    for event in (*opening_events(), DebateFinished(reason="complete")):
        log.append(event)
    async with Hub() as here:
        here.host("d1", log)
        await here.wait_until_published("d1", 5)
        log.append(Vote(when="after", voter="user", debater="d1"))
        log.append(DebateFinished(reason="complete"))

        found = await here.find("d1")
        await here.wait_until_published("d1", 5)

        assert found is not None
        assert found.seq == log.seq
        assert [vote.debater for vote in found.transcript.votes] == ["d1"]
