"""The shared buffer keeps every pane's order, and makes only the reader wait whose pane is full."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.buffer import PaneBufferStatistics, SharedBuffer

if TYPE_CHECKING:
    from collections.abc import Coroutine


class ManualBufferClock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def buffer(*panes: str, high: int = 10, low: int = 4, max_chunks: int = 1000) -> SharedBuffer[str]:
    return SharedBuffer(
        panes or ("a", "b"),
        high_watermark=high,
        low_watermark=low,
        max_pending_items=max_chunks,
        clock=ManualBufferClock(),
    )


def fill(queue: SharedBuffer[str], pane: str, *texts: str) -> None:
    for text in texts:
        queue.push(pane, text, len(text))


async def start_waiting(wait: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """The wait as a task that has run as far as it gets."""
    task = asyncio.ensure_future(wait)
    await asyncio.sleep(0)
    return task


def test_all_panes_are_taken_at_once_in_order() -> None:
    queue = buffer("a", "b", "c")
    fill(queue, "b", "one")
    fill(queue, "a", "two", "three")
    fill(queue, "b", "four")
    assert queue.pending_items == 4
    assert queue.take() == {"b": ["one", "four"], "a": ["two", "three"]}
    assert queue.take() == {}
    assert queue.pending_items == 0
    assert not queue.oldest_arrivals


def test_some_panes_can_be_taken_alone() -> None:
    queue = buffer()
    fill(queue, "a", "one")
    fill(queue, "b", "two")
    assert queue.take(["a", "nobody"]) == {"a": ["one"]}
    assert list(queue.oldest_arrivals) == ["b"]
    assert queue.pending_items == 1


def test_pending_says_when_the_oldest_item_came() -> None:
    clock = ManualBufferClock()
    queue: SharedBuffer[str] = SharedBuffer(["a", "b"], clock=clock)
    clock.now = 1.0
    fill(queue, "a", "one")
    clock.now = 2.0
    fill(queue, "a", "two")
    fill(queue, "b", "three")
    assert queue.oldest_arrivals == {"a": 1.0, "b": 2.0}
    queue.take(["a"])
    clock.now = 3.0
    fill(queue, "a", "four")
    assert queue.oldest_arrivals == {"b": 2.0, "a": 3.0}


def test_the_painter_is_woken_by_first_items_and_by_a_crowd() -> None:
    queue = buffer(max_chunks=3)
    woken: list[int] = []
    queue.on_due_change = lambda: woken.append(queue.pending_items)
    fill(queue, "a", "1", "2")
    crowded = [queue.should_flush_early]
    fill(queue, "a", "3", "4")
    crowded.append(queue.should_flush_early)
    fill(queue, "b", "5")
    assert woken == [1, 3, 5]
    assert crowded == [False, True]


def test_a_limit_takes_the_oldest_and_leaves_the_rest() -> None:
    queue = buffer()
    fill(queue, "a", "12", "34", "56", "78")
    fill(queue, "b", "1")
    assert queue.take(limit=3) == {"a": ["12", "34"], "b": ["1"]}
    assert list(queue.oldest_arrivals) == ["a"]
    assert queue.take(limit=3) == {"a": ["56", "78"]}
    assert queue.pending_items == 0


def test_items_without_text_are_taken_whatever_the_limit() -> None:
    queue = buffer()
    queue.push("a", "status")
    fill(queue, "a", "long text")
    assert queue.take(limit=1) == {"a": ["status", "long text"]}


async def test_a_reader_waits_above_the_high_mark_until_the_low_mark() -> None:
    queue = buffer()
    fill(queue, "a", "12345", "12345")
    assert queue.has_room("a")
    fill(queue, "a", "x", "yyy")
    assert not queue.has_room("a")
    assert queue.has_room("b")
    reader = await start_waiting(queue.wait_for_room("a"))
    assert not reader.done()
    queue.take(limit=5)
    assert not queue.has_room("a")
    await asyncio.sleep(0)
    assert not reader.done()
    queue.take(limit=5)
    await reader
    await queue.wait_for_room("a")


async def test_room_is_given_at_once_where_there_is_some() -> None:
    queue = buffer()
    await queue.wait_for_room("a")
    await queue.wait_for_room("no such pane")
    assert queue.statistics()["a"].wait_count == 0


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    queue = buffer()
    fill(queue, "a", "more than ten")
    first, second = (
        await start_waiting(queue.wait_for_room("a")),
        await start_waiting(queue.wait_for_room("a")),
    )
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    queue.take()
    await second
    assert queue.has_room("a")


async def test_a_reader_woken_into_a_full_pane_waits_again() -> None:
    queue = buffer()
    fill(queue, "a", "more than ten")
    reader = await start_waiting(queue.wait_for_room("a"))
    queue.take()
    fill(queue, "a", "more than ten")
    await asyncio.sleep(0)
    assert not reader.done()
    queue.take()
    await reader


async def test_closing_lets_every_reader_go_on() -> None:
    queue = buffer()
    fill(queue, "a", "more than ten")
    reader = await start_waiting(queue.wait_for_room("a"))
    queue.close()
    await reader
    fill(queue, "a", "more than ten again")
    await queue.wait_for_room("a")
    assert queue.take() == {}


async def test_statistics_tell_of_fill_and_waits() -> None:
    clock = ManualBufferClock()
    queue: SharedBuffer[str] = SharedBuffer(["a", "b"], high_watermark=10, low_watermark=4, clock=clock)
    fill(queue, "a", "more than ten")
    reader = await start_waiting(queue.wait_for_room("a"))
    clock.now = 2.5
    lane = queue.statistics()["a"]
    assert lane == PaneBufferStatistics(13, 1, 2.5)
    queue.take()
    await reader
    clock.now = 9.0
    assert queue.statistics()["a"] == PaneBufferStatistics(0, 1, 2.5)


def test_wrong_marks_and_unknown_panes_are_refused() -> None:
    with pytest.raises(ValueError, match="wrong way round"):
        buffer(high=1, low=2)
    with pytest.raises(KeyError):
        buffer().push("nobody", "text", 4)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.text(max_size=6))
        | st.tuples(st.sampled_from(["all", "some", "limit"]), st.sets(st.sampled_from("abc")))
    )
)
def test_what_is_taken_is_what_was_pushed(steps: list[tuple[str, str | set[str]]]) -> None:
    queue = buffer("a", "b", "c")
    pushed: dict[str, list[str]] = {pane: [] for pane in queue.panes}
    taken: dict[str, list[str]] = {pane: [] for pane in queue.panes}
    for step, value in [*steps, ("all", set[str]())]:
        if isinstance(value, str):
            queue.push(step, value, len(value))
            pushed[step].append(value)
            continue
        flush = queue.take(None if step == "all" else value, limit=3 if step == "limit" else None)
        for pane, items in flush.items():
            taken[pane] += items
        left = {pane: len(pushed[pane]) - len(taken[pane]) for pane in queue.panes}
        assert queue.pending_items == sum(left.values())
        assert set(queue.oldest_arrivals) == {pane for pane, count in left.items() if count}
        for pane, lane in queue.statistics().items():
            assert lane.pending_size == len("".join(pushed[pane])) - len("".join(taken[pane]))
    assert taken == pushed


async def test_held_readers_wait_until_they_are_released_or_nobody_paints_any_more() -> None:
    for let_go in (SharedBuffer.release_readers, SharedBuffer.close):
        queue = buffer()
        queue.hold_readers()
        assert not queue.has_room("a")
        assert queue.has_room("elsewhere")
        waiting = await start_waiting(queue.wait_for_room("a"))
        fill(queue, "a", "more than fits")
        queue.take()
        await asyncio.sleep(0)
        assert not waiting.done()
        let_go(queue)
        await waiting
        assert queue.statistics()["a"].wait_count == 0


async def test_a_reader_that_is_held_still_waits_for_room_afterwards() -> None:
    queue = buffer()
    fill(queue, "a", "more than fits")
    queue.hold_readers()
    waiting = await start_waiting(queue.wait_for_room("a"))
    queue.release_readers()
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.take()
    await waiting
