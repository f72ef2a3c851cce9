"""Debates that a server holds: begun, and ended whatever they are at."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui import config
from debate_tui.cli.serve import RunningDebates, check_allowed
from debate_tui.domain.errors import ConfigError
from debate_tui.record.stores import open_store
from debate_tui.server.commands import (
    ConflictError,
    DebateRequest,
    DebaterRequest,
    ForbiddenError,
    decode_debate_request,
)
from debate_tui.server.hub import Hub
from debate_tui.sources import credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from debate_tui.cli.plan import Plan
    from debate_tui.record.log import DebateLog, DebateStore

DEMO = DebateRequest("Should cats vote?", (DebaterRequest("demo"), DebaterRequest("demo")))


@asynccontextmanager
async def open_debates(
    tmp_path: Path, settings: config.Settings | None = None
) -> AsyncIterator[tuple[RunningDebates, DebateStore]]:
    """Somebody who holds debates."""
    store = open_store(tmp_path / "debates.sqlite3")
    async with Hub(store) as hub:
        yield RunningDebates(hub, store, settings or config.load_settings({})), store
    await store.aclose()


def slow_opening(store: DebateStore, asked: asyncio.Event, ready: asyncio.Event) -> None:
    """Let a store wait before it begins a record."""
    create = store.create

    async def slow(debate: str, **options: object) -> DebateLog:
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


async def test_a_requested_debate_has_no_material_whatever_the_settings_and_the_request_say(
    tmp_path: Path,
) -> None:
    (tmp_path / "notes.md").write_text("Only for the server's own debate.")
    place = (str(tmp_path / "notes.md"),)
    seats = (config.DebaterSettings(source="demo", context=place), config.DebaterSettings(source="demo"))
    settings = config.Settings(context=place, debater=seats)
    async with open_debates(tmp_path, settings) as (debates, store):
        debate = await debates.start_debate(DebateRequest("Should cats vote?"))
        assert await store.material(debate) == ()
        await debates.end_all()
    with pytest.raises(msgspec.ValidationError, match="unknown field `context`"):
        decode_debate_request(b'{"topic": "Cats?", "context": ["http://127.0.0.1/"]}')


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
        with pytest.raises(ConflictError, match="server is stopping"):
            await ordering
        with pytest.raises(ConflictError, match="server is stopping"):
            await debates.start_debate(DEMO)
        assert await store.debates() == []


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("demo", True),
        ("demo:sceptic", True),
        ("openai:gpt-5.2", True),
        ("openai:gpt-5.2?effort=high", True),
        ("openai:other", False),
        ("groq:any", True),
        ("anthropic:own", True),
        ("local", False),
        ("local:/etc/passwd", False),
        ("https://a.example/x", True),
        ("https://a.example/y/z", True),
        ("https://a.example.evil/y/", False),
        ("https://a.example/z", False),
        ("https://a.example/y/../z", False),
        ("https://a.example/y/%2e%2E/z", False),
        ("https://a.example/y/x%2F..%5c../z", False),
        ("https://a.example/y/a..b?c=/../", True),
        ("http://127.0.0.1/", False),
    ],
)
def test_sources_that_may_be_named_from_elsewhere(source: str, allowed: bool) -> None:
    listed = ("demo", "openai:gpt-5.2", "groq", "https://a.example/x", "https://a.example/y/", "local:/etc/")
    with contextlib.nullcontext() if allowed else pytest.raises(ForbiddenError):
        check_allowed(source, listed, ["anthropic:own"])


async def test_a_model_file_is_never_named_from_elsewhere() -> None:
    with pytest.raises(ForbiddenError):
        check_allowed("local:/tmp/m.gguf", ["local", "local:/tmp/m.gguf"], ["local:/tmp/m.gguf"])


async def test_debates_from_elsewhere_use_the_demo_and_have_a_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")
    plans: list[Plan] = []
    async with open_debates(tmp_path) as (debates, _):

        async def start(plan: Plan, *, public_only: bool = False) -> str:
            plans.append(plan)
            return "d1"

        monkeypatch.setattr(debates, "start", start)
        await debates.start_debate(DebateRequest("Tea?"), from_elsewhere=True)
        order = DebateRequest("Tea?", (DebaterRequest("openai:x"), DebaterRequest("demo")))
        with pytest.raises(ForbiddenError):
            await debates.start_debate(order, from_elsewhere=True)
    (plan,) = plans
    assert {each.source_spec.scheme for each in plan.debaters} == {"demo"}
    assert plan.settings.max_cost == 1
    assert plan.settings.max_tokens == 200_000


async def test_endpoints_of_this_machine_are_not_connected_to_from_elsewhere(tmp_path: Path) -> None:
    reached = []
    server = await asyncio.start_server(lambda *_: reached.append(1), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    urls = [f"http://127.0.0.1:{port}/", f"ws://localhost:{port}/"]
    store = open_store(tmp_path / "debates.sqlite3")
    async with server, Hub(store) as hub:
        debates = RunningDebates(hub, store, config.load_settings({}), urls)
        order = DebateRequest("Tea?", tuple(map(DebaterRequest, urls)))
        await debates.start_debate(order, from_elsewhere=True)
        while not ((found := await store.debates()) and found[0].finished):
            await asyncio.sleep(0.01)
        assert found[0].finished == "failed"
        await debates.end_all()
    await store.aclose()
    assert reached == []


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
        with pytest.raises(ConfigError, match="No API key"):
            await ordering


async def test_a_requested_debate_can_be_blind(tmp_path: Path) -> None:
    async with open_debates(tmp_path) as (debates, store):
        debate = await debates.start_debate(msgspec.structs.replace(DEMO, blind=True))
        await debates.end_all()
        (summary,) = [each for each in await store.debates() if each.debate == debate]
    assert [(each.name, each.source) for each in summary.debaters] == [("A", ""), ("B", "")]
