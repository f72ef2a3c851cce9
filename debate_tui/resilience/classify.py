"""What a fault means for the debate: one table, and nothing that knows where the fault came from."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from debate_tui.domain.stream import FaultKind

if TYPE_CHECKING:
    from debate_tui.domain.stream import Fault


class Action(enum.Enum):
    """What is done about a fault.

    How a retried stream goes on (resumed, restarted, continued) is for its source to say: see `Origin`.
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
    FaultKind.NETWORK: Action.RETRY,
    FaultKind.TIMEOUT: Action.RETRY,
    FaultKind.RATE_LIMIT: Action.RETRY,
    FaultKind.OVERLOADED: Action.RETRY,
    FaultKind.SERVER: Action.RETRY,
    FaultKind.AUTH: Action.PAUSE_ALL,
    FaultKind.QUOTA: Action.PAUSE_ALL,
    FaultKind.BAD_REQUEST: Action.SKIP,
    FaultKind.REFUSED: Action.REFUSED,
    FaultKind.UNKNOWN: Action.SKIP,
}


def action(fault: Fault) -> Action:
    """What is done about `fault`.

    Of a fault that recovery raised, `RETRY` means that it was retried as often as it may be.
    """
    return _ACTIONS[fault.kind]
