"""Ends a wait for a stream that takes too long, without a timer for every wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from debate_tui.domain.stream import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from debate_tui.domain.policy import Policy

HELD_RECHECK = 1.0
"""How often it is looked whether reading is still held back, once a limit would have passed, in seconds."""


class Timer(Protocol):
    """A call that may still be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What tells the time and calls back; an asyncio event loop is one."""

    def time(self) -> float:
        """Seconds from any fixed point."""
        ...

    def call_at(self, when: float, callback: Callable[[], object], /) -> Timer:
        """Call back, once, when `time` has reached `when`."""
        ...


class Watchdog:
    """Watches one connection; every wait for it is a `with` block, in which it may raise a `timeout` fault.

    Only time within these blocks counts, so a reader that is held back is never taken for a silent sender;
    nor does time while `held` says that reading is paused. At most one timer is armed. It is not moved at
    every wait: when it goes off, it looks how long the present wait has lasted.
    """

    def __init__(self, policy: Policy, clock: Clock, held: Callable[[], bool]) -> None:
        self._policy = policy
        self._clock = clock
        self._held = held
        self._timer: Timer | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._since = 0.0
        self._quiet_left = self._text_left = 0.0
        self._begun = False
        self._expired: Fault | None = None

    def connecting(self) -> None:
        """A new connection is about to be made: the time to its first byte begins."""
        self.close()
        self._begun = False
        self._quiet_left = self._policy.first_byte_timeout
        self._text_left = self._policy.text_timeout

    def connected(self) -> None:
        """The server has answered, but nothing of the stream has come yet: time goes on."""
        waited = self._clock.time() - self._since
        self._quiet_left -= waited
        self._text_left -= waited

    def alive(self) -> None:
        """A sign of life came."""
        self._begin()
        self._text_left -= self._clock.time() - self._since
        self._quiet_left = self._policy.silence_timeout
        if self._text_left < self._quiet_left:
            self.close()  # the limit has come nearer than the timer

    def text(self) -> None:
        """Text came."""
        self._begin()
        self._quiet_left = self._policy.silence_timeout
        self._text_left = self._policy.text_timeout

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def __enter__(self) -> None:
        self._since = self._clock.time()
        self._task = task = asyncio.current_task()
        self._cancelling = task.cancelling() if task else 0
        if self._timer is None:
            self._arm(self._since + self._limit())

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

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.close()  # armed for the first byte, which may be given more time than all else

    def _limit(self) -> float:
        return min(self._quiet_left, self._text_left)

    def _arm(self, when: float) -> None:
        self._timer = self._clock.call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        task = self._task
        if task is None:
            return  # nobody waits; the next wait arms the timer again
        now = self._clock.time()
        if self._held():
            self._since = now
            self._arm(now + HELD_RECHECK)
        elif now < self._since + self._limit():
            self._arm(self._since + self._limit())
        else:
            self._expired = self._fault()
            task.cancel()

    def _fault(self) -> Fault:
        policy = self._policy
        if self._text_left < self._quiet_left:
            message = f"No text came for {policy.text_timeout:g} s, only signs of life."
        elif self._begun:
            message = f"Nothing came for {policy.silence_timeout:g} s."
        else:
            message = f"No answer came within {policy.first_byte_timeout:g} s."
        return Fault(FaultKind.TIMEOUT, message)
