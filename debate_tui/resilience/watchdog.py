"""Timeouts for waits on a stream, without a timer for each wait."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.domain.wording import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from debate_tui.domain.stream import RecoveryPolicy

PAUSE_RECHECK_SECONDS = 1.0
"""Seconds between checks whether reading is still paused, once a limit would have passed."""


class Watchdog:
    """Watches one connection; each wait for it is a `with` block that may raise a `timeout` fault.

    `clock` is the event loop, for its time and its timers. Only time within these blocks counts, so
    backpressure is never mistaken for a silent sender; nor does time count while `is_paused` is true. At
    most one timer is armed. It is not moved for every wait: when it fires, it checks how long the current
    wait has lasted.
    """

    def __init__(
        self, policy: RecoveryPolicy, clock: asyncio.AbstractEventLoop, is_paused: Callable[[], bool]
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._is_paused = is_paused
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.wait_start = 0.0
        """When the current or the last wait began."""
        self._silence_left = self._text_left = 0.0
        self._first_byte_seen = False
        self._expired: Fault | None = None

    def start_connection(self) -> None:
        """Start the first-byte timeout for a new connection."""
        self.close()
        self._first_byte_seen = False
        self._silence_left = self._policy.first_byte_timeout
        self._text_left = self._policy.text_timeout

    def mark_connected(self, *, untimed: bool = False) -> None:
        """Account for the time until the response; the first-byte timeout keeps running.

        If the answer is `untimed`, there are no timeouts until its text comes.
        """
        if untimed:
            self.close()
            self._silence_left = self._text_left = math.inf
            return
        waited = self._clock.time() - self.wait_start
        self._silence_left -= waited
        self._text_left -= waited

    def record_activity(self) -> None:
        """Record a sign of life."""
        self._mark_first_byte()
        self._text_left -= self._clock.time() - self.wait_start
        self._silence_left = self._policy.silence_timeout
        if self._text_left < self._silence_left:
            self.close()  # the limit is now earlier than the timer

    def record_text(self) -> None:
        """Record that text arrived."""
        self._mark_first_byte()
        self._silence_left = self._policy.silence_timeout
        self._text_left = self._policy.text_timeout

    def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        self.wait_start = self._clock.time()
        self._task = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task else 0
        if self._timer is None and self._text_left < math.inf:
            self._arm(self.wait_start + self._time_left())

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._expired is None or task is None:
            return
        fault, self._expired = self._expired, None
        # As in asyncio.timeout, a simultaneous cancellation from elsewhere takes precedence.
        if task.uncancel() <= self._cancelling and exc_type is asyncio.CancelledError:
            raise fault from None

    def _mark_first_byte(self) -> None:
        if not self._first_byte_seen:
            self._first_byte_seen = True
            self.close()  # armed for the first byte, whose limit may be longer

    def _time_left(self) -> float:
        return min(self._silence_left, self._text_left)

    def _arm(self, when: float) -> None:
        self._timer = self._clock.call_at(when, self._check)

    def _check(self) -> None:
        self._timer = None
        task = self._task
        if task is None:
            return  # no wait is active; the next one arms the timer again
        now = self._clock.time()
        if self._is_paused():
            self.wait_start = now
            self._arm(now + PAUSE_RECHECK_SECONDS)
        elif now < self.wait_start + self._time_left():
            self._arm(self.wait_start + self._time_left())
        else:
            self._expired = self._timeout_fault()
            task.cancel()

    def _timeout_fault(self) -> Fault:
        policy = self._policy
        if self._text_left < self._silence_left:
            message = f"No text for {format_duration(policy.text_timeout)}, only keep-alives."
        elif self._first_byte_seen:
            message = f"No data for {format_duration(policy.silence_timeout)}."
        else:
            message = f"No answer within {format_duration(policy.first_byte_timeout)}."
        return Fault(FaultKind.TIMEOUT, message)
