"""How fast text came over the whole of a debate, in memory that does not grow."""

from __future__ import annotations

from math import ceil

from msgspec import Struct

BINS = 512
"""When this many are full, neighbours are joined, and each stands for twice the time."""
FIRST_BIN = 1.0
"""Seconds that a bin stands for at first."""

HEALED, LOST = 1, 2
"""How bad what a fault did to the stream is: it was connected again, or given up."""


class Curve(Struct, frozen=True):
    """Rates over time: `rates[i]` is for the i-th stretch of `seconds` since the beginning.

    `faults` has for each stretch the worst fault in it: `HEALED`, `LOST` or 0.
    """

    seconds: float = FIRST_BIN
    rates: tuple[float, ...] = ()
    faults: tuple[int, ...] = ()


class Trace:
    """Adds up sizes in bins of equal length from `origin` on, in seconds of the log's time."""

    __slots__ = ("_faults", "_length", "_origin", "_sizes")

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._length = FIRST_BIN
        self._sizes = [0]
        self._faults = bytearray(1)

    @property
    def size(self) -> int:
        """All that came."""
        return sum(self._sizes)

    def add(self, at: float, size: int) -> None:
        """Something of this size came."""
        place = int((at - self._origin) / self._length)
        if not 0 <= place < len(self._sizes):
            place = self._reach(at)
        self._sizes[place] += size

    def mark(self, at: float, fault: int) -> None:
        """A fault happened."""
        place = self._reach(at)
        self._faults[place] = max(self._faults[place], fault)

    def skip(self, seconds: float) -> None:
        """Leave out a time that has passed and in which nothing was to be measured."""
        self._origin += seconds

    def curve(self, until: float, width: int) -> Curve:
        """The sizes per second up to `until`, in at most `width` stretches.

        Traces of one origin have the same stretches, and one more moment changes only the last of them,
        except where the stretches grow to make room.
        """
        used = self._reach(until) + 1
        step = ceil(used / width)
        seconds = step * self._length
        rates = [sum(self._sizes[i : i + step]) / seconds for i in range(0, used, step)]
        missing = len(rates) - (until - self._origin) / seconds
        if len(rates) > 1 and missing > 0:
            # The last stretch is not over: what it lacks is taken from the one before, lest it dip.
            rates[-1] += rates[-2] * missing
        faults = [max(self._faults[i : i + step]) for i in range(0, used, step)]
        return Curve(seconds, tuple(rates), tuple(faults))

    def _reach(self, at: float) -> int:
        """The bin that `at` falls into; there is one from now on."""
        while (place := max(0, int((at - self._origin) / self._length))) >= BINS:
            self._length *= 2
            self._sizes = [sum(self._sizes[i : i + 2]) for i in range(0, len(self._sizes), 2)]
            self._faults = bytearray(max(self._faults[i : i + 2]) for i in range(0, len(self._faults), 2))
        missing = place + 1 - len(self._sizes)
        if missing > 0:
            self._sizes += [0] * missing
            self._faults += bytes(missing)
        return place
