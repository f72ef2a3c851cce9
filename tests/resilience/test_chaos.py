"""A debate under chaos shows every kind of trouble, and nobody dies of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    FaultKind,
    Finished,
    RecoveryPolicy,
    StateChange,
    StreamOrigin,
)
from debate_tui.resilience.chaos import ChaosSource, FailureKind, plan_failures, shorten_timeouts
from debate_tui.resilience.recovery import RecoveringSource
from tests.fakes.scripted_source import REQUEST, ManualClock, RecoveredOutput, ScriptedSource, Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import ResumePoint, StreamItem

TEXT = "".join(f"Reason number {n} is better than the one before. " for n in range(40))
POLICY = shorten_timeouts(RecoveryPolicy())


class Resuming(ScriptedSource):
    """Says `TEXT`, and goes on behind any cursor."""

    def script(self, resume: ResumePoint | None) -> list[Step]:
        at = int(resume.cursor.position) if resume and resume.cursor else 0
        pieces = (Chunk(TEXT[n : n + 7], cursor=Cursor(str(n + 7))) for n in range(at, len(TEXT), 7))
        return [Connected(StreamOrigin.CURSOR if at else StreamOrigin.START), *pieces, Finished()]


async def hear_turn(turn: int, seed: int) -> RecoveredOutput:
    clock = ManualClock()
    guarded = RecoveringSource(ChaosSource(Resuming(clock=clock), seed), POLICY, clock=clock)
    heard = RecoveredOutput()
    async with guarded.open(replace(REQUEST, turn=turn)) as items:
        reading = asyncio.create_task(_read(items, heard, clock))
        while not reading.done():
            # A stall is over as soon as nothing else is under way.
            before = len(heard.items)
            for _ in range(8):
                await asyncio.sleep(0)
            if len(heard.items) == before:
                clock.advance(POLICY.silence_timeout)
        await reading
    return heard


async def _read(items: AsyncIterator[StreamItem], heard: RecoveredOutput, clock: ManualClock) -> None:
    async for item in items:
        heard.take(item)
        if isinstance(item, StateChange) and item.retry_in_ms:
            asyncio.get_running_loop().call_soon(clock.advance, item.retry_in_ms / 1000)


@pytest.mark.parametrize("seed", range(4))
async def test_a_short_debate_sees_it_all(seed: int) -> None:
    turns = [await hear_turn(turn, seed) for turn in range(1, 5)]
    assert {heard.text for heard in turns} == {TEXT}
    errors = [status.error for heard in turns for status in heard.statuses if status.error]
    assert {error.kind for error in errors} == {
        FaultKind.NETWORK,
        FaultKind.TIMEOUT,
        FaultKind.RATE_LIMIT,
        FaultKind.OVERLOADED,
    }
    assert {error.status for error in errors} == {None, 429}
    assert all(wait > 500 for heard in turns for wait in heard.waits)
    assert any(status.recovered for heard in turns for status in heard.statuses)


@given(st.integers(1, 40), st.integers())
def test_no_turn_breaks_more_often_than_recovery_forgives(turn: int, seed: int) -> None:
    planned = plan_failures(turn, seed)
    assert len(planned) <= RecoveryPolicy().max_retries
    assert planned == plan_failures(turn, seed)


def test_the_first_turns_meet_every_failure() -> None:
    assert {plan.kind for turn in range(1, 5) for plan in plan_failures(turn, 0)} == set(FailureKind)


def test_chaos_notices_a_silence_soon() -> None:
    assert POLICY.silence_timeout < RecoveryPolicy().silence_timeout
    assert shorten_timeouts(replace(RecoveryPolicy(), silence_timeout=1.0)).silence_timeout == 1.0
