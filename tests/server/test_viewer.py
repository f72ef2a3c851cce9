"""Viewers without a network: slow ones, leaving ones, what is kept in memory, and what is encoded once."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateFinished, TurnDelta
from debate_tui.record.log import MemoryLog
from debate_tui.server import encoded_stream, encoding
from debate_tui.server.encoding import StreamOptions
from debate_tui.server.hosted_debate import HostedDebate, follow_durable
from debate_tui.server.viewer import Viewer, ViewerState
from tests.sample_debates import opening_events, turn_deltas
from tests.server.generated_debates import example_debate
from tests.server.received_messages import ReceivedMessages, check_same_log

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.domain.events import Event

NOW = StreamOptions(batch_ms=0)


@pytest.fixture
async def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def hosted(log: MemoryLog) -> AsyncIterator[HostedDebate]:
    for event in opening_events():
        log.append(event)
    hosted = HostedDebate("d1", log, known_seq=4)
    task = asyncio.create_task(hosted.run())
    await hosted.wait_until_loaded()
    yield hosted
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The `seq` of every event that is encoded from now on."""
    line, seqs = encoding.encode_line, list[int]()
    monkeypatch.setattr(encoding, "encode_line", lambda event: seqs.append(event.seq) or line(event))
    return seqs


async def read_until_type(
    outgoing: AsyncGenerator[tuple[bytes | str, ...]], received: ReceivedMessages, type_: str
) -> None:
    """Read until a message of some type has arrived."""
    before = len(received.of_type(type_))
    async for pieces in outgoing:
        for piece in pieces:
            assert isinstance(piece, bytes)
            received.feed(piece)
        if len(received.of_type(type_)) > before:
            return


def say(log: MemoryLog, characters: int, offset: int) -> None:
    log.append(TurnDelta(turn=1, debater="a", attempt=1, offset=offset, text="x" * characters))


async def test_a_viewer_lagging_beyond_the_bound_is_reset(log: MemoryLog, hosted: HostedDebate) -> None:
    viewer = Viewer(hosted, NOW, after=4)
    outgoing, received = viewer.outgoing(), ReceivedMessages()
    size = 1 << 18
    say(log, size, 0)
    await read_until_type(outgoing, received, "turn.delta")
    for number in range(1, 8):
        say(log, size, number * size)
    while hosted.get_stream(NOW).end.cursor.seq < 12:
        await asyncio.sleep(0)
    await read_until_type(outgoing, received, "snapshot")
    assert received.of_type("reset") == [{"type": "reset", "reason": "lag"}]
    assert viewer.reset_count == 1
    assert received.of_type("snapshot")[0]["seq"] == 12
    say(log, 1, 8 * size)
    await read_until_type(outgoing, received, "turn.delta")
    assert received.events()[-1].seq == 13
    await outgoing.aclose()


async def test_a_viewer_lagging_within_the_bound_receives_everything(
    log: MemoryLog, hosted: HostedDebate
) -> None:
    outgoing, received = Viewer(hosted, NOW, after=4).outgoing(), ReceivedMessages()
    say(log, 1, 0)
    await read_until_type(outgoing, received, "turn.delta")
    for number in range(100):
        say(log, 5000, 1 + number * 5000)
    while hosted.seq < 105:
        await asyncio.sleep(0)
    while len(received.events()) < 101:
        await read_until_type(outgoing, received, "turn.delta")
    check_same_log(received.events(), log._events[4:])
    await outgoing.aclose()


async def test_memory_does_not_grow_with_what_a_viewer_does_not_take(
    log: MemoryLog, hosted: HostedDebate
) -> None:
    outgoing, received = Viewer(hosted, NOW, after=4).outgoing(), ReceivedMessages()
    say(log, 1, 0)
    await read_until_type(outgoing, received, "turn.delta")
    shared = hosted.get_stream(NOW)
    for number in range(40):
        say(log, 1 << 16, 1 + (number << 16))
    while hosted.seq < 45:
        await asyncio.sleep(0)
    assert sum(batch.size for batch in shared._batches) <= 2 * encoded_stream.RETAINED_BYTES
    await outgoing.aclose()
    assert not hosted.has_viewers


