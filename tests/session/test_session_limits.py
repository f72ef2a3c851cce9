"""Limits on what a debate may spend: refused before a turn, said aloud, and what was said stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Connected, Finished, Usage
from tests.session.scripted_session import Scripted, events_of_type, motion, phase, reasons, start_session

if TYPE_CHECKING:
    from debate_tui.domain.briefs import DebateSpec

PRICED = [Connected(), Chunk("dear"), Finished(usage=Usage(100, 50))]


async def run_with_limits(limited: DebateSpec, price: float | None = 0.01) -> list[events.Event]:
    sources = [Scripted(then=list(PRICED)) for _ in limited.debaters]
    costs = {debater.id: lambda usage: price for debater in limited.debaters}
    session, _, seen = start_session(limited, sources, costs=costs)
    await session.run()
    return seen


def limits_reached(**limits: float) -> DebateSpec:
    return msgspec.structs.replace(motion(*(phase(name) for name in "abc")), **limits)


async def test_no_turn_begins_once_the_tokens_are_used() -> None:
    seen = await run_with_limits(limits_reached(max_tokens=300))
    assert len(events_of_type(seen, events.TurnFinished)) == 2
    assert set(reasons(seen).values()) == {"complete"}
    (said,) = events_of_type(seen, events.DebatePaused)
    assert "300 tokens are used; the limit is 300" in said.reason
    assert events_of_type(seen, events.DebateFinished)[0].reason == "stopped"


async def test_no_turn_begins_once_the_money_is_spent() -> None:
    seen = await run_with_limits(limits_reached(max_cost=0.03))
    assert len(events_of_type(seen, events.TurnFinished)) == 4
    assert "$0.0400 is spent; the limit is $0.0300" in events_of_type(seen, events.DebatePaused)[0].reason


async def test_within_its_limits_a_debate_is_held_to_its_end() -> None:
    seen = await run_with_limits(limits_reached(max_cost=0.06, max_tokens=901))
    assert len(events_of_type(seen, events.TurnFinished)) == 6
    assert events_of_type(seen, events.DebateFinished)[0].reason == "complete"


async def test_the_cost_of_a_turn_is_logged_and_an_unknown_one_is_not_guessed() -> None:
    assert {
        event.cost for event in events_of_type(await run_with_limits(limits_reached()), events.TurnFinished)
    } == {0.01}
    unknown = await run_with_limits(limits_reached(max_cost=0.01), price=None)
    assert {event.cost for event in events_of_type(unknown, events.TurnFinished)} == {None}
    assert events_of_type(unknown, events.DebateFinished)[0].reason == "complete"
