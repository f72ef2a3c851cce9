"""Where in a recorded debate playback stands: pure arithmetic on times it is told."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import PhaseStarted, TurnStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.events import Event

LONGEST_SILENCE_S: Final = 3.0
"""Longer gaps between two events (a pause, a long wait, a night) are played as if they had this length."""

SLOWEST: Final = 0.25
FASTEST: Final = 64.0

_TOGETHER_S: Final = 1.0
"""Turns that begin within this time of each other are one place to jump to: they are read together."""


class Playhead:
    """Turns moments of a clock into places in a debate.

    Time in the debate is in seconds from its first event, long silences shortened. `shown` counts the
    events up to the present place, `rounds` holds the times at which rounds begin. Playback begins at the
    start, paused. All methods take `now` from one clock that never goes backwards.
    """

    def __init__(
        self, events: Sequence[Event], *, speed: float = 1.0, longest_silence: float = LONGEST_SILENCE_S
    ) -> None:
        gaps = (min(max(later.at - earlier.at, 0.0), longest_silence) for earlier, later in pairwise(events))
        self._times = list(accumulate(gaps, initial=0.0)) if events else []
        self._turns = _apart(time for time, event in self._timed(events) if isinstance(event, TurnStarted))
        self.rounds = [time for time, event in self._timed(events) if isinstance(event, PhaseStarted)]
        self._place = 0.0
        self._since = 0.0
        self._speed = _within(speed)
        self._paused = True
        self.shown = 0

    @property
    def length(self) -> float:
        """How long the debate plays at speed 1, in seconds."""
        return self._times[-1] if self._times else 0.0

    @property
    def speed(self) -> float:
        """How much faster than it was held the debate is played."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether playback stands still."""
        return self._paused

    @property
    def at_end(self) -> bool:
        """Whether every event has been shown."""
        return self.shown == len(self._times)

    def place(self, now: float) -> float:
        """The present time in the debate."""
        if self._paused:
            return self._place
        return min(self._place + (now - self._since) * self._speed, self.length)

    def due(self, now: float) -> range:
        """The indexes of the events that have become due; they count as shown from now on."""
        start, self.shown = self.shown, max(self.shown, bisect_right(self._times, self.place(now)))
        return range(start, self.shown)

    def wait(self, now: float) -> float | None:
        """Seconds until the next event is due; `None` while nothing will be, paused or at the end."""
        if self._paused or self.at_end:
            return None
        return max((self._times[self.shown] - self.place(now)) / self._speed, 0.0)

    def pause(self, now: float) -> None:
        """Stand still."""
        self._settle(now)
        self._paused = True

    def resume(self, now: float) -> None:
        """Go on from the present place."""
        self._settle(now)
        self._paused = False

    def change_speed(self, now: float, factor: float) -> None:
        """Multiply the speed, within 1/4 and 64."""
        self._settle(now)
        self._speed = _within(self._speed * factor)

    def seek(self, now: float, place: float) -> bool:
        """Go to a time in the debate; says whether that took events back that had been shown."""
        self._place = min(max(place, 0.0), self.length)
        self._since = now
        shown = bisect_right(self._times, self._place)
        if shown >= self.shown:
            return False
        self.shown = shown
        return True

    def tenth(self, tenths: int) -> float:
        """The time `tenths` tenths into the debate."""
        return self.length * tenths / 10

    def next_turn(self, now: float) -> float:
        """The time of the next turn's beginning, or the end."""
        after = bisect_right(self._turns, self.place(now))
        return self._turns[after] if after < len(self._turns) else self.length

    def previous_turn(self, now: float) -> float:
        """The time this turn began; the one before while it has only just begun."""
        before = bisect_left(self._turns, self.place(now) - _TOGETHER_S)
        return self._turns[before - 1] if before else 0.0

    def round(self, number: int) -> float:
        """The time of a round's beginning; rounds count from 1 over all phases."""
        if not 1 <= number <= len(self.rounds):
            raise UsageError(
                f"the debate has no round {number}", f"it has {len(self.rounds)}, counted over all phases"
            )
        return self.rounds[number - 1]

    def _settle(self, now: float) -> None:
        self._place = self.place(now)
        self._since = now

    def _timed(self, events: Sequence[Event]) -> zip[tuple[float, Event]]:
        return zip(self._times, events, strict=True)


def _within(speed: float) -> float:
    return min(max(speed, SLOWEST), FASTEST)


def _apart(times: Iterable[float]) -> list[float]:
    """The times without those that follow the one before too closely."""
    marks: list[float] = []
    for time in times:
        if not marks or time - marks[-1] > _TOGETHER_S:
            marks.append(time)
    return marks
