"""Display modes, and the clock that says what is painted when.

Nothing here reads a clock, waits or paints: whoever drives it asks `FrameClock.due` with the time and
what is pending, paints what it is told to, and asks again when it is told to.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW = 0.1
"""How often synchronized text is painted, in seconds."""
FRAME = 1 / 60
"""The shortest time between two frames, in seconds."""
LONGEST_REST = 0.5
"""The most that pacing keeps a frame from following the last one, in seconds."""


class Mode(enum.StrEnum):
    """When received text is painted."""

    SYNCHRONIZED = "synchronized"
    """All panes together, once a window."""
    STAGGERED = "staggered"
    """Each pane in the next frame after its text arrived."""
    HYBRID = "hybrid"
    """Synchronized while more than one stream is active, else staggered."""

    @property
    def next(self) -> Mode:
        """The mode the mode key switches to."""
        modes = list(Mode)
        return modes[(modes.index(self) + 1) % len(modes)]


class Due(Struct, frozen=True):
    """What to do: paint these panes now, in one frame; and ask again at `again`, if it is not `None`."""

    panes: tuple[str, ...] = ()
    again: float | None = None


class FrameClock:
    """Says which panes are painted when, on absolute deadlines, so that late timers do not add up.

    `window` is the synchronized mode's interval and `frame` the shortest one between two frames, both in
    seconds. All times are in seconds of one monotonic clock.

    A synchronized window opens with its first text; while text keeps coming, windows follow one another
    without a gap. So text waits at most one window, and what several streams send at once after a silence
    is seen at once. Staggered text waits for the next frame only.

    Frames get rarer where they cost too much: painting takes at most half of the time, and a loop that is
    late twice in a row is given as much rest as it was late. A terminal that has not taken all of the last
    frame gets no further one.
    """

    def __init__(self, mode: Mode = Mode.HYBRID, *, window: float = WINDOW, frame: float = FRAME) -> None:
        self._mode = mode
        self._window = max(window, frame)
        self._frame = frame
        self._urgent = False
        self._late = 0.0
        self._asked_back: float | None = None
        # The last frame: when it was due, when it was begun, and until when the loop may rest after it.
        self._last = self._began = self._rested = float("-inf")

    @property
    def mode(self) -> Mode:
        """The mode that was chosen."""
        return self._mode

    def switch(self, mode: Mode) -> None:
        """Choose a mode; what is pending is due at once."""
        self._mode = mode
        self.flush()

    def flush(self) -> None:
        """What is pending is due at once, as before a pause and when quitting."""
        self._urgent = True

    def synchronized(self, active: int) -> bool:
        """Whether text is painted in windows while `active` streams are connected or streaming."""
        return self._mode is Mode.SYNCHRONIZED or (self._mode is Mode.HYBRID and active > 1)

    def patience(self, active: int) -> float:
        """How long text may pile up at its sender before it is read, in seconds, as it is not due earlier."""
        return (self._window if self.synchronized(active) else self._frame) / 2

    def due(
        self,
        now: float,
        pending: Mapping[str, float],
        *,
        active: int,
        crowded: bool = False,
        backlog: bool = False,
    ) -> Due:
        """What to paint at `now`; the clock counts it as painted.

        `pending` has every pane with something pending and when the oldest of it arrived; `active` is the
        number of streams connected or streaming; `crowded` says that enough is pending to paint it early,
        `backlog` that the terminal has not taken all of the last frame. Ask again at `again`, and earlier
        when a pane gets its first pending item, when the buffer becomes crowded, when `active` changes, and
        after `switch` and `flush`.
        """
        if not pending:
            self._urgent = False
            self._asked_back = None
            return Due()
        interval = self._window if self.synchronized(active) else self._frame
        deadline = now if self._urgent else self._deadline(now, min(pending.values()), interval, crowded)
        if now < deadline or backlog:
            self._asked_back = deadline if now < deadline else now + self._frame
            return Due(again=self._asked_back)
        self._begin(now, deadline, interval)
        return Due(panes=tuple(pending))

    def spent(self, seconds: float) -> None:
        """How long painting what was due took."""
        self._rested = max(self._rested, self._began + min(2 * seconds, LONGEST_REST))

    def _deadline(self, now: float, oldest: float, interval: float, crowded: bool) -> float:
        next_frame = self._last + self._frame
        if interval == self._frame:
            deadline = max(oldest, next_frame)
        else:
            closes = self._last + interval
            deadline = closes if oldest <= closes else oldest + interval
            if crowded:
                deadline = min(deadline, max(now, next_frame))
        return max(deadline, self._rested)

    def _begin(self, now: float, deadline: float, interval: float) -> None:
        late = now - (deadline if self._asked_back is None else self._asked_back)
        self._rested = now + min(late, self._late, LONGEST_REST)
        self._last = deadline if now - deadline < interval else now
        self._began = now
        self._late = late
        self._urgent = False
        self._asked_back = None
