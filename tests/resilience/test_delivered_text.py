"""What a turn has cost over all its connections."""

from __future__ import annotations

import pytest

from debate_tui.domain.stream import Usage
from debate_tui.resilience.delivered_text import MAX_PLAUSIBLE_TOKENS, UsageTotals


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
