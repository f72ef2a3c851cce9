"""What a debate has cost: added up where it is known, and said where it is not."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.cli.format_files import find_format
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
from debate_tui.domain.usage import (
    MAX_PLAUSIBLE_TOKENS,
    NO_SPENDING,
    CostBreakdown,
    Spending,
    UsageTotals,
    compute_costs,
    estimate_usage,
)

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


# Usage of one turn


def test_a_broken_connection_was_paid_for_too() -> None:
    accounts = UsageTotals()
    assert accounts.add_update(Usage(10, 3)) == Usage(10, 3)
    accounts.start_connection(resumes_answer=False)
    assert accounts.add_update(Usage(12, None, 1)) == Usage(22, 3, 1)
    assert accounts.total(Usage(12, 5)) == Usage(22, 8, 1)


def test_one_that_carries_on_the_same_answer_counts_it_as_a_whole() -> None:
    accounts = UsageTotals()
    accounts.add_update(Usage(10, 3))
    accounts.start_connection(resumes_answer=True)
    assert accounts.total(Usage(10, 7)) == Usage(10, 7)


@pytest.mark.parametrize("count", [-1, MAX_PLAUSIBLE_TOKENS + 1, 10**400])
def test_an_impossible_count_is_ignored(count: int) -> None:
    accounts = UsageTotals()
    assert accounts.add_update(Usage(count, 3)) == Usage(None, 3)
    assert accounts.total(Usage(4, count)) == Usage(4, 3)


def test_an_estimate_follows_the_format_and_who_may_read_what() -> None:
    oxford = find_format("oxford")
    (one, other), judge = estimate_usage(oxford, 2)
    assert one == other
    assert one.output_tokens == round((200 + 2 * 150 + 120) * 1.4)
    assert one.input_tokens is not None
    assert judge.input_tokens is not None
    assert one.input_tokens > 4 * 300
    assert judge.input_tokens == 2 * (300 + round(2 * 620 * 1.4))
    (fed, _), fed_judge = estimate_usage(oxford, 2, (1000, 0), 500)
    assert (fed.input_tokens or 0) - (one.input_tokens or 0) == 4 * 1000
    assert (fed_judge.input_tokens or 0) - (judge.input_tokens or 0) == 2 * 500
    blind, _ = estimate_usage(find_format("compare"), 2)
    assert [usage.input_tokens for usage in blind] == [300, 300]
