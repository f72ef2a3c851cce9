"""How long to wait before connecting again, and how often: arithmetic only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.policy import Policy


def delay(policy: Policy, n: int) -> float:
    """The wait behind the n-th retry, from 0, before jitter and floors, in seconds."""
    try:
        return min(policy.initial * policy.multiplier**n, policy.cap)
    except OverflowError:  # somebody has been trying for hours
        return policy.cap if policy.initial else 0.0


def wait(policy: Policy, retry: int, *, floor: float = 0.0, chance: float = 0.5) -> float:
    """The wait before retry number `retry`, from 1, in seconds; `chance` is a random number below 1.

    Never below `floor`, which is what the server asked for. Where the floor decides, chance comes on top of
    it: debaters that were sent away together do not come back together.
    """
    plain = delay(policy, retry - 1)
    spread = plain * policy.jitter
    return max(plain + spread * (chance - 0.5), floor + spread * chance if floor else 0.0)


class Retries:
    """Counts the retries of one turn; `spent` of them since the stream last made progress."""

    def __init__(self, policy: Policy, random: Callable[[], float]) -> None:
        self.spent = 0
        self.most = policy.max_retries
        self._policy = policy
        self._random = random
        self._furthest = 0

    def next_wait(self, furthest: int, floor: float = 0.0) -> float | None:
        """Spend one more retry: the wait before it, in seconds, or `None` to give up.

        `furthest` is the greatest length the turn's text ever had. A restarted stream makes progress only
        beyond it, so that one which never gets further is not restarted for ever.
        """
        policy = self._policy
        if furthest - self._furthest >= policy.progress:
            self.spent = 0
        self._furthest = max(furthest, self._furthest)
        if self.spent >= self.most or floor > policy.max_retry_after:
            return None
        self.spent += 1
        return wait(policy, self.spent, floor=floor, chance=self._random())
