"""The statistics at one moment, as plain values for a screen or a table to format."""

from __future__ import annotations

from math import inf, log2

from msgspec import Struct

from debate_tui.display.buffer import PaneBufferStatistics
from debate_tui.domain.stream import FaultReport, FinishReason, StreamOrigin, StreamState


class Quantiles(Struct, frozen=True):
    """The median and the 95th percentile of a measurement, in seconds; `None` before the first value."""

    p50: float | None = None
    p95: float | None = None


class TokenCount(Struct, frozen=True):
    """A number of tokens; `is_estimated` means that it was estimated from the text."""

    count: int = 0
    is_estimated: bool = False


class Interruption(Struct, frozen=True, kw_only=True):
    """A fault and its outcome.

    `at` is in seconds since the debate began. `retry_delay` is the time until the next connection in
    seconds, or `None` if the stream was given up. Once text arrives again, `offset` is the number of
    characters before it, and `origin` where the server started, if known; `superseded` means that the text
    before it no longer counts.
    """

    at: float
    fault: FaultReport
    retry: int = 0
    max_retries: int = 0
    retry_delay: float | None = None
    origin: StreamOrigin | None = None
    offset: int | None = None
    superseded: bool = False


class TurnFigures(Struct, frozen=True, kw_only=True):
    """The figures of a debater's newest turn.

    All times are in seconds from the start of the turn. `first_token` is the first text, answer or
    reasoning; `first_answer` differs from it only if the turn `has_reasoning` first. `mean_rate` is the
    mean in tokens per second while text was flowing, without waits, pauses and outages.
    """

    number: int = 0
    first_token: float | None = None
    first_answer: float | None = None
    has_reasoning: bool = False
    tokens: TokenCount | None = None
    mean_rate: float | None = None
    cost: float | None = None
    reason: FinishReason | None = None


class StreamFigures(Struct, frozen=True, kw_only=True):
    """The figures of one debater's streams; all except `turn` are for the whole debate.

    `first_byte` is the time from the newest connection's request to the server's answer, in seconds.
    `current_rate` is the current speed in tokens per second, `mean_rate` the mean as in `TurnFigures`.
    `chunk_gaps` are the times between two chunks of a connection. `received_bytes` counts UTF-8. Of all
    `connections`, `reused_connections` used an existing one; `connection_reused` is for the newest, and
    `None` if not known. `retry_wait` is the time spent waiting to reconnect, in seconds. For a debate that
    runs elsewhere, `transport` is how it arrives here, and `shared` whether one stream carries all its
    debaters.
    """

    debater: str
    name: str
    model: str
    state: StreamState
    is_removed: bool
    transport: str
    connection_reused: bool | None
    connections: int
    reused_connections: int
    first_byte: float | None
    first_byte_times: Quantiles
    first_token_times: Quantiles
    turn: TurnFigures
    completed_turns: int
    tokens: TokenCount
    current_rate: float
    mean_rate: float | None
    chunk_gaps: Quantiles
    received_bytes: int
    chunks: int
    reconnections: int
    retry_wait: float
    interruptions: tuple[Interruption, ...]
    cost: float | None
    buffer: PaneBufferStatistics | None
    shared: bool | None = None


class FrameFigures(Struct, frozen=True):
    """The figures of painting: the number of flushes, and how long frames took."""

    flushes: int
    frame_times: Quantiles


class StatisticsReport(Struct, frozen=True):
    """All figures of a debate at one moment.

    `elapsed` is in seconds since the debate began; `frames` is `None` without a screen.
    """

    elapsed: float
    streams: tuple[StreamFigures, ...]
    frames: FrameFigures | None


# The distribution of durations, in constant memory.


BUCKETS_PER_OCTAVE = 8
"""Buckets per doubling; each is 9 % wider than the one before."""
MIN_EXPONENT = -20
"""The power of two of the first bucket's end, in seconds: about a microsecond."""
MAX_EXPONENT = 12
"""The power of two from which all durations share a bucket, in seconds: a little over an hour."""

_BUCKET_SHIFT = 1 - MIN_EXPONENT * BUCKETS_PER_OCTAVE
_BUCKET_COUNT = (MAX_EXPONENT - MIN_EXPONENT) * BUCKETS_PER_OCTAVE + 2
_MIN_SECONDS = 2.0**MIN_EXPONENT
_MAX_SECONDS = 2.0**MAX_EXPONENT


class DurationHistogram:
    """A histogram of durations in buckets of equal ratio; quantiles are accurate to 4.5 %.

    Quantiles lie between the smallest and the largest duration added. Adding costs O(1).
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
        """Return the duration that `fraction` of all do not exceed, in seconds; `None` if there are none."""
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