async def test_every_byte_is_made_once(log: MemoryLog, hosted: HostedDebate, encoded: list[int]) -> None:
    viewers = [(Viewer(hosted, NOW, after=4).outgoing(), ReceivedMessages()) for _ in range(20)]
    waiting = [
        asyncio.create_task(read_until_type(outgoing, received, "turn.delta"))
        for outgoing, received in viewers
    ]
    while hosted.get_stream(NOW).viewer_count < 20:
        await asyncio.sleep(0)
    for delta in turn_deltas(1):
        log.append(delta)
    await asyncio.gather(*waiting)
    assert encoded == [5]
    assert {len(received.events()) for _, received in viewers} == {1}
    for outgoing, _ in viewers:
        await outgoing.aclose()


async def test_a_viewer_that_left_receives_nothing_more(hosted: HostedDebate) -> None:
    viewer = Viewer(hosted, NOW, after=4)
    outgoing = viewer.outgoing()
    await anext(outgoing)
    waiting = asyncio.create_task(anext(outgoing, "over"))
    await asyncio.sleep(0)
    viewer.disconnect()
    assert await waiting == "over"
    assert not hosted.has_viewers


async def test_a_viewer_that_disconnects_at_an_unknown_cursor_leaves(hosted: HostedDebate) -> None:
    viewer = Viewer(hosted, NOW, resume_id=f"{hosted.epoch}:99")
    reading = asyncio.create_task(Pushed(viewer).read())
    await asyncio.sleep(0)
    viewer.disconnect()
    await asyncio.wait_for(reading, 1)
    assert viewer.state is ViewerState.LEAVING
    assert not hosted.has_viewers


async def test_goodbye_says_when_to_come_back(hosted: HostedDebate) -> None:
    viewer = Viewer(hosted, NOW, after=4)
    received = ReceivedMessages()
    telling = asyncio.create_task(read_until_type(viewer.outgoing(), received, "goodbye"))
    await asyncio.sleep(0)
    viewer.shut_down()
    await telling
    assert received.messages[-1].data["retry"] == received.retries[-1]
    assert received.messages[-1].id == f"{hosted.epoch}:4", "nothing is skipped"


async def test_silence_is_broken_by_a_comment(
    log: MemoryLog, hosted: HostedDebate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded_stream, "KEEPALIVE_S", 0.01)
    outgoing = Viewer(hosted, NOW, after=4).outgoing()
    assert (await anext(outgoing))[0].startswith(b"retry: ")  # type: ignore[union-attr, arg-type]
    assert await anext(outgoing) == (b":\n\n",)
    await outgoing.aclose()


