"""Plays a recorded debate back in its own time, as a log that any view can follow."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Protocol

from debate_tui.record.log import BATCH_SIZE, BaseLog
from debate_tui.record.playhead import MAX_GAP_S, Playhead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event


class PlaybackClock(Protocol):
    """The time playback goes by."""

    def now(self) -> float:
        """Seconds, from anywhere, never backwards."""
        ...

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        """Return once `changed` is set or the seconds are over; `None` waits for `changed` alone."""
        ...


class MonotonicClock:
    """Real time."""

    def now(self) -> float:
        """See `PlaybackClock.now`."""
        return time.monotonic()

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        """See `PlaybackClock.wait`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()


class Player(BaseLog):
    """A log whose events come as they came when the debate was held, as fast as asked for.

    Views follow it like any other log, and see the very events of the record, `events`. Going forward
    brings what lies between at once. Going back takes events back, which no view can follow: `read` then
    ends earlier, and `on_rewind`, which may be set at any time, is called so that views can be built anew
    from the beginning.

    Commands act at once, while `run` is under way in a task of the caller's; it returns when the player
    is closed, so that one can go back from the end.
    """

    def __init__(
        self,
        events: Sequence[Event],
        *,
        speed: float = 1.0,
        clock: PlaybackClock | None = None,
        max_gap: float = MAX_GAP_S,
        on_rewind: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.events = events
        self._clock = clock or MonotonicClock()
        self._state_changed = asyncio.Event()
        self.on_rewind = on_rewind
        self._playhead = Playhead(events, speed=speed, max_gap=max_gap)

    @property
    def seq(self) -> int:
        """See `BaseLog.seq`: the newest event shown."""
        return self.events[self._playhead.shown_count - 1].seq if self._playhead.shown_count else 0

    @property
    def over(self) -> bool:
        """See `BaseLog.over`; records of killed debates end without a `debate.finished`."""
        return self._playhead.at_end

    @property
    def position(self) -> float:
        """Seconds into the debate, long silences shortened."""
        return self._playhead.position(self._clock.now())

    @property
    def length(self) -> float:
        """How long the debate plays at speed 1, in seconds."""
        return self._playhead.length

    @property
    def round_starts(self) -> Sequence[float]:
        """Where the rounds begin, in seconds."""
        return self._playhead.round_starts

    @property
    def speed(self) -> float:
        """How much faster than it was held the debate is played."""
        return self._playhead.speed

    @property
    def paused(self) -> bool:
        """Whether playback stands still."""
        return self._playhead.paused

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`; only what has been shown."""
        return self.events[after : min(after + limit, self._playhead.shown_count)]

    async def run(self) -> None:
        """Play until the player is closed."""
        self._playhead.resume(self._clock.now())
        while not self._closed:
            self._state_changed.clear()
            for index in self._playhead.take_due(self._clock.now()):
                if index >= self._playhead.shown_count:  # a listener went back
                    break
                self._publish(self.events[index])
            await self._clock.wait(self._state_changed, self._playhead.seconds_until_next(self._clock.now()))

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`."""
        await super().aclose()
        self._state_changed.set()

    def toggle_pause(self) -> None:
        """Stand still, or go on; the other commands work either way."""
        now = self._clock.now()
        if self._playhead.paused:
            self._playhead.resume(now)
        else:
            self._playhead.pause(now)
        self._state_changed.set()

    def double_speed(self) -> None:
        """Double the speed, up to 64."""
        self._playhead.change_speed(self._clock.now(), 2)
        self._state_changed.set()

    def halve_speed(self) -> None:
        """Halve the speed, down to a quarter."""
        self._playhead.change_speed(self._clock.now(), 0.5)
        self._state_changed.set()

    def seek(self, position: float) -> None:
        """Go to a time in the debate, in seconds; one beyond either end means that end."""
        rewound = self._playhead.seek(self._clock.now(), position)
        self._state_changed.set()
        if rewound:
            self.on_rewind()

    def seek_tenth(self, tenths: int) -> None:
        """Go to 0 to 10 tenths of the debate."""
        self.seek(self._playhead.tenth_start(tenths))

    def seek_round(self, number: int) -> None:
        """Go to where a round begins, counted from 1 over all phases; `UsageError` if there is none."""
        self.seek(self._playhead.round_start(number))

    def next_turn(self) -> None:
        """Go to where the next turn begins."""
        self.seek(self._playhead.next_turn_start(self._clock.now()))

    def previous_turn(self) -> None:
        """Go back to where this turn began, or the one before if it has only just begun."""
        self.seek(self._playhead.previous_turn_start(self._clock.now()))
