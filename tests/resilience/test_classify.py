"""The table of DESIGN §5, kind by kind."""

from __future__ import annotations

import pytest

from debate_tui.domain.stream import Fault, FaultKind, UnmarkedEnd
from debate_tui.resilience.backoff import FaultAction, fault_action

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
