"""Our own sources hear hosted debaters: whole turns, over event streams and WebSockets, through cuts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import Chunk, Finished, RecoveryPolicy
from debate_tui.domain.transcript import Transcript
from debate_tui.record.log import MemoryLog
from debate_tui.record.stores import open_store
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.server.asgi_servers import bind_socket
from debate_tui.sources import registry
from debate_tui.sources.registry import SourceFactory
from tests.server.generated_debates import DebateWriter
from tests.server.running_server import running_server
from tests.sources.source_reader import REQUEST, SourceOutput, read_source

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.domain.events import Event


def two_speakers(words: int = 40) -> list[Event]:
    """Two debaters who talk at once, with thoughts, and end."""
    writer = DebateWriter()
    for number in range(words):
        writer.say("ab"[number % 2], f"wörd {number} 👋\n", reasoning=number % 5 == 0)
    return writer.finish()


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("join", [2, 4, 20, 44, 100])
async def test_a_turn_is_heard_from_its_beginning(scheme: str, join: int) -> None:
    """Whenever it is joined, as long as no other turn has begun."""
    log = two_speakers()
    known = min(join, len(log))
    grown = MemoryLog(log[:known])
    async with running_server() as here, SourceFactory() as sources:
        here.hub.host("d1", grown, known_seq=known)
        url = here.url.replace("http", scheme) + "/debates/d1/debaters/Ada/events"
        source = sources.make(registry.parse_source(url))
        hearing = asyncio.create_task(read_source(source))
        while not len(here.hub.viewers) and not hearing.done():
            await asyncio.sleep(0)
        for event in log[known:]:
            grown.append(event)
        heard = await hearing
    turn = Transcript(log).turns[1]
    assert heard.fault is None
    assert heard.finished is not None
    assert heard.text == turn.text
    assert heard.reasoning == turn.reasoning


@pytest.mark.parametrize("path", ["/debates/d1/events?after=0", "/debates/d1/debaters/a/events"])
@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_no_character_is_lost_or_doubled_by_restarts(tmp_path: Path, scheme: str, path: str) -> None:
    log = two_speakers()
    at = bind_socket("127.0.0.1", 0)
    port = at.getsockname()[1]
    at.close()
    store = open_store(tmp_path / "debates.sqlite3")
    record = await store.create("d1")
    for event in log[:5]:
        record.append(event)
    await record.flush()
    policy = RecoveryPolicy(initial=0.05, cap=0.1, max_retries=50)
    async with SourceFactory() as sources:
        names = ("a", "Ada"), ("b", "Bob")
        panes = [
            RecoveringSource(
                sources.make(registry.parse_source(f"{scheme}://127.0.0.1:{port}{path}"), names=each), policy
            )
            for each in (names if "debaters" not in path else names[:1])
        ]
        hearing = asyncio.gather(*(read_whole_turns(pane) for pane in panes))
        for start in range(5, len(log), 9):
            async with running_server(store, port=port) as here:
                for event in log[start : start + 9]:
                    record.append(event)
                await record.flush()
                while not len(here.hub.viewers) and not hearing.done():
                    await asyncio.sleep(0.005)
                channel = await here.hub.find("d1")
                assert channel is not None
                while channel.seq < record.seq:
                    await asyncio.sleep(0.005)
        heard = await hearing
    turns = Transcript(log).turns
    for number, each in enumerate(heard, 1):
        assert each.text == turns[number].text
        assert each.reasoning == turns[number].reasoning
    await record.aclose()
    await store.aclose()


async def read_whole_turns(source: RecoveringSource) -> SourceOutput:
    heard = SourceOutput()
    async with source.open(REQUEST) as items:
        async for item in items:
            if isinstance(item, Chunk | Finished):
                heard.items.append(item)
    return heard
