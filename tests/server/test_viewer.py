"""Viewers without a network: who is too slow, who leaves, what is kept in memory, and what is made once."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import DebateFinished, TurnDelta
from debate_tui.record.log import MemoryLog
from debate_tui.server import rendition, wire
from debate_tui.server.channel import Channel, persisted
from debate_tui.server.viewer import Viewer
from debate_tui.server.wire import Manner
from tests.record.material import deltas, opening
from tests.server.material import Received, check_exact, example

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from debate_tui.domain.events import Event

NOW = Manner(batch_ms=0)


@pytest.fixture
async def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def channel(log: MemoryLog) -> AsyncIterator[Channel]:
    for event in opening():
        log.append(event)
    channel = Channel("d1", log, known=4)
    task = asyncio.create_task(channel.run())
    await channel.begun()
    yield channel
    task.cancel()
    await asyncio.wait([task])


async def take(told: AsyncGenerator[tuple[bytes | str, ...]], received: Received, type_: str) -> None:
    """Take what is told until a message of some type has come."""
    before = len(received.of_type(type_))
    async for pieces in told:
        for piece in pieces:
            assert isinstance(piece, bytes)
            received.feed(piece)
        if len(received.of_type(type_)) > before:
            return


def say(log: MemoryLog, characters: int, offset: int) -> None:
    log.append(TurnDelta(turn=1, debater="a", attempt=1, offset=offset, text="x" * characters))


async def test_who_lags_by_more_than_the_bound_is_reset(log: MemoryLog, channel: Channel) -> None:
    viewer = Viewer(channel, NOW, after=4)
    told, received = viewer.told(), Received()
    size = 1 << 18
    say(log, size, 0)
    await take(told, received, "turn.delta")
    for number in range(1, 8):
        say(log, size, number * size)
    while channel.rendition(NOW).told < 12:
        await asyncio.sleep(0)
    await take(told, received, "snapshot")
    assert received.of_type("reset") == [{"type": "reset", "reason": "lag"}]
    assert viewer.resets == 1
    assert received.of_type("snapshot")[0]["seq"] == 12
    say(log, 1, 8 * size)
    await take(told, received, "turn.delta")
    assert received.events()[-1].seq == 13
    await told.aclose()


async def test_who_lags_by_less_is_told_everything(log: MemoryLog, channel: Channel) -> None:
    told, received = Viewer(channel, NOW, after=4).told(), Received()
    say(log, 1, 0)
    await take(told, received, "turn.delta")
    for number in range(100):
        say(log, 5000, 1 + number * 5000)
    while channel.seq < 105:
        await asyncio.sleep(0)
    while len(received.events()) < 101:
        await take(told, received, "turn.delta")
    check_exact(received.events(), log._events[4:])
    await told.aclose()


async def test_memory_does_not_grow_with_what_a_viewer_does_not_take(
    log: MemoryLog, channel: Channel
) -> None:
    told, received = Viewer(channel, NOW, after=4).told(), Received()
    say(log, 1, 0)
    await take(told, received, "turn.delta")
    shared = channel.rendition(NOW)
    for number in range(40):
        say(log, 1 << 16, 1 + (number << 16))
    while channel.seq < 45:
        await asyncio.sleep(0)
    assert sum(burst.size for burst in shared._bursts) <= 2 * rendition.KEPT
    await told.aclose()
    assert not channel.watched


async def test_every_byte_is_made_once(
    log: MemoryLog, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    line = wire.line
    monkeypatch.setattr(wire, "line", lambda event: made.append(event.seq) or line(event))
    viewers = [(Viewer(channel, NOW, after=4).told(), Received()) for _ in range(20)]
    waiting = [asyncio.create_task(take(told, received, "turn.delta")) for told, received in viewers]
    while channel.rendition(NOW).viewers < 20:
        await asyncio.sleep(0)
    for delta in deltas(1):
        log.append(delta)
    await asyncio.gather(*waiting)
    assert made == [5]
    assert {len(received.events()) for _, received in viewers} == {1}
    for told, _ in viewers:
        await told.aclose()


async def test_whoever_leaves_is_told_nothing_more(channel: Channel) -> None:
    viewer = Viewer(channel, NOW, after=4)
    told = viewer.told()
    await anext(told)
    waiting = asyncio.create_task(anext(told, "over"))
    await asyncio.sleep(0)
    viewer.leave()
    assert await waiting == "over"
    assert not channel.watched


async def test_goodbye_says_when_to_come_back(channel: Channel) -> None:
    viewer = Viewer(channel, NOW, after=4)
    received = Received()
    telling = asyncio.create_task(take(viewer.told(), received, "goodbye"))
    await asyncio.sleep(0)
    viewer.dismiss()
    await telling
    assert received.messages[-1].data["retry"] == received.retries[-1]
    assert received.messages[-1].id == f"{channel.epoch}:4", "nothing is skipped"


async def test_silence_is_broken_by_a_comment(
    log: MemoryLog, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendition, "SILENCE_S", 0.01)
    told = Viewer(channel, NOW, after=4).told()
    assert (await anext(told))[0].startswith(b"retry: ")  # type: ignore[union-attr, arg-type]
    assert await anext(told) == (b":\n\n",)
    await told.aclose()


class Broken(MemoryLog):
    """A log whose older events are gone."""

    async def read(self, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        if after < 6:
            raise DebateError("the first events are no longer there")
        return await super().read(after, limit)

    async def follow(self, after: int = 0) -> AsyncIterator[Sequence[Event]]:
        yield self._events
        await asyncio.Event().wait()


async def test_a_history_that_was_trimmed_is_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debate_tui.server.channel.RECENT", 5)
    channel = Channel("d1", Broken(example()))
    task = asyncio.create_task(channel.run())
    await channel.begun()
    received = Received()
    told = Viewer(channel, NOW, place=f"{channel.epoch}:3").told()
    await take(told, received, "snapshot")
    assert [message.type for message in received.messages] == ["reset", "snapshot"]
    assert received.of_type("reset")[0]["reason"] == "history"
    await told.aclose()
    task.cancel()


class Disk(MemoryLog):
    """A record on a disk that is slow, or full."""

    def __init__(self) -> None:
        super().__init__()
        self.durable = 0
        self.lost = False
        self.trouble = None
        self.flushes = asyncio.Semaphore(0)

    async def flush(self) -> None:
        await self.flushes.acquire()


async def test_nothing_is_shown_before_it_is_durable() -> None:
    log = Disk()
    for event in opening():
        log.append(event)
    shown = persisted(log)
    first = asyncio.ensure_future(anext(shown))
    await asyncio.sleep(0)
    assert not first.done()
    log.durable = 3
    log.flushes.release()
    await asyncio.sleep(0)
    assert not first.done(), "the fourth is not durable yet"
    log.durable = 4
    log.flushes.release()
    log.flushes.release()
    assert len(await first) == 4


async def test_a_record_that_has_ended_keeps_nobody_from_watching() -> None:
    log = Disk()
    log.lost = True
    log.flushes.release()
    for event in opening():
        log.append(event)
    assert len(await anext(aiter(persisted(log)))) == 4


class Pushed:
    """A client that is pushed to; `pace` says after each push whether it keeps up, to the end by default."""

    def __init__(self, viewer: Viewer, *pace: bool) -> None:
        self.received = Received()
        self.pushes = self.given = 0
        self._viewer = viewer
        self._pace = iter(pace)
        self.room = asyncio.Event()
        self.room.set()

    async def read(self) -> None:
        """Take everything there is, as the transport would; what does not fit waits for `room`."""
        async with aclosing(self._viewer.told(self._push)) as told:
            async for pieces in told:
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


async def quiet(channel: Channel, log: MemoryLog) -> None:
    """Wait until all that was said is told."""
    while channel.seq < log.seq or any(r.told < log.seq for r in channel._renditions.values()):
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_keeps_up_is_pushed_to_without_being_woken(log: MemoryLog, channel: Channel) -> None:
    client = Pushed(Viewer(channel, NOW, after=4))
    reading = asyncio.create_task(client.read())
    await quiet(channel, log)
    before = client.given
    for delta in deltas(20):
        log.append(delta)
        await quiet(channel, log)
    assert client.given == before
    assert client.pushes == 20
    log.append(DebateFinished(reason="complete"))
    await reading
    check_exact(client.received.events(), log._events[4:])


@pytest.mark.parametrize("seed", range(20))
async def test_however_somebody_keeps_up_everything_comes_once(
    log: MemoryLog, channel: Channel, seed: int
) -> None:
    chance = random.Random(seed)
    pace = [chance.random() < 0.6 for _ in range(100)]
    client = Pushed(Viewer(channel, Manner(batch_ms=chance.choice([0, 1])), after=4), *pace)
    reading = asyncio.create_task(client.read())
    for delta in deltas(60):
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
    check_exact(client.received.events(), log._events[4:])


async def test_who_no_longer_keeps_up_and_lags_too_far_is_reset(log: MemoryLog, channel: Channel) -> None:
    viewer = Viewer(channel, NOW, after=4)
    client = Pushed(viewer, True, False)
    reading = asyncio.create_task(client.read())
    await quiet(channel, log)
    size = 1 << 18
    for number in range(8):
        say(log, size, number * size)
        await quiet(channel, log)
        if number == 0:
            client.room.clear()
    assert client.pushes == 2, "nothing is pushed to who does not keep up"
    client.room.set()
    log.append(DebateFinished(reason="complete"))
    await reading
    assert viewer.resets == 1
    assert [message.type for message in client.received.messages[:2]] == ["turn.delta", "turn.delta"]
    assert [message.type for message in client.received.messages[2:]] == [
        "reset",
        "snapshot",
        "debate.finished",
    ]


@pytest.mark.parametrize("how", ["leave", "dismiss"])
async def test_who_is_pushed_to_can_leave_and_be_sent_away(
    log: MemoryLog, channel: Channel, how: str
) -> None:
    viewer = Viewer(channel, NOW, after=4)
    client = Pushed(viewer)
    reading = asyncio.create_task(client.read())
    await quiet(channel, log)
    (delta, late) = deltas(2)
    log.append(delta)
    await quiet(channel, log)
    getattr(viewer, how)()
    log.append(late)
    await reading
    told = [message.type for message in client.received.messages]
    assert told[0] == "turn.delta"
    assert told[-1] == ("turn.delta" if how == "leave" else "goodbye")
    assert not channel.watched


async def test_who_comes_together_is_given_the_same_snapshot_and_the_rest_is_exact(
    log: MemoryLog, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    harmless = rendition.harmless
    monkeypatch.setattr(rendition, "harmless", lambda body: made.append(body) or harmless(body))
    line, encoded = wire.line, list[int]()
    monkeypatch.setattr(wire, "line", lambda event: encoded.append(event.seq) or line(event))
    clients: list[Pushed] = []
    async with asyncio.TaskGroup() as group:
        for delta in deltas(30):
            clients.append(Pushed(Viewer(channel, NOW)))
            group.create_task(clients[-1].read())
            log.append(delta)
            await quiet(channel, log)
        log.append(DebateFinished(reason="complete"))
    assert len(made) == 1
    assert encoded == sorted(set(encoded)), "and no event was made twice for them"
    for client in clients:
        (snapshot,) = client.received.of_type("snapshot")
        assert [event.seq for event in client.received.events()] == list(range(snapshot["seq"] + 1, 36))


async def test_who_returns_to_where_a_burst_ended_shares_what_followed(
    log: MemoryLog, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    staying = asyncio.create_task(Pushed(Viewer(channel, NOW, after=4)).read())
    for delta in deltas(9):
        log.append(delta)
        await quiet(channel, log)
    line, encoded = wire.line, list[int]()
    monkeypatch.setattr(wire, "line", lambda event: encoded.append(event.seq) or line(event))
    client = Pushed(Viewer(channel, NOW, place=f"{channel.epoch}:8"))
    returning = asyncio.create_task(client.read())
    await quiet(channel, log)
    assert [event.seq for event in client.received.events()] == list(range(9, 14))
    assert encoded == []
    log.append(DebateFinished(reason="complete"))
    await asyncio.gather(staying, returning)


async def test_a_snapshot_does_not_last(
    log: MemoryLog, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendition, "SAME_S", 0.0)
    seen = []
    for delta in deltas(3):
        log.append(delta)
        await quiet(channel, log)
        viewer, received = Viewer(channel, NOW), Received()
        told = viewer.told()
        await take(told, received, "snapshot")
        await told.aclose()
        seen.append(received.of_type("snapshot")[0]["seq"])
    assert seen == [5, 6, 7]


async def test_who_returns_to_the_same_place_is_told_what_was_made_once(
    log: MemoryLog, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, after a restart: what they missed is not among the bursts, but the same for all."""
    for delta in deltas(40):
        log.append(delta)
    await quiet(channel, log)
    line, encoded = wire.line, list[int]()
    monkeypatch.setattr(wire, "line", lambda event: encoded.append(event.seq) or line(event))
    clients: list[Pushed] = []
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            clients.append(Pushed(Viewer(channel, NOW, place=f"{channel.epoch}:{10 + number % 2}")))
            group.create_task(clients[-1].read())
            if number == 10:
                log.append(TurnDelta(turn=1, debater="a", attempt=1, offset=0, text=""))
            await quiet(channel, log)
        log.append(DebateFinished(reason="complete"))
    for number, client in enumerate(clients):
        told = [event.seq for event in client.received.events()]
        assert told == list(range(11 + number % 2, log.seq + 1))
    assert max(map(encoded.count, encoded)) == 2, "once for each place, and never more"
