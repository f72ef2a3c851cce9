from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import DebateFinished, DebateResumed, Interjection
from debate_tui.record.log import BATCH_SIZE, MemoryLog
from tests.record.log_operations import read_all
from tests.sample_debates import interjection

if TYPE_CHECKING:
    from debate_tui.domain.events import Event


async def read_numbers(log: MemoryLog, after: int = 0) -> list[int]:
    return [event.seq for event in await read_all(log, after)]


def test_events_are_numbered_without_gaps_from_one():
    log = MemoryLog()

    assert [log.append(interjection(str(n))).seq for n in range(5)] == [1, 2, 3, 4, 5]
    assert log.seq == 5


def test_whatever_seq_an_event_brings_is_replaced():
    log = MemoryLog(clock=lambda: 7.0)

    logged = log.append(Interjection(text="x", to=None, seq=99, at=1.0))

    assert (logged.seq, logged.at) == (1, 7.0)


@given(st.lists(st.floats(0, 2**40), min_size=1))
def test_time_never_goes_backwards(readings: list[float]):
    clock = iter(readings)
    log = MemoryLog(clock=lambda: next(clock))

    times = [log.append(interjection("")).at for _ in readings]

    assert times == sorted(times)
    assert times[-1] == max(readings)


async def test_a_log_goes_on_where_the_events_it_was_given_end():
    first = MemoryLog(clock=lambda: 50.0)
    first.append(interjection("a"))
    first.append(interjection("b"))

    log = MemoryLog(await first.read(), clock=lambda: 10.0)
    logged = log.append(interjection("c"))

    assert (logged.seq, logged.at) == (3, 50.0)
    assert [event.seq for event in await log.read()] == [1, 2, 3]


async def test_read_gives_what_is_behind_a_position_up_to_the_limit():
    log = MemoryLog()
    for n in range(10):
        log.append(interjection(str(n)))

    assert [event.seq for event in await log.read(3, 4)] == [4, 5, 6, 7]
    assert [event.seq for event in await log.read(8)] == [9, 10]
    assert list(await log.read(10)) == []


def test_listeners_hear_every_event_from_their_subscription_to_its_end():
    log = MemoryLog()
    heard: list[int] = []
    log.append(interjection("before"))
    stop = log.subscribe(lambda event: heard.append(event.seq))
    log.append(interjection("during"))
    log.append(interjection("during"))
    stop()
    stop()
    log.append(interjection("after"))

    assert heard == [2, 3]


def test_an_append_inside_a_listener_keeps_the_order_for_all_listeners():
    log = MemoryLog()
    heard: dict[str, list[int]] = {"a": [], "b": [], "c": []}

    def answer(event: Event) -> None:
        heard["b"].append(event.seq)
        if event.seq < 4:
            log.append(interjection("answer"))
            log.append(interjection("answer"))

    log.subscribe(lambda event: heard["a"].append(event.seq))
    log.subscribe(answer)
    log.subscribe(lambda event: heard["c"].append(event.seq))
    log.append(interjection("question"))

    everything = list(range(1, log.seq + 1))
    assert heard == {"a": everything, "b": everything, "c": everything}
    assert log.seq == 7


def test_a_listener_subscribed_by_a_listener_hears_only_what_comes_later():
    log = MemoryLog()
    heard: list[int] = []

    def invite(event: Event) -> None:
        if event.seq == 1:
            log.subscribe(lambda later: heard.append(later.seq))

    log.subscribe(invite)
    log.append(interjection("a"))
    log.append(interjection("b"))

    assert heard == [2]


def test_a_listener_stopped_by_another_hears_no_more():
    log = MemoryLog()
    heard: list[int] = []
    log.subscribe(lambda _: stop())
    stop = log.subscribe(lambda event: heard.append(event.seq))

    log.append(interjection("a"))

    assert heard == []


def test_a_failing_listener_does_not_affect_the_others():
    log = MemoryLog()
    heard: list[int] = []

    def broken(event: Event) -> None:
        raise RuntimeError("a bug")

    log.subscribe(broken)
    log.subscribe(lambda event: heard.append(event.seq))
    with pytest.raises(RuntimeError):
        log.append(interjection("a"))
    with pytest.raises(RuntimeError):
        log.append(interjection("b"))

    assert heard == [1, 2]
    assert log.seq == 2


async def test_followers_get_everything_until_the_debate_is_over():
    log = MemoryLog()
    log.append(interjection("old"))
    early = asyncio.create_task(read_numbers(log))
    late = asyncio.create_task(read_numbers(log, after=2))
    for n in range(3 * BATCH_SIZE):
        log.append(interjection(str(n)))
        if n % 700 == 0:
            await asyncio.sleep(0)
    last = log.append(DebateFinished(reason="complete")).seq

    assert await early == list(range(1, last + 1))
    assert await late == list(range(3, last + 1))
    assert await read_numbers(log) == list(range(1, last + 1))
    assert await read_numbers(log, after=last) == []


async def test_a_batch_is_never_empty_and_never_larger_than_its_bound():
    log = MemoryLog()
    for n in range(BATCH_SIZE + 1):
        log.append(interjection(str(n)))
    log.append(DebateFinished(reason="complete"))

    assert [len(batch) async for batch in log.follow()] == [BATCH_SIZE, 2]


async def test_followers_read_past_an_end_that_was_resumed():
    log = MemoryLog()
    log.append(DebateFinished(reason="stopped"))
    log.append(DebateResumed(reason="continued", debater=None))
    log.append(DebateFinished(reason="complete"))

    assert await read_numbers(log) == [1, 2, 3]


async def test_closing_the_log_ends_followers_after_what_was_appended():
    log = MemoryLog()
    follower = asyncio.create_task(read_numbers(log))
    log.append(interjection("a"))
    await asyncio.sleep(0)
    log.append(interjection("b"))
    await log.aclose()

    assert await follower == [1, 2]


async def test_a_cancelled_follower_leaves_the_others_and_the_log_alone():
    log = MemoryLog()
    cancelled = asyncio.create_task(read_numbers(log))
    staying = asyncio.create_task(read_numbers(log))
    await asyncio.sleep(0)
    log.append(interjection("a"))
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    log.append(interjection("b"))
    await asyncio.sleep(0)
    log.append(DebateFinished(reason="complete"))

    assert await staying == [1, 2, 3]


@given(st.lists(st.sampled_from(["append", "yield"])))
def test_no_wake_up_is_lost_in_any_interleaving(steps: list[str]):
    async def debate() -> tuple[int, list[list[int]]]:
        log = MemoryLog()
        followers = [asyncio.create_task(read_numbers(log)) for _ in range(2)]
        for step in steps:
            if step == "append":
                log.append(interjection(""))
            else:
                await asyncio.sleep(0)
        log.append(DebateFinished(reason="complete"))
        return log.seq, list(await asyncio.gather(*followers))

    last, given_ = asyncio.run(debate())

    assert given_ == [list(range(1, last + 1))] * 2
