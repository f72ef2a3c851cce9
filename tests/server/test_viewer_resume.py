"""Replay equals live: whoever is cut off anywhere, and comes back, gets exactly what is missing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from debate_tui.record.log import MemoryLog
from debate_tui.record.stores import open_store
from debate_tui.server.encoding import is_relevant
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log, transcript_of
from tests.server.running_server import (
    hosted_example,
    read_sse,
    read_websocket,
    received_at_least,
    running_server,
)

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.domain.events import Event
    from tests.server.running_server import Reader

PATHS = {
    None: "/debates/d1/events",
    "a": "/debates/d1/debaters/Ada/events",
    "b": "/debates/d1/debaters/b/events",
}


def events_of(debater: str | None, log: list[Event]) -> list[Event]:
    return [event for event in log if is_relevant(event, debater)]


@pytest.mark.parametrize("query", ["after=0", "after=0&batch_ms=0", "after=0&batch=3"])
@pytest.mark.parametrize("debater", [None, "a"])
@pytest.mark.parametrize("read", [read_sse, read_websocket])
async def test_every_cut_of_a_recorded_debate(query: str, debater: str | None, read: Reader) -> None:
    log = example_debate()
    path = f"{PATHS[debater]}?{query}"
    async with running_server() as here:
        here.hub.host("d1", MemoryLog(log))
        full = ReceivedMessages()
        await read(here.client, path, full)
        check_same_log(full.events(), events_of(debater, log))
        for cut in range(1, len(full.messages) + 1):
            received = ReceivedMessages()
            await read(here.client, path, received, until=received_at_least(cut))
            assert len(received.messages) == cut
            resumed = path.replace("after=0", "encoding=json")
            await read(here.client, resumed, received)
            check_same_log(received.events(), events_of(debater, log))


@pytest.mark.parametrize("debater", [None, "a", "b"])
@pytest.mark.parametrize("read", [read_sse, read_websocket])
async def test_cuts_while_the_debate_goes_on(debater: str | None, read: Reader) -> None:
    """Several viewers are cut off behind every message, again and again, as the events come."""
    log = example_debate()
    grown = MemoryLog(clock=iter([event.at for event in log]).__next__)
    async with running_server() as here:
        here.hub.host("d1", grown)

        async def watch(every: int) -> ReceivedMessages:
            received = ReceivedMessages()
            query = "?after=0&batch_ms=1"
            while not received.of_type("debate.finished"):
                target = len(received.messages) + every
                await read(here.client, PATHS[debater] + query, received, until=received_at_least(target))
                query = "?batch_ms=1" if received.last_id else query
            return received

        async with asyncio.TaskGroup() as group:
            viewers = [group.create_task(watch(every)) for every in (1, 2, 5, 1000)]
            for event in log:
                grown.append(event)
                await asyncio.sleep(0)
        for viewer in viewers:
            check_same_log(viewer.result().events(), events_of(debater, log))


@pytest.mark.parametrize("read", [read_sse, read_websocket])
async def test_cuts_across_restarts(tmp_path: Path, read: Reader) -> None:
    """The server is another one each time, with other windows; the record is the same."""
    log = example_debate()
    store = open_store(tmp_path / "debates.sqlite3")
    times = iter([event.at for event in log])
    record = await store.create("d1", clock=lambda: next(times))
    received = ReceivedMessages()
    query = "?after=0&batch_ms=1"
    for start in range(0, len(log), 7):
        for event in log[start : start + 7]:
            record.append(event)
        await record.flush()
        other = open_store(tmp_path / "debates.sqlite3")
        async with running_server(other) as here:
            target = len(received.messages) + 2
            await read(here.client, PATHS[None] + query, received, until=received_at_least(target))
        await other.aclose()
        query = "?batch_ms=5"
    async with running_server(store) as here:
        await read(here.client, PATHS[None], received)
    await record.aclose()
    await store.aclose()
    check_same_log(received.events(), log)


@pytest.mark.parametrize("debater", [None, "a"])
async def test_latecomers_get_a_snapshot_and_then_the_rest(debater: str | None) -> None:
    log = example_debate()
    for late in range(2, len(log), 5):
        grown = MemoryLog(log[:late])
        async with running_server() as here:
            here.hub.host("d1", grown, known_seq=late)
            received = ReceivedMessages()
            reading = asyncio.create_task(read_sse(here.client, PATHS[debater], received, headers={}))
            while not received.messages:
                await asyncio.sleep(0)
            for event in log[late:]:
                grown.append(event)
            await reading
        (snapshot,) = received.of_type("snapshot")
        assert received.messages[0].data == snapshot
        rest = received.events()
        check_exact_after(snapshot, rest, events_of(debater, grown._events), debater)


def check_exact_after(
    snapshot: dict[str, object], rest: list[Event], log: list[Event], debater: str | None
) -> None:
    """Snapshot and rest make the debate: text, endings and all."""
    seq = snapshot["seq"]
    assert isinstance(seq, int)
    kept = [event for event in log if event.seq <= seq]
    assert transcript_of([*kept, *rest]) == transcript_of(log)
    turns = transcript_of(kept)["turns"]
    told = snapshot["turns"]
    assert isinstance(turns, list)
    assert isinstance(told, list)
    assert [(t["turn"], t["debater"], t["text"], t.get("reasoning", "")) for t in told] == [
        turn[:4] for turn in turns if debater in (None, turn[1])
    ]


async def test_a_debater_is_heard_from_the_beginning_of_its_turn() -> None:
    """Our own source takes the first turn it hears for the one that was asked for."""
    log = example_debate()
    at = next(event.seq for event in log if event.seq > 8)
    async with running_server() as here:
        here.hub.host("d1", MemoryLog(log[:at]), known_seq=at)
        received = ReceivedMessages()
        await read_sse(here.client, PATHS["a"], received, until=lambda r: bool(r.events()))
        assert received.messages[0].type == "snapshot"
        assert received.messages[0].data["turns"] == []
        assert received.events()[0].seq == 3


async def test_a_debate_that_was_told_to_its_end_is_204() -> None:
    async with hosted_example() as (here, log):
        received = ReceivedMessages()
        assert await read_sse(here.client, PATHS[None], received) == 200
        assert await read_sse(here.client, PATHS[None], received) == 204
        assert len(received.messages) == 1
        by_query = f"{PATHS[None]}?lastEventId={received.last_id}"
        assert (await here.client.get(by_query)).status_code == 204
        before_the_end = received.last_id.replace(f":{len(log)}", f":{len(log) - 1}")
        short = ReceivedMessages(last_id=before_the_end)
        assert await read_sse(here.client, PATHS[None], short) == 200
        assert [message.type for message in short.messages] == ["debate.finished"]


@pytest.mark.parametrize("place", ["0000000000:3", "nonsense", "{epoch}:999999", "{epoch}.3-9:99"])
async def test_an_unknown_place_is_reset(place: str) -> None:
    log = example_debate()
    async with running_server() as here:
        channel = here.hub.host("d1", MemoryLog(log))
        await channel.wait_until_loaded()
        received = ReceivedMessages(last_id=place.format(epoch=channel.epoch))
        await read_sse(here.client, PATHS[None], received)
        assert [message.type for message in received.messages] == ["reset", "snapshot"]
        assert received.of_type("reset") == [{"type": "reset", "reason": "epoch"}]


async def test_a_client_that_is_ahead_of_this_server_is_waited_for() -> None:
    """With a shared store another server may have been told first."""
    log = example_debate()
    grown = MemoryLog(log[:10])
    async with running_server() as here:
        channel = here.hub.host("d1", grown, known_seq=10)
        await channel.wait_until_loaded()
        received = ReceivedMessages(last_id=f"{channel.epoch}:12")
        reading = asyncio.create_task(read_sse(here.client, PATHS[None] + "?batch_ms=0", received))
        while not channel.has_viewers:
            await asyncio.sleep(0)
        for event in log[10:]:
            grown.append(event)
        await reading
        assert [event.seq for event in received.events()] == list(range(13, len(log) + 1))
