"""Ends a wait for a stream that takes too long, without a timer for every wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from debate_tui.domain.stream import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from debate_tui.domain.stream import RecoveryPolicy

PAUSE_RECHECK_SECONDS = 1.0
"""How often it is looked whether reading is still held back, once a limit would have passed, in seconds."""


class TimerHandle(Protocol):
    """A call that may still be called off."""

    def cancel(self) -> None: ...


class TimerClock(Protocol):
    """What tells the time and calls back; an asyncio event loop is one."""

    def time(self) -> float:
        """Seconds from any fixed point."""
        ...

    def call_at(self, when: float, callback: Callable[[], object], /) -> TimerHandle:
        """Call back, once, when `time` has reached `when`."""
        ...


class Watchdog:
    """Watches one connection; every wait for it is a `with` block, in which it may raise a `timeout` fault.

    Only time within these blocks counts, so a reader that is held back is never taken for a silent sender;
    nor does time while `is_paused` says that reading is paused. At most one timer is armed. It is not moved
    at every wait: when it goes off, it looks how long the present wait has lasted.
    """

    def __init__(self, policy: RecoveryPolicy, clock: TimerClock, is_paused: Callable[[], bool]) -> None:
        self._policy = policy
        self._clock = clock
        self._is_paused = is_paused
        self._timer: TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.wait_start = 0.0
        """When the wait under way, or else the last one, began."""
        self._silence_left = self._text_left = 0.0
        self._first_byte_seen = False
        self._expired: Fault | None = None

    def start_connection(self) -> None:
        """A new connection is about to be made: the time to its first byte begins."""
        self.close()
        self._first_byte_seen = False
        self._silence_left = self._policy.first_byte_timeout
        self._text_left = self._policy.text_timeout

    def mark_connected(self) -> None:
        """The server has answered, but nothing of the stream has come yet: time goes on."""
        waited = self._clock.time() - self.wait_start
        self._silence_left -= waited
        self._text_left -= waited

    def record_activity(self) -> None:
        """A sign of life came."""
        self._mark_first_byte()
        self._text_left -= self._clock.time() - self.wait_start
        self._silence_left = self._policy.silence_timeout
        if self._text_left < self._silence_left:
            self.close()  # the limit has come nearer than the timer

    def record_text(self) -> None:
        """Text came."""
        self._mark_first_byte()
        self._silence_left = self._policy.silence_timeout
        self._text_left = self._policy.text_timeout

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        self.wait_start = self._clock.time()
        self._task = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task else 0
        if self._timer is None:
            self._arm(self.wait_start + self._time_left())

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._expired is None or task is None:
            return
        fault, self._expired = self._expired, None
        # As in asyncio.timeout: a cancellation from elsewhere, at the same moment, goes first.
        if task.uncancel() <= self._cancelling and exc_type is asyncio.CancelledError:
            raise fault from None

    def _mark_first_byte(self) -> None:
        if not self._first_byte_seen:
            self._first_byte_seen = True
            self.close()  # armed for the first byte, which may be given more time than all else

    def _time_left(self) -> float:
        return min(self._silence_left, self._text_left)

    def _arm(self, when: float) -> None:
        self._timer = self._clock.call_at(when, self._check)

    def _check(self) -> None:
        self._timer = None
        task = self._task
        if task is None:
            return  # nobody waits; the next wait arms the timer again
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
            message = f"No text came for {policy.text_timeout:g} s, only signs of life."
        elif self._first_byte_seen:
            message = f"Nothing came for {policy.silence_timeout:g} s."
        else:
            message = f"No answer came within {policy.first_byte_timeout:g} s."
        return Fault(FaultKind.TIMEOUT, message)
