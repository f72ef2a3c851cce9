"""Playback of a recorded debate with its original timing, as a log that any view can follow."""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import PhaseStarted, TurnStarted
from debate_tui.domain.playback import MAX_GAP_S, playback_positions
from debate_tui.record.log import BATCH_SIZE, ReadableLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material


# The playback position: arithmetic on given times, without a clock of its own.


MIN_SPEED: Final = 0.25
MAX_SPEED: Final = 64.0

_SAME_START_S: Final = 1.0
"""Turns that start within this many seconds of each other are one seek target."""


class Playhead:
    """A playback position that advances with a clock.

    Positions are in seconds from the first event, with long gaps shortened. `shown_count` is the number of
    events up to the current position; `round_starts` lists the positions where rounds begin; a `speed` of 1
    is the original one. Playback starts at 0, paused. All methods take `now`, in seconds, from one clock that
    never goes backwards.
    """

    def __init__(self, events: Sequence[Event], *, speed: float = 1.0, max_gap: float = MAX_GAP_S) -> None:
        self._times = playback_positions(events, max_gap)
        self._turn_starts = _drop_close_times(
            time for time, event in self._with_times(events) if isinstance(event, TurnStarted)
        )
        self.round_starts = [
            time for time, event in self._with_times(events) if isinstance(event, PhaseStarted)
        ]
        self._position = 0.0
        self._position_set_at = 0.0
        self.speed = _clamp_speed(speed)
        self.paused = True
        self.shown_count = 0

    @property
    def length(self) -> float:
        """The length of the debate at speed 1, in seconds."""
        return self._times[-1] if self._times else 0.0

    @property
    def at_end(self) -> bool:
        """Whether every event has been shown."""
        return self.shown_count == len(self._times)

    def position(self, now: float) -> float:
        """Return the current position in the debate."""
        if self.paused:
            return self._position
        return min(self._position + (now - self._position_set_at) * self.speed, self.length)

    def take_due(self, now: float) -> range:
        """Return the indexes of the events that have become due, and count them as shown."""
        start, self.shown_count = (
            self.shown_count,
            max(self.shown_count, bisect_right(self._times, self.position(now))),
        )
        return range(start, self.shown_count)

    def seconds_until_next(self, now: float) -> float | None:
        """Return the seconds until the next event is due, or `None` while paused or at the end."""
        if self.paused or self.at_end:
            return None
        return max((self._times[self.shown_count] - self.position(now)) / self.speed, 0.0)

    def pause(self, now: float) -> None:
        """Pause playback."""
        self._save_position(now)
        self.paused = True

    def resume(self, now: float) -> None:
        """Continue from the current position."""
        self._save_position(now)
        self.paused = False

    def change_speed(self, now: float, factor: float) -> None:
        """Multiply the speed by `factor`, within 1/4 and 64."""
        self._save_position(now)
        self.speed = _clamp_speed(self.speed * factor)

    def seek(self, now: float, position: float) -> bool:
        """Move to a position and return whether that took back events that had been shown."""
        self._position = min(max(position, 0.0), self.length)
        self._position_set_at = now
        shown = bisect_right(self._times, self._position)
        if shown >= self.shown_count:
            return False
        self.shown_count = shown
        return True

    def next_turn_start(self, now: float) -> float:
        """Return the position where the next turn starts, or the end."""
        after = bisect_right(self._turn_starts, self.position(now))
        return self._turn_starts[after] if after < len(self._turn_starts) else self.length

    def previous_turn_start(self, now: float) -> float:
        """Return the start of the current turn, or of the previous one if the current has just started."""
        before = bisect_left(self._turn_starts, self.position(now) - _SAME_START_S)
        return self._turn_starts[before - 1] if before else 0.0

    def round_start(self, number: int) -> float:
        """Return the position where a round starts; rounds count from 1 across all phases.

        Raise `UsageError` if the round does not exist.
        """
        if not 1 <= number <= len(self.round_starts):
            raise UsageError(
                f"The debate has no round {number}.",
                f"It has {len(self.round_starts)}, counted over all phases.",
            )
        return self.round_starts[number - 1]

    def _save_position(self, now: float) -> None:
        self._position = self.position(now)
        self._position_set_at = now

    def _with_times(self, events: Sequence[Event]) -> zip[tuple[float, Event]]:
        return zip(self._times, events, strict=True)


