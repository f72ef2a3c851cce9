"""What a turn has cost over all its connections."""

from __future__ import annotations

import pytest

from debate_tui.domain.stream import Usage
from debate_tui.resilience.accounts import MOST_TOKENS, Accounts


def test_a_broken_connection_was_paid_for_too() -> None:
    accounts = Accounts()
    assert accounts.so_far(Usage(10, 3)) == Usage(10, 3)
    accounts.connect(same_answer=False)
    assert accounts.so_far(Usage(12, None, 1)) == Usage(22, 3, 1)
    assert accounts.total(Usage(12, 5)) == Usage(22, 8, 1)


def test_one_that_carries_on_the_same_answer_counts_it_as_a_whole() -> None:
    accounts = Accounts()
    accounts.so_far(Usage(10, 3))
    accounts.connect(same_answer=True)
    assert accounts.total(Usage(10, 7)) == Usage(10, 7)


@pytest.mark.parametrize("count", [-1, MOST_TOKENS + 1, 10**400])
def test_a_count_that_cannot_be_is_one_that_nobody_told(count: int) -> None:
    accounts = Accounts()
    assert accounts.so_far(Usage(count, 3)) == Usage(None, 3)
    assert accounts.total(Usage(4, count)) == Usage(4, 3)
