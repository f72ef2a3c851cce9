"""Retry delays and budgets, and what each fault means; pure functions and counters."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.domain.wording import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.stream import RecoveryPolicy


def jittered_delay(
    policy: RecoveryPolicy, retry: int, *, floor: float = 0.0, random_value: float = 0.5
) -> float:
    """Return the delay before retry number `retry` (from 1), in seconds.

    `random_value` is a random number from 0 to 1; 0.5 means no jitter. The result is never below `floor`, the
    wait requested by the server. If the floor applies, jitter is added to it, so that debaters rejected
    together do not reconnect together.
    """
    try:
        plain = min(policy.initial * policy.multiplier ** (retry - 1), policy.cap)
    except OverflowError:  # after hours of retries
        plain = policy.cap if policy.initial else 0.0
    spread = plain * policy.jitter
    return max(plain + spread * (random_value - 0.5), floor + spread * random_value if floor else 0.0)


class RetryBudget:
    """Counts the retries of one turn; `spent` is their number since the stream last made progress."""

    def __init__(self, policy: RecoveryPolicy, random: Callable[[], float]) -> None:
        self.spent = 0
        self.max_retries = policy.max_retries
        self._policy = policy
        self._random = random
        self._longest_length = 0

    def next_delay(self, longest_length: int, floor: float = 0.0) -> float | None:
        """Spend one retry; return the delay before it in seconds, or `None` to give up.

        `longest_length` is the greatest length the turn's text ever had. A restarted stream only makes
        progress beyond it, so that one which never gets further is not restarted forever.
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
        """Return the final fault; it says so if the wait requested by the server is too long."""
        limit = self._policy.max_retry_after
        if floor <= limit:
            return fault
        waits = f"asks for a wait of {format_duration(floor)}; the limit is {format_duration(limit)}"
        return Fault(
            fault.kind,
            f"{fault.message.rstrip('. ')}. The server {waits}. Press 'r' to retry.",
            status=fault.status,
            retry_after=fault.retry_after,
            text_seen=fault.text_seen,
            hint=fault.hint,
        )


# What a fault means for the debate, whatever its source.


class FaultAction(enum.Enum):
    """Reaction to a fault.

    How a retried stream continues (resumed, restarted, continued) is up to its source: see `StreamOrigin`.
    """

    RETRY = enum.auto()
    """Wait and reconnect; the same as `SKIP` once retries are spent."""
    SKIP = enum.auto()
    """Continue without this debater."""
    PAUSE_ALL = enum.auto()
    """Pause all streams and ask: only the user can fix this."""
    REFUSED = enum.auto()
    """End the turn as refused; the debater stays."""


class TextlessAnswer(Fault):
    """The answer ended without text; `instead` is what it contained, such as ``a tool call``."""

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
    """Return the reaction to `fault`.

    For a fault raised by recovery, `RETRY` means that its retries are spent.
    """
    return _ACTIONS[fault.kind]