class FailingLog(MemoryLog):
    """A log whose older events are gone."""

    async def read(self, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        if after < 6:
            raise DebateError("the first events are no longer there")
        return await super().read(after, limit)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        yield self._events
        await asyncio.Event().wait()


async def test_a_history_that_was_trimmed_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debate_tui.server.event_window.RECENT_EVENTS", 5)
    hosted = HostedDebate("d1", FailingLog(example_debate()))
    task = asyncio.create_task(hosted.run())
    await hosted.wait_until_loaded()
    received = ReceivedMessages()
    outgoing = Viewer(hosted, NOW, resume_id=f"{hosted.epoch}:3").outgoing()
    await read_until_type(outgoing, received, "snapshot")
    assert [message.type for message in received.messages] == ["reset", "snapshot"]
    assert received.of_type("reset")[0]["reason"] == "history"
    await outgoing.aclose()
    task.cancel()


class SlowlyDurableLog(MemoryLog):
    """A record on a disk that is slow, or full."""

    durable_seq = 0
    recording_stopped = False

    def __init__(self) -> None:
        super().__init__()
        self.flushes = asyncio.Semaphore(0)

    async def flush(self) -> None:
        await self.flushes.acquire()


async def test_nothing_is_shown_before_it_is_durable() -> None:
    log = SlowlyDurableLog()
    for event in opening_events():
        log.append(event)
    shown = follow_durable(log)
    first = asyncio.ensure_future(anext(shown))
    await asyncio.sleep(0)
    assert not first.done()
    log.durable_seq = 3
    log.flushes.release()
    await asyncio.sleep(0)
    assert not first.done(), "the fourth is not durable yet"
    log.durable_seq = 4
    log.flushes.release()
    log.flushes.release()
    assert len(await first) == 4


async def test_a_record_that_has_ended_keeps_nobody_from_watching() -> None:
    log = SlowlyDurableLog()
    log.recording_stopped = True
    log.flushes.release()
    for event in opening_events():
        log.append(event)
    assert len(await anext(aiter(follow_durable(log)))) == 4


class Pushed:
    """A client that is pushed to; `pace` says after each push whether it keeps up, to the end by default."""

    def __init__(self, viewer: Viewer, *pace: bool) -> None:
        self.received = ReceivedMessages()
        self.pushes = self.given = 0
        self._viewer = viewer
        self._pace = iter(pace)
        self.room = asyncio.Event()
        self.room.set()

    async def read(self) -> None:
        """Take everything, as the transport would; what does not fit waits for `room`."""
        async with aclosing(self._viewer.outgoing(self._push)) as outgoing:
            async for pieces in outgoing:
                await self.room.wait()
                for piece in pieces:
                    assert isinstance(piece, bytes)
                    self.given += 1
                    self.received.feed(piece)

    def _push(self, pieces: tuple[bytes | str, ...]) -> bool:
        self.pushes += 1
        for piece in pieces:
            assert isinstance(piece, bytes)
            self.received.feed(piece)
        return next(self._pace, True)


async def wait_until_delivered(hosted: HostedDebate, log: MemoryLog) -> None:
    """Wait until everything in the log is encoded and pushed."""
    while hosted.seq < log.seq or any(stream.end.cursor.seq < log.seq for stream in hosted._streams.values()):
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_current_viewer_is_pushed_to_without_waking_its_task(
    log: MemoryLog, hosted: HostedDebate
) -> None:
    client = Pushed(Viewer(hosted, NOW, after=4))
    reading = asyncio.create_task(client.read())
    await wait_until_delivered(hosted, log)
    before = client.given
    for delta in turn_deltas(20):
        log.append(delta)
        await wait_until_delivered(hosted, log)
    assert client.given == before
    assert client.pushes == 20
    log.append(DebateFinished(reason="complete"))
    await reading
    check_same_log(client.received.events(), log._events[4:])


@pytest.mark.parametrize("seed", range(20))
async def test_every_event_arrives_once_at_any_reading_pace(
    log: MemoryLog, hosted: HostedDebate, seed: int
) -> None:
    chance = random.Random(seed)
    pace = [chance.random() < 0.6 for _ in range(100)]
    client = Pushed(Viewer(hosted, StreamOptions(batch_ms=chance.choice([0, 1])), after=4), *pace)
    reading = asyncio.create_task(client.read())
    for delta in turn_deltas(60):
        log.append(delta)
        if chance.random() < 0.2:
            client.room.clear()
        elif chance.random() < 0.4:
            client.room.set()
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
    client.room.set()
    log.append(DebateFinished(reason="complete"))
    await reading
    check_same_log(client.received.events(), log._events[4:])


async def test_a_pushed_viewer_that_falls_too_far_behind_is_reset(
    log: MemoryLog, hosted: HostedDebate
) -> None:
    viewer = Viewer(hosted, NOW, after=4)
    client = Pushed(viewer, True, False)
    reading = asyncio.create_task(client.read())
    await wait_until_delivered(hosted, log)
    size = 1 << 18
    for number in range(8):
        say(log, size, number * size)
        await wait_until_delivered(hosted, log)
        if number == 0:
            client.room.clear()
    assert client.pushes == 2, "nothing is pushed to who does not keep up"
    client.room.set()
    log.append(DebateFinished(reason="complete"))
    await reading
    assert viewer.reset_count == 1
    assert [message.type for message in client.received.messages[:2]] == ["turn.delta", "turn.delta"]
    assert [message.type for message in client.received.messages[2:]] == [
        "reset",
        "snapshot",
        "debate.finished",
    ]


@pytest.mark.parametrize("how", ["disconnect", "shut_down"])
async def test_a_pushed_viewer_can_leave_or_be_dismissed(
    log: MemoryLog, hosted: HostedDebate, how: str
) -> None:
    viewer = Viewer(hosted, NOW, after=4)
    client = Pushed(viewer)
    reading = asyncio.create_task(client.read())
    await wait_until_delivered(hosted, log)
    (delta, late) = turn_deltas(2)
    log.append(delta)
    await wait_until_delivered(hosted, log)
    getattr(viewer, how)()
    log.append(late)
    await reading
    types = [message.type for message in client.received.messages]
    assert types[0] == "turn.delta"
    assert types[-1] == ("turn.delta" if how == "disconnect" else "goodbye")
    assert not hosted.has_viewers


async def test_viewers_arriving_together_share_a_snapshot_and_resume_exactly(
    log: MemoryLog, hosted: HostedDebate, encoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    encode = encoded_stream.encode_json
    monkeypatch.setattr(encoded_stream, "encode_json", lambda value: made.append(value) or encode(value))
    clients: list[Pushed] = []
    async with asyncio.TaskGroup() as group:
        for delta in turn_deltas(30):
            clients.append(Pushed(Viewer(hosted, NOW)))
            group.create_task(clients[-1].read())
            log.append(delta)
            await wait_until_delivered(hosted, log)
        log.append(DebateFinished(reason="complete"))
    assert len(made) == 1
    assert encoded == sorted(set(encoded)), "and no event was made twice for them"
    for client in clients:
        (snapshot,) = client.received.of_type("snapshot")
        assert [event.seq for event in client.received.events()] == list(range(snapshot["seq"] + 1, 36))


async def test_viewers_resuming_after_a_burst_share_the_encoded_rest(
    log: MemoryLog, hosted: HostedDebate, encoded: list[int]
) -> None:
    staying = asyncio.create_task(Pushed(Viewer(hosted, NOW, after=4)).read())
    for delta in turn_deltas(9):
        log.append(delta)
        await wait_until_delivered(hosted, log)
    encoded.clear()
    client = Pushed(Viewer(hosted, NOW, resume_id=f"{hosted.epoch}:8"))
    returning = asyncio.create_task(client.read())
    await wait_until_delivered(hosted, log)
    assert [event.seq for event in client.received.events()] == list(range(9, 14))
    assert encoded == []
    log.append(DebateFinished(reason="complete"))
    await asyncio.gather(staying, returning)


async def test_a_snapshot_does_not_last(
    log: MemoryLog, hosted: HostedDebate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded_stream, "SNAPSHOT_TTL_S", 0.0)
    seen = []
    for delta in turn_deltas(3):
        log.append(delta)
        await wait_until_delivered(hosted, log)
        viewer, received = Viewer(hosted, NOW), ReceivedMessages()
        outgoing = viewer.outgoing()
        await read_until_type(outgoing, received, "snapshot")
        await outgoing.aclose()
        seen.append(received.of_type("snapshot")[0]["seq"])
    assert seen == [5, 6, 7]


async def test_viewers_resuming_at_one_cursor_share_one_encoding(
    log: MemoryLog, hosted: HostedDebate, encoded: list[int]
) -> None:
    """After a restart: what they missed is not among the kept batches, but the same for all."""
    for delta in turn_deltas(40):
        log.append(delta)
    await wait_until_delivered(hosted, log)
    clients: list[Pushed] = []
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            clients.append(Pushed(Viewer(hosted, NOW, resume_id=f"{hosted.epoch}:{10 + number % 2}")))
            group.create_task(clients[-1].read())
            if number == 10:
                log.append(TurnDelta(turn=1, debater="a", attempt=1, offset=0, text=""))
            await wait_until_delivered(hosted, log)
        log.append(DebateFinished(reason="complete"))
    for number, client in enumerate(clients):
        seqs = [event.seq for event in client.received.events()]
        assert seqs == list(range(11 + number % 2, log.seq + 1))
    assert max(map(encoded.count, encoded)) == 2, "once for each place, and never more"
