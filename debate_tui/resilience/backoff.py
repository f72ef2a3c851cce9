"""How long to wait before connecting again, and how often: arithmetic only."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.stream import RecoveryPolicy


def base_delay(policy: RecoveryPolicy, retry_index: int) -> float:
    """The wait behind the n-th retry, from 0, before jitter and floors, in seconds."""
    try:
        return min(policy.initial * policy.multiplier**retry_index, policy.cap)
    except OverflowError:  # somebody has been trying for hours
        return policy.cap if policy.initial else 0.0


def jittered_delay(
    policy: RecoveryPolicy, retry: int, *, floor: float = 0.0, random_value: float = 0.5
) -> float:
    """The wait before retry number `retry`, from 1, in seconds; `random_value` is a random number below 1.

    Never below `floor`, which is what the server asked for. Where the floor decides, chance comes on top of
    it: debaters that were sent away together do not come back together.
    """
    plain = base_delay(policy, retry - 1)
    spread = plain * policy.jitter
    return max(plain + spread * (random_value - 0.5), floor + spread * random_value if floor else 0.0)


class RetryBudget:
    """Counts the retries of one turn; `spent` of them since the stream last made progress."""

    def __init__(self, policy: RecoveryPolicy, random: Callable[[], float]) -> None:
        self.spent = 0
        self.max_retries = policy.max_retries
        self._policy = policy
        self._random = random
        self._longest_length = 0

    def next_delay(self, longest_length: int, floor: float = 0.0) -> float | None:
        """Spend one more retry: the wait before it, in seconds, or `None` to give up.

        `longest_length` is the greatest length the turn's text ever had. A restarted stream makes progress
        only beyond it, so that one which never gets further is not restarted for ever.
        """
        policy = self._policy
        if longest_length - self._longest_length >= policy.progress:
            self.spent = 0
        self._longest_length = max(longest_length, self._longest_length)
        if self.spent >= self.max_retries or floor > policy.max_retry_after:
            return None
        self.spent += 1
        return jittered_delay(policy, self.spent, floor=floor, random_value=self._random())

    def explain_refused_wait(self, fault: Fault, floor: float) -> Fault:
        """The fault to give up with: it says so if that is because the server asks for too long a wait."""
        limit = self._policy.max_retry_after
        if floor <= limit:
            return fault
        asked = f"The server asks for a wait of {_format_wait(floor)}, the limit is {_format_wait(limit)}."
        return Fault(
            fault.kind,
            f"{fault.message.rstrip('. ')}. {asked} Press 'r' to retry.",
            status=fault.status,
            retry_after=fault.retry_after,
            text_seen=fault.text_seen,
            hint=fault.hint,
        )


def _format_wait(seconds: float) -> str:
    """A wait for people, in larger units too where that is easier to grasp."""
    if seconds <= 180:
        return f"{seconds:.0f} s"
    larger = f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
    return f"{seconds:.0f} s ({larger})"


# What a fault means for the debate: one table, and nothing that knows where the fault came from.


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


class TextlessAnswer(Fault):
    """The answer came to its end without text; `instead` is what it had, such as ``a tool call``."""

    def __init__(self, instead: str) -> None:
        only = f", {instead if instead.startswith('only ') else f'only {instead}'}" if instead else ""
        super().__init__(FaultKind.UNKNOWN, f"The answer had no text{only}.")


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
