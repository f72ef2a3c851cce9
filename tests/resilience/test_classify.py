"""The table of DESIGN §5, kind by kind."""

from __future__ import annotations

import pytest

from debate_tui.domain.stream import Ended, Fault, FaultKind
from debate_tui.resilience.classify import Action, action

TABLE = {
    "network": Action.RETRY,
    "timeout": Action.RETRY,
    "rate_limited": Action.RETRY,
    "overloaded": Action.RETRY,
    "server": Action.RETRY,
    "auth": Action.PAUSE_ALL,
    "quota": Action.PAUSE_ALL,
    "bad_request": Action.SKIP,
    "refused": Action.REFUSED,
    "unknown": Action.SKIP,
}


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_has_its_action(kind: FaultKind) -> None:
    assert action(Fault(kind, "It broke.")) is TABLE[kind.value]


def test_an_end_nobody_vouches_for_is_a_cut() -> None:
    assert action(Ended(vouched=False)) is Action.RETRY
