from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain.errors import UsageError
from debate_tui.domain.transcript import Transcript
from debate_tui.record.player import MonotonicClock, Player
from tests.record.material import ending_events, opening_events, turn_deltas

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.events import Event

EVENTS: list[Event] = [
    msgspec.structs.replace(event, seq=seq, at=500.0 + seq)
    for seq, event in enumerate((*opening_events(), *turn_deltas(10), *ending_events()), 1)
]


class FakePlayerClock:
    """Time that passes only while everybody waits for it, up to `until`."""

    def __init__(self) -> None:
        self.time = 0.0
        self.until = 0.0
        self.idle = asyncio.Event()

    def now(self) -> float:
        return self.time

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        if changed.is_set():
            return
        if seconds is not None and self.time + seconds <= self.until:
            self.time += seconds
            return
        self.time = max(self.time, self.until)
        self.idle.set()
        await changed.wait()


class PlayerHarness:
    """A player under way, with one listener."""

    def __init__(self, player: Player, clock: FakePlayerClock) -> None:
        self.player = player
        self.clock = clock
        self.heard: list[int] = []
        player.subscribe(lambda event: self.heard.append(event.seq))

    async def pass_time(self, seconds: float) -> None:
        self.clock.until = self.clock.time + seconds
        await self.settle()

    async def settle(self) -> None:
        self.clock.idle.clear()
        self.player._state_changed.set()
        await self.clock.idle.wait()


@asynccontextmanager
async def running_player(**options: object) -> AsyncIterator[PlayerHarness]:
    clock = FakePlayerClock()
    stage = PlayerHarness(Player(EVENTS, clock=clock, **options), clock)  # type: ignore[arg-type]
    task = asyncio.create_task(stage.player.run())
    await clock.idle.wait()
    yield stage
    await stage.player.aclose()
    await task


async def test_listeners_hear_the_events_in_their_own_time():
    async with running_player() as stage:
        assert stage.heard == [1]
        await stage.pass_time(2.5)
        assert stage.heard == [1, 2, 3]
        await stage.pass_time(100)
        assert stage.heard == [event.seq for event in EVENTS]
        assert (stage.player.over, stage.player.position) == (True, stage.player.length)


async def test_speed_is_what_it_says():
    async with running_player(speed=2.0) as stage:
        await stage.pass_time(2)
        assert stage.player.seq == 5
        stage.player.double_speed()
        assert stage.player.speed == 4.0
        await stage.pass_time(1)
        assert stage.player.seq == 9
        stage.player.halve_speed()
        stage.player.halve_speed()
        await stage.pass_time(1)
        assert stage.player.seq == 10


async def test_pausing_and_going_on():
    async with running_player() as stage:
        await stage.pass_time(1)
        stage.player.toggle_pause()
        await stage.pass_time(50)
        assert (stage.player.paused, stage.player.seq) == (True, 2)
        stage.player.toggle_pause()
        await stage.pass_time(1)
        assert (stage.player.paused, stage.player.seq) == (False, 3)


async def test_going_forward_tells_what_lies_between():
    async with running_player() as stage:
        stage.player.seek_tenth(10)
        await stage.settle()
        assert stage.heard == [event.seq for event in EVENTS]


async def test_going_back_takes_events_back_and_says_so():
    rewound: list[int] = []
    async with running_player(on_rewind=lambda: rewound.append(stage.player.seq)) as stage:
        await stage.pass_time(100)
        stage.player.seek_tenth(5)
        assert rewound == [9]
        assert [event.seq for event in await stage.player.read()] == list(range(1, 10))
        assert not stage.player.over
        await stage.pass_time(1)
        assert stage.heard[-1] == 10


async def test_a_listener_may_go_back():
    async with running_player() as stage:
        stop = stage.player.subscribe(lambda event: stage.player.seek(0.0) if event.seq == 5 else None)
        stage.player.seek(9.0)
        await stage.settle()
        stop()
        assert stage.heard == [1, 2, 3, 4, 5]
        assert stage.player.seq == 1


async def test_turns_and_rounds_can_be_jumped_to():
    async with running_player() as stage:
        stage.player.seek_round(1)
        await stage.settle()
        assert stage.player.seq == 2
        stage.player.next_turn()
        await stage.settle()
        assert stage.player.seq == 3
        await stage.pass_time(5)
        stage.player.previous_turn()
        assert stage.player.seq == 3
        with pytest.raises(UsageError):
            stage.player.seek_round(2)


async def test_a_round_to_begin_from_can_be_given_before_playing():
    clock = FakePlayerClock()
    player = Player(EVENTS, clock=clock)
    player.seek_round(1)
    clock.time = clock.until = 30.0
    task = asyncio.create_task(player.run())
    await clock.idle.wait()

    assert player.seq == 2
    await player.aclose()
    await task


async def test_a_follower_sees_exactly_what_was_recorded():
    player = Player(EVENTS, speed=64.0, max_gap=0.0)
    task = asyncio.create_task(player.run())

    followed = [event async for batch in player.follow() for event in batch]
    await player.aclose()
    await task

    assert followed == EVENTS
    assert Transcript(followed).finish_reason == "complete"


async def test_real_time_ends_a_wait_when_something_changes_or_time_is_up():
    clock, changed = MonotonicClock(), asyncio.Event()

    await clock.wait(changed, 0.0)
    assert not changed.is_set()
    waiting = asyncio.create_task(clock.wait(changed, None))
    changed.set()
    await waiting
    assert changed.is_set()
