"""A recorded debate played: its times, its speed, and every jump in it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import Interjection, PhaseStarted, TurnStarted
from debate_tui.domain.transcript import Transcript
from debate_tui.record.player import MAX_SPEED, MIN_SPEED, PlaybackClock, Player, Playhead
from tests.record.fake_player_clock import FakePlayerClock
from tests.sample_debates import numbered_events, whole_debate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.events import Event


EVENTS = numbered_events(*whole_debate(), start=500.0)


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
    stage = PlayerHarness(Player(EVENTS, clock=clock, **options), clock)
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
        assert (stage.player.over, stage.player.position) == (True, stage.player.playhead.length)


async def test_speed_is_what_it_says():
    async with running_player(speed=2.0) as stage:
        await stage.pass_time(2)
        assert stage.player.seq == 5
        stage.player.change_speed(2)
        assert stage.player.playhead.speed == 4.0
        await stage.pass_time(1)
        assert stage.player.seq == 9
        stage.player.change_speed(0.5)
        stage.player.change_speed(0.5)
        await stage.pass_time(1)
        assert stage.player.seq == 10


async def test_pausing_and_going_on():
    async with running_player() as stage:
        await stage.pass_time(1)
        stage.player.toggle_pause()
        await stage.pass_time(50)
        assert (stage.player.playhead.paused, stage.player.seq) == (True, 2)
        stage.player.toggle_pause()
        await stage.pass_time(1)
        assert (stage.player.playhead.paused, stage.player.seq) == (False, 3)


async def test_going_forward_tells_what_lies_between():
    async with running_player() as stage:
        stage.player.seek(stage.player.playhead.length)
        await stage.settle()
        assert stage.heard == [event.seq for event in EVENTS]


async def test_going_back_takes_events_back_and_says_so():
    rewound: list[int] = []
    async with running_player(on_rewind=lambda: rewound.append(stage.player.seq)) as stage:
        await stage.pass_time(100)
        stage.player.seek(stage.player.playhead.length / 2)
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
    clock, changed = PlaybackClock(), asyncio.Event()

    await clock.wait(changed, 0.0)
    assert not changed.is_set()
    waiting = asyncio.create_task(clock.wait(changed, None))
    changed.set()
    await waiting
    assert changed.is_set()


WORD = Interjection(text="", to=None)
TURN = TurnStarted(turn=1, debater="a", phase="p")
ROUND = PhaseStarted(phase="p", round=1, rounds=1)


def events_at(*moments: tuple[float, Event]) -> list[Event]:
    return [
        msgspec.structs.replace(event, seq=seq, at=1000.0 + at) for seq, (at, event) in enumerate(moments, 1)
    ]


def words_at(*times: float) -> list[Event]:
    return events_at(*((time, WORD) for time in times))


def playhead_at(events: list[Event], *, now: float = 0.0, **options: float) -> Playhead:
    head = Playhead(events, **options)
    head.resume(now)
    return head


def test_events_come_when_they_came():
    head = playhead_at(words_at(0, 1, 1, 2.5), now=100.0)

    assert list(head.take_due(100.0)) == [0]
    assert head.seconds_until_next(100.0) == 1.0
    assert list(head.take_due(100.9)) == []
    assert list(head.take_due(101.0)) == [1, 2]
    assert head.seconds_until_next(101.0) == 1.5
    assert list(head.take_due(200.0)) == [3]
    assert (head.at_end, head.seconds_until_next(200.0), head.position(200.0)) == (True, None, 2.5)


def test_speed_scales_time_from_where_it_is_changed():
    head = playhead_at(words_at(0, 1, 2, 3), speed=2.0)

    assert list(head.take_due(0.5)) == [0, 1]
    head.change_speed(0.5, 0.25)
    assert (head.speed, head.position(0.5)) == (0.5, 1.0)
    assert head.seconds_until_next(0.5) == 2.0
    assert list(head.take_due(2.5)) == [2]


def test_speed_has_bounds():
    head = playhead_at(words_at(0, 1), speed=1000.0)
    assert head.speed == MAX_SPEED
    for _ in range(20):
        head.change_speed(0.0, 0.5)
    assert head.speed == MIN_SPEED


def test_a_paused_head_stands_still():
    head = playhead_at(words_at(0, 1, 2))
    head.take_due(0.5)
    head.pause(0.5)

    assert (head.paused, head.position(99.0), head.seconds_until_next(99.0), list(head.take_due(99.0))) == (
        True,
        0.5,
        None,
        [],
    )
    head.resume(99.0)
    assert head.seconds_until_next(99.0) == 0.5


def test_long_silences_are_shortened():
    head = playhead_at(words_at(0, 1, 3601, 3602), max_gap=3.0)

    assert head.length == 5.0
    assert list(head.take_due(4.0)) == [0, 1, 2]


def test_a_clock_that_was_set_back_while_the_debate_was_held_does_no_harm():
    assert playhead_at(words_at(0, 5, 2, 3)).length == 4.0


def test_going_forward_makes_what_lies_between_due():
    head = playhead_at(words_at(0, 1, 2, 3))
    head.take_due(0.0)

    assert not head.seek(0.0, 2.0)
    assert list(head.take_due(0.0)) == [1, 2]


def test_going_back_takes_events_back():
    head = playhead_at(words_at(0, 1, 2, 3))
    head.take_due(3.0)

    assert head.seek(3.0, 1.0)
    assert (head.shown_count, list(head.take_due(3.0)), head.seconds_until_next(3.0)) == (2, [], 1.0)
    assert list(head.take_due(4.0)) == [2]


def test_places_beyond_either_end_are_that_end():
    head = playhead_at(words_at(0, 1, 2))

    head.seek(0.0, 99.0)
    assert head.position(0.0) == 2.0
    head.seek(0.0, -1.0)
    assert head.position(0.0) == 0.0


def test_turns_that_begin_together_are_one_place():
    head = playhead_at(
        events_at(
            (0, TURN), (0.2, TURN), (0.9, WORD), (3, TURN), (3.1, TURN), (5, WORD), (7, TURN), (8, WORD)
        )
    )

    assert head.next_turn_start(0.0) == 3.0
    assert head.next_turn_start(3.0) == 7.0
    assert head.next_turn_start(7.5) == 8.0
    assert head.previous_turn_start(6.0) == 3.0
    assert head.previous_turn_start(3.9) == 0.0
    assert head.previous_turn_start(0.5) == 0.0


def test_rounds_count_over_all_phases():
    head = playhead_at(events_at((0, WORD), (1, ROUND), (2, WORD), (3, ROUND)))

    assert (head.round_start(1), head.round_start(2)) == (1.0, 3.0)
    for number in (0, 3):
        with pytest.raises(UsageError, match=f"no round {number}") as caught:
            head.round_start(number)
        assert "2" in caught.value.hint


def test_an_empty_record_is_at_its_end():
    head = playhead_at([])

    assert (head.at_end, head.length, head.seconds_until_next(0.0), list(head.take_due(9.0))) == (
        True,
        0.0,
        None,
        [],
    )
    assert head.next_turn_start(0.0) == head.previous_turn_start(0.0) == 0.0


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
    st.lists(st.tuples(st.sampled_from(["tick", "pause", "resume", "speed", "seek"]), st.floats(0, 8))),
)
def test_every_event_is_shown_once_and_in_order_whatever_is_done(
    gaps: list[float], steps: list[tuple[str, float]]
):
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    head, now = playhead_at(words_at(*times)), 0.0
    shown: list[int] = []
    for step, amount in steps:
        match step:
            case "tick":
                now += amount
                shown += head.take_due(now)
            case "pause":
                head.pause(now)
            case "resume":
                head.resume(now)
            case "speed":
                head.change_speed(now, amount)
            case "seek":
                if head.seek(now, amount):
                    del shown[head.shown_count :]
    head.resume(now)
    while (wait := head.seconds_until_next(now)) is not None:
        now += wait + 1e-6
        shown += head.take_due(now)

    assert shown == list(range(len(times)))
