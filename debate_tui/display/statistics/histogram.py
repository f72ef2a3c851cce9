"""How durations are distributed, in memory that does not grow."""

from __future__ import annotations

from math import inf, log2

BUCKETS_PER_OCTAVE = 8
"""Buckets to a doubling: each is 9 % wider than the one before."""
MIN_EXPONENT = -20
"""The power of two of the first bucket's end, in seconds: about a microsecond."""
MAX_EXPONENT = 12
"""The power of two beyond which all durations are one: a little over an hour."""

_BUCKET_SHIFT = 1 - MIN_EXPONENT * BUCKETS_PER_OCTAVE
_BUCKET_COUNT = (MAX_EXPONENT - MIN_EXPONENT) * BUCKETS_PER_OCTAVE + 2
_MIN_SECONDS = 2.0**MIN_EXPONENT
_MAX_SECONDS = 2.0**MAX_EXPONENT


class DurationHistogram:
    """Counts durations in fixed buckets of equal ratio, so that a quantile is off by 4.5 % at most.

    Quantiles lie within the least and the greatest duration that was added. Adding costs O(1).
    """

    __slots__ = ("_counts", "_maximum", "_minimum", "count")

    def __init__(self) -> None:
        self.count = 0
        self._counts = [0] * _BUCKET_COUNT
        self._minimum = inf
        self._maximum = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        if seconds < self._minimum:
            self._minimum = seconds
        if seconds > self._maximum:
            self._maximum = seconds
        if _MIN_SECONDS <= seconds < _MAX_SECONDS:
            bucket = int(log2(seconds) * BUCKETS_PER_OCTAVE + _BUCKET_SHIFT)
        else:
            bucket = 0 if seconds < _MIN_SECONDS else -1
        self._counts[bucket] += 1
        self.count += 1

    def quantile(self, fraction: float) -> float | None:
        """The duration that `fraction` of all do not exceed, in seconds; `None` before there are any."""
        if not self.count:
            return None
        rank = fraction * self.count
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= rank:
                middle: float = 2.0 ** ((bucket + 0.5 - _BUCKET_SHIFT) / BUCKETS_PER_OCTAVE)
                return min(max(middle, self._minimum), self._maximum)
        return self._maximum
