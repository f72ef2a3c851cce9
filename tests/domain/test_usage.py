"""What a debate has cost: added up where it is known, and said where it is not."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import (
    DebaterInfo,
    DebateStarted,
    Event,
    TurnFinished,
    TurnStarted,
    Verdict,
)
from debate_tui.domain.stream import Usage
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.usage import NO_SPENDING, CostBreakdown, Spending, compute_costs

CAST = tuple(DebaterInfo(name, name, "", "x", "x") for name in "ab")


def bill_for(*events: Event) -> CostBreakdown:
    log = (DebateStarted(debate="d", topic="t", format="f", debaters=CAST), *events)
    return compute_costs(
        Transcript(msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(log, 1))
    )


def turn(
    number: int, debater: str, usage: Usage | None = None, cost: float | None = None
) -> tuple[Event, ...]:
    return (
        TurnStarted(turn=number, debater=debater, phase="p"),
        TurnFinished(turn=number, debater=debater, reason="complete", usage=usage, cost=cost),
    )


def verdict(usage: Usage | None, cost: float | None, model: str = "m") -> Verdict:
    return Verdict(judge="j", model=model, winner=None, agreed=True, controlled=True, usage=usage, cost=cost)


def test_tokens_and_money_are_added_up_for_each_debater_the_judges_and_all():
    found = bill_for(
        *turn(1, "a", Usage(100, 10), 0.25),
        *turn(2, "b", Usage(200, 20), 0.5),
        *turn(3, "a", Usage(300, 30), 0.25),
        verdict(Usage(1000, 5), 1.0),
    )

    assert found.debaters == {"a": Spending(400, 40, 0.5), "b": Spending(200, 20, 0.5)}
    assert found.judges == Spending(1000, 5, 1.0)
    assert found.total == Spending(1600, 65, 2.0)
    assert found.total.tokens == 1665


def test_what_nobody_knows_is_said_and_makes_the_sum_the_least_it_can_be():
    found = bill_for(*turn(1, "a", Usage(100, 10), 0.25), *turn(2, "b"), *turn(3, "b", Usage(5, 5)))

    assert found.debaters["b"] == Spending(5, 5, None, counted=False, priced=False)
    assert found.total == Spending(105, 15, 0.25, counted=False, priced=False)


def test_a_turn_under_way_and_debaters_who_settle_it_themselves_cost_nothing_yet():
    begun = TurnStarted(turn=1, debater="a", phase="p")

    assert bill_for(begun, verdict(None, None, model="")).total == NO_SPENDING


@given(st.lists(st.builds(Spending, st.integers(0, 9), st.integers(0, 9), st.none() | st.just(0.5))))
def test_no_order_of_adding_changes_the_sum(parts: list[Spending]):
    assert sum(parts, NO_SPENDING) == sum(reversed(parts), NO_SPENDING)
