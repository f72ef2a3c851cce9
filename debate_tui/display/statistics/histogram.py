"""How durations are distributed, in memory that does not grow."""

from __future__ import annotations

from math import inf, log2

PER_OCTAVE = 8
"""Buckets to a doubling: each is 9 % wider than the one before."""
SHORTEST = -20
"""The power of two of the first bucket's end, in seconds: about a microsecond."""
LONGEST = 12
"""The power of two beyond which all durations are one: a little over an hour."""

_SHIFT = 1 - SHORTEST * PER_OCTAVE
_BUCKETS = (LONGEST - SHORTEST) * PER_OCTAVE + 2
_LEAST = 2.0**SHORTEST
_MOST = 2.0**LONGEST


class Histogram:
    """Counts durations in fixed buckets of equal ratio, so that a quantile is off by 4.5 % at most.

    Quantiles lie within the least and the greatest duration that was added. Adding costs O(1).
    """

    __slots__ = ("_counts", "_greatest", "_least", "count")

    def __init__(self) -> None:
        self.count = 0
        self._counts = [0] * _BUCKETS
        self._least = inf
        self._greatest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        if seconds < self._least:
            self._least = seconds
        if seconds > self._greatest:
            self._greatest = seconds
        if _LEAST <= seconds < _MOST:
            bucket = int(log2(seconds) * PER_OCTAVE + _SHIFT)
        else:
            bucket = 0 if seconds < _LEAST else -1
        self._counts[bucket] += 1
        self.count += 1

    def quantile(self, share: float) -> float | None:
        """The duration that `share` of all do not exceed, in seconds; `None` before there are any."""
        if not self.count:
            return None
        rank = share * self.count
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= rank:
                middle: float = 2.0 ** ((bucket + 0.5 - _SHIFT) / PER_OCTAVE)
                return min(max(middle, self._least), self._greatest)
        return self._greatest
