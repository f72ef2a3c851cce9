"""How fast text came over the whole of a debate, in memory that does not grow."""

from __future__ import annotations

from math import ceil

from msgspec import Struct

MAX_BINS = 512
"""When this many are full, neighbours are joined, and each stands for twice the time."""
INITIAL_BIN_SECONDS = 1.0
"""Seconds that a bin stands for at first."""

FAULT_RECOVERED, FAULT_FATAL = 1, 2
"""How bad what a fault did to the stream is: it was connected again, or given up."""


class RateCurve(Struct, frozen=True):
    """Rates over time: `rates[i]` is for the i-th stretch of `bin_seconds` since the beginning.

    `faults` has for each stretch the worst fault in it: `FAULT_RECOVERED`, `FAULT_FATAL` or 0.
    """

    bin_seconds: float = INITIAL_BIN_SECONDS
    rates: tuple[float, ...] = ()
    faults: tuple[int, ...] = ()


class RateHistory:
    """Adds up sizes in bins of equal length from `origin` on, in seconds of the log's time."""

    __slots__ = ("_bin_seconds", "_faults", "_origin", "_sizes")

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._bin_seconds = INITIAL_BIN_SECONDS
        self._sizes = [0]
        self._faults = bytearray(1)

    @property
    def total_size(self) -> int:
        """All that came."""
        return sum(self._sizes)

    def add(self, at: float, size: int) -> None:
        """Something of this size came."""
        index = int((at - self._origin) / self._bin_seconds)
        if not 0 <= index < len(self._sizes):
            index = self._bin_index(at)
        self._sizes[index] += size

    def mark_fault(self, at: float, fault: int) -> None:
        """A fault happened."""
        index = self._bin_index(at)
        self._faults[index] = max(self._faults[index], fault)

    def exclude_time(self, seconds: float) -> None:
        """Leave out a time that has passed and in which nothing was to be measured."""
        self._origin += seconds

    def rate_curve(self, until: float, max_points: int) -> RateCurve:
        """The sizes per second up to `until`, in at most `max_points` stretches.

        Traces of one origin have the same stretches, and one more moment changes only the last of them,
        except where the stretches grow to make room.
        """
        used = self._bin_index(until) + 1
        step = ceil(used / max_points)
        seconds = step * self._bin_seconds
        rates = [sum(self._sizes[i : i + step]) / seconds for i in range(0, used, step)]
        missing = len(rates) - (until - self._origin) / seconds
        if len(rates) > 1 and missing > 0:
            # The last stretch is not over: what it lacks is taken from the one before, lest it dip.
            rates[-1] += rates[-2] * missing
        faults = [max(self._faults[i : i + step]) for i in range(0, used, step)]
        return RateCurve(seconds, tuple(rates), tuple(faults))

    def _bin_index(self, at: float) -> int:
        """The bin that `at` falls into; there is one from now on."""
        while (index := max(0, int((at - self._origin) / self._bin_seconds))) >= MAX_BINS:
            self._bin_seconds *= 2
            self._sizes = [sum(self._sizes[i : i + 2]) for i in range(0, len(self._sizes), 2)]
            self._faults = bytearray(max(self._faults[i : i + 2]) for i in range(0, len(self._faults), 2))
        missing = index + 1 - len(self._sizes)
        if missing > 0:
            self._sizes += [0] * missing
            self._faults += bytes(missing)
        return index
