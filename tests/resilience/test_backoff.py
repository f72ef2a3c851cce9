"""Waits and their count: arithmetic, held for every policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.policy import Policy
from debate_tui.resilience.backoff import Retries, delay, wait

policies = st.builds(
    Policy,
    max_retries=st.integers(0, 20),
    initial=st.floats(0, 100),
    multiplier=st.floats(1, 100),
    cap=st.floats(0, 1000),
    jitter=st.floats(0, 1),
    progress=st.integers(1, 1000),
)
chances = st.floats(0, 1, exclude_max=True)


def test_the_waits_double_up_to_the_cap() -> None:
    assert [delay(Policy(), n) for n in range(7)] == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("multiplier", [1.0, 1.01, 2.0, 100.0])
@pytest.mark.parametrize("n", [1023, 1024, 1025, 100_000])
def test_whoever_tries_for_ever_waits_the_longest_wait(multiplier: float, n: int) -> None:
    longest = 1.0 if multiplier == 1 else 30.0
    assert delay(Policy(multiplier=multiplier), n) == longest
    assert delay(Policy(multiplier=multiplier, initial=0), n) == 0
    assert wait(Policy(multiplier=multiplier), n + 1) == longest


def test_the_jitter_is_three_tenths_of_the_wait_around_it() -> None:
    assert wait(Policy(), 3, chance=0.0) == pytest.approx(4 - 0.6)
    assert wait(Policy(), 3, chance=0.5) == 4
    assert wait(Policy(), 3, chance=1.0) == pytest.approx(4 + 0.6)


@given(policies, st.integers(1, 20), st.floats(0, 500), chances)
def test_no_wait_is_below_its_floor(policy: Policy, retry: int, floor: float, chance: float) -> None:
    assert wait(policy, retry, floor=floor, chance=chance) >= floor


@given(policies, st.integers(1, 20), chances)
def test_a_wait_stays_within_its_jitter(policy: Policy, retry: int, chance: float) -> None:
    plain = delay(policy, retry - 1)
    assert abs(wait(policy, retry, chance=chance) - plain) <= plain * policy.jitter / 2 + 1e-9


def test_debaters_sent_away_together_do_not_come_back_together() -> None:
    waits = {wait(Policy(), 1, floor=20.0, chance=chance) for chance in (0.1, 0.3, 0.6, 0.9)}
    assert len(waits) == 4


def test_five_retries_without_progress_are_the_end() -> None:
    retries = Retries(Policy(), lambda: 0.5)
    assert [retries.next_wait(0) for _ in range(6)] == [1, 2, 4, 8, 16, None]


def test_progress_counts_retries_anew() -> None:
    retries = Retries(Policy(), lambda: 0.5)
    assert [retries.next_wait(n) for n in (0, 100, 199, 200, 400, 599)] == [1, 2, 4, 8, 1, 2]


def test_text_gained_bit_by_bit_between_faults_is_no_progress() -> None:
    retries = Retries(Policy(), lambda: 0.5)
    assert [retries.next_wait(100 * n) for n in range(6)][-1] is None


def test_a_server_that_wants_too_long_a_wait_is_given_up() -> None:
    assert Retries(Policy(), lambda: 0.5).next_wait(0, floor=120.0) == pytest.approx(120.15)
    assert Retries(Policy(), lambda: 0.5).next_wait(0, floor=120.1) is None


@given(policies, st.lists(st.integers(0, 3000), max_size=60).map(sorted))
def test_retries_are_counted_from_one_and_never_beyond_the_most(policy: Policy, lengths: list[int]) -> None:
    retries = Retries(policy, lambda: 0.5)
    for length in lengths:
        before = retries.spent
        if retries.next_wait(length) is None:
            assert before == policy.max_retries
        else:
            assert retries.spent in (1, before + 1)
            assert retries.spent <= policy.max_retries
