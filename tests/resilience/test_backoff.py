"""Waits and their count: arithmetic, held for every policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import Fault, FaultKind, RecoveryPolicy, UnmarkedEnd
from debate_tui.resilience.backoff import FaultAction, RetryBudget, fault_action, jittered_delay

policies = st.builds(
    RecoveryPolicy,
    max_retries=st.integers(0, 20),
    initial=st.floats(0, 100),
    multiplier=st.floats(1, 100),
    cap=st.floats(0, 1000),
    jitter=st.floats(0, 1),
    progress=st.integers(1, 1000),
)
chances = st.floats(0, 1, exclude_max=True)


def test_the_waits_double_up_to_the_cap() -> None:
    assert [jittered_delay(RecoveryPolicy(), retry) for retry in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("multiplier", [1.0, 1.01, 2.0, 100.0])
@pytest.mark.parametrize("n", [1023, 1024, 1025, 100_000])
def test_endless_retries_stay_at_the_longest_wait(multiplier: float, n: int) -> None:
    longest = 1.0 if multiplier == 1 else 30.0
    assert jittered_delay(RecoveryPolicy(multiplier=multiplier), n + 1) == longest
    assert jittered_delay(RecoveryPolicy(multiplier=multiplier, initial=0), n + 1) == 0


def test_the_jitter_is_three_tenths_of_the_wait_around_it() -> None:
    assert jittered_delay(RecoveryPolicy(), 3, random_value=0.0) == pytest.approx(4 - 0.6)
    assert jittered_delay(RecoveryPolicy(), 3, random_value=0.5) == 4
    assert jittered_delay(RecoveryPolicy(), 3, random_value=1.0) == pytest.approx(4 + 0.6)


@given(policies, st.integers(1, 20), st.floats(0, 500), chances)
def test_no_wait_is_below_its_floor(policy: RecoveryPolicy, retry: int, floor: float, chance: float) -> None:
    assert jittered_delay(policy, retry, floor=floor, random_value=chance) >= floor


@given(policies, st.integers(1, 20), chances)
def test_a_wait_stays_within_its_jitter(policy: RecoveryPolicy, retry: int, chance: float) -> None:
    plain = jittered_delay(policy, retry)
    assert abs(jittered_delay(policy, retry, random_value=chance) - plain) <= plain * policy.jitter / 2 + 1e-9


def test_jitter_spreads_debaters_rejected_together() -> None:
    waits = {
        jittered_delay(RecoveryPolicy(), 1, floor=20.0, random_value=chance)
        for chance in (0.1, 0.3, 0.6, 0.9)
    }
    assert len(waits) == 4


def test_five_retries_without_progress_are_the_end() -> None:
    retries = RetryBudget(RecoveryPolicy(), lambda: 0.5)
    assert [retries.next_delay(0) for _ in range(6)] == [1, 2, 4, 8, 16, None]


def test_progress_counts_retries_anew() -> None:
    retries = RetryBudget(RecoveryPolicy(), lambda: 0.5)
    assert [retries.next_delay(n) for n in (0, 100, 199, 200, 400, 599)] == [1, 2, 4, 8, 1, 2]


def test_text_gained_bit_by_bit_between_faults_is_no_progress() -> None:
    retries = RetryBudget(RecoveryPolicy(), lambda: 0.5)
    assert [retries.next_delay(100 * n) for n in range(6)][-1] is None


def test_a_server_that_wants_too_long_a_wait_is_given_up() -> None:
    assert RetryBudget(RecoveryPolicy(), lambda: 0.5).next_delay(0, floor=120.0) == pytest.approx(120.15)
    assert RetryBudget(RecoveryPolicy(), lambda: 0.5).next_delay(0, floor=120.1) is None


@given(policies, st.lists(st.integers(0, 3000), max_size=60).map(sorted))
def test_retries_are_counted_from_one_and_never_beyond_the_most(
    policy: RecoveryPolicy, lengths: list[int]
) -> None:
    retries = RetryBudget(policy, lambda: 0.5)
    for length in lengths:
        before = retries.spent
        if retries.next_delay(length) is None:
            assert before == policy.max_retries
        else:
            assert retries.spent in (1, before + 1)
            assert retries.spent <= policy.max_retries


# The table of DESIGN §5, kind by kind.


TABLE = {
    "network": FaultAction.RETRY,
    "timeout": FaultAction.RETRY,
    "rate_limited": FaultAction.RETRY,
    "overloaded": FaultAction.RETRY,
    "server": FaultAction.RETRY,
    "auth": FaultAction.PAUSE_ALL,
    "quota": FaultAction.PAUSE_ALL,
    "bad_request": FaultAction.SKIP,
    "refused": FaultAction.REFUSED,
    "unknown": FaultAction.SKIP,
}


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_has_its_action(kind: FaultKind) -> None:
    assert fault_action(Fault(kind, "It broke.")) is TABLE[kind.value]


def test_an_unconfirmed_end_is_a_cut() -> None:
    assert fault_action(UnmarkedEnd(vouched=False)) is FaultAction.RETRY