def _clamp_speed(speed: float) -> float:
    return min(max(speed, MIN_SPEED), MAX_SPEED)


def _drop_close_times(times: Iterable[float]) -> list[float]:
    """Drop the times that follow the last kept one too closely."""
    marks: list[float] = []
    for at in times:
        if not marks or at - marks[-1] > _SAME_START_S:
            marks.append(at)
    return marks


class PlaybackClock:
    """The time of playback, which tests replace."""

    def now(self) -> float:
        """Return seconds from an arbitrary start; never goes backwards."""
        return time.monotonic()

    async def wait(self, changed: asyncio.Event, seconds: float | None) -> None:
        """Wait until `changed` is set or `seconds` have passed; with `None`, wait for `changed` only."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()


class Player(ReadableLog):
    """A log that replays events with their original timing, at an adjustable speed.

    Views follow it like any other log and receive the recorded `events` themselves. Seeking forward
    publishes everything skipped at once. Seeking back takes events back, which no view can follow: `read`
    then ends earlier, and `on_rewind`, which may be set at any time, is called so that views can be rebuilt
    from the beginning.

    `playhead` says where playback is. Commands take effect immediately while `run` runs in a task of the
    caller. `run` returns only when the player is closed, so that seeking back from the end works.
    """

    def __init__(
        self,
        events: Sequence[Event],
        *,
        material: Sequence[Material] = (),
        speed: float = 1.0,
        clock: PlaybackClock | None = None,
        max_gap: float = MAX_GAP_S,
        on_rewind: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(material)
        self.events = events
        self._clock = clock or PlaybackClock()
        self._state_changed = asyncio.Event()
        self.on_rewind = on_rewind
        self.playhead = Playhead(events, speed=speed, max_gap=max_gap)

    @property
    def seq(self) -> int:
        """See `ReadableLog.seq`; the newest event shown."""
        return self.events[self.playhead.shown_count - 1].seq if self.playhead.shown_count else 0

    @property
    def over(self) -> bool:
        """See `ReadableLog.over`; the record of a killed debate ends without `debate.finished`."""
        return self.playhead.at_end

    @property
    def position(self) -> float:
        """Seconds into the debate, with long gaps shortened."""
        return self.playhead.position(self._clock.now())

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`; returns only events that have been shown."""
        return self.events[after : min(after + limit, self.playhead.shown_count)]

    async def run(self) -> None:
        """Play until the player is closed."""
        self.playhead.resume(self._clock.now())
        while not self._closed:
            self._state_changed.clear()
            for index in self.playhead.take_due(self._clock.now()):
                if index >= self.playhead.shown_count:  # a listener moved playback back
                    break
                self._publish(self.events[index])
            await self._clock.wait(self._state_changed, self.playhead.seconds_until_next(self._clock.now()))

    async def aclose(self) -> None:
        await super().aclose()
        self._state_changed.set()

    def toggle_pause(self) -> None:
        """Pause or resume; the other commands work in either state."""
        now = self._clock.now()
        if self.playhead.paused:
            self.playhead.resume(now)
        else:
            self.playhead.pause(now)
        self._state_changed.set()

    def change_speed(self, factor: float) -> None:
        """Multiply the speed by `factor`, within 1/4 and 64."""
        self.playhead.change_speed(self._clock.now(), factor)
        self._state_changed.set()

    def seek(self, position: float) -> None:
        """Move to a position in seconds, limited to the start and the end."""
        rewound = self.playhead.seek(self._clock.now(), position)
        self._state_changed.set()
        if rewound:
            self.on_rewind()

    def seek_round(self, number: int) -> None:
        """Move to the start of a round, counted from 1 across all phases.

        Raise `UsageError` if the round does not exist.
        """
        self.seek(self.playhead.round_start(number))

    def next_turn(self) -> None:
        """Move to the start of the next turn."""
        self.seek(self.playhead.next_turn_start(self._clock.now()))

    def previous_turn(self) -> None:
        """Move to the start of the current turn, or of the previous one if it has just started."""
        self.seek(self.playhead.previous_turn_start(self._clock.now()))
