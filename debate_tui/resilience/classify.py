"""What a fault means for the debate: one table, and nothing that knows where the fault came from."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from debate_tui.domain.stream import FaultKind

if TYPE_CHECKING:
    from debate_tui.domain.stream import Fault


class FaultAction(enum.Enum):
    """What is done about a fault.

    How a retried stream goes on (resumed, restarted, continued) is for its source to say: see `StreamOrigin`.
    """

    RETRY = enum.auto()
    """Wait and connect again; once retries are spent the same as `SKIP`."""
    SKIP = enum.auto()
    """Go on without this debater."""
    PAUSE_ALL = enum.auto()
    """Stop reading everybody and ask: only a person can mend this."""
    REFUSED = enum.auto()
    """End the turn as refused; the debater stays."""


_ACTIONS = {
    FaultKind.NETWORK: FaultAction.RETRY,
    FaultKind.TIMEOUT: FaultAction.RETRY,
    FaultKind.RATE_LIMIT: FaultAction.RETRY,
    FaultKind.OVERLOADED: FaultAction.RETRY,
    FaultKind.SERVER: FaultAction.RETRY,
    FaultKind.AUTH: FaultAction.PAUSE_ALL,
    FaultKind.QUOTA: FaultAction.PAUSE_ALL,
    FaultKind.BAD_REQUEST: FaultAction.SKIP,
    FaultKind.REFUSED: FaultAction.REFUSED,
    FaultKind.UNKNOWN: FaultAction.SKIP,
}


def fault_action(fault: Fault) -> FaultAction:
    """What is done about `fault`.

    Of a fault that recovery raised, `RETRY` means that it was retried as often as it may be.
    """
    return _ACTIONS[fault.kind]
