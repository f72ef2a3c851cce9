"""Plays a recorded debate back in its own time, as a log that any view can follow."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Protocol

from debate_tui.record.log import BATCH, Broadcast
from debate_tui.record.playhead import LONGEST_SILENCE_S, Playhead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event


class Clock(Protocol):
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
        """See `Clock.now`."""
        return time.monotonic()

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        """See `Clock.wait`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()


class Player(Broadcast):
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
        clock: Clock | None = None,
        longest_silence: float = LONGEST_SILENCE_S,
        on_rewind: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.events = events
        self._clock = clock or MonotonicClock()
        self._changed = asyncio.Event()
        self.on_rewind = on_rewind
        self._head = Playhead(events, speed=speed, longest_silence=longest_silence)

    @property
    def seq(self) -> int:
        """See `Broadcast.seq`: the newest event shown."""
        return self.events[self._head.shown - 1].seq if self._head.shown else 0

    @property
    def over(self) -> bool:
        """See `Broadcast.over`; records of killed debates end without a `debate.finished`."""
        return self._head.at_end

    @property
    def place(self) -> float:
        """Seconds into the debate, long silences shortened."""
        return self._head.place(self._clock.now())

    @property
    def length(self) -> float:
        """How long the debate plays at speed 1, in seconds."""
        return self._head.length

    @property
    def rounds(self) -> Sequence[float]:
        """Where the rounds begin, in seconds."""
        return self._head.rounds

    @property
    def speed(self) -> float:
        """How much faster than it was held the debate is played."""
        return self._head.speed

    @property
    def paused(self) -> bool:
        """Whether playback stands still."""
        return self._head.paused

    async def read(self, after: int = 0, limit: int = BATCH) -> Sequence[Event]:
        """See `ReadableLog.read`; only what has been shown."""
        return self.events[after : min(after + limit, self._head.shown)]

    async def run(self) -> None:
        """Play until the player is closed."""
        self._head.resume(self._clock.now())
        while not self._closed:
            self._changed.clear()
            for index in self._head.due(self._clock.now()):
                if index >= self._head.shown:  # a listener went back
                    break
                self._publish(self.events[index])
            await self._clock.wait(self._changed, self._head.wait(self._clock.now()))

    async def aclose(self) -> None:
        """See `ReadableLog.aclose`."""
        await super().aclose()
        self._changed.set()

    def toggle(self) -> None:
        """Stand still, or go on; the other commands work either way."""
        now = self._clock.now()
        if self._head.paused:
            self._head.resume(now)
        else:
            self._head.pause(now)
        self._changed.set()

    def faster(self) -> None:
        """Double the speed, up to 64."""
        self._head.change_speed(self._clock.now(), 2)
        self._changed.set()

    def slower(self) -> None:
        """Halve the speed, down to a quarter."""
        self._head.change_speed(self._clock.now(), 0.5)
        self._changed.set()

    def seek(self, place: float) -> None:
        """Go to a time in the debate, in seconds; one beyond either end means that end."""
        rewound = self._head.seek(self._clock.now(), place)
        self._changed.set()
        if rewound:
            self.on_rewind()

    def seek_tenth(self, tenths: int) -> None:
        """Go to 0 to 10 tenths of the debate."""
        self.seek(self._head.tenth(tenths))

    def seek_round(self, number: int) -> None:
        """Go to where a round begins, counted from 1 over all phases; `UsageError` if there is none."""
        self.seek(self._head.round(number))

    def next_turn(self) -> None:
        """Go to where the next turn begins."""
        self.seek(self._head.next_turn(self._clock.now()))

    def previous_turn(self) -> None:
        """Go back to where this turn began, or the one before if it has only just begun."""
        self.seek(self._head.previous_turn(self._clock.now()))
