"""How long to wait before connecting again, and how often: arithmetic only."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
