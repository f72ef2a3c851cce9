"""What the statistics say at one moment: plain values, for a screen or a table to put into words."""

from __future__ import annotations

from math import inf, log2

from msgspec import Struct

from debate_tui.display.buffer import PaneBufferStatistics
from debate_tui.domain.stream import FaultReport, FinishReason, StreamOrigin, StreamState


class Quantiles(Struct, frozen=True):
    """The middle and the slow end of a measurement, in seconds; `None` before there is one."""

    p50: float | None = None
    p95: float | None = None


class TokenCount(Struct, frozen=True):
    """A number of tokens; `is_estimated` says that it was reckoned from the text."""

    count: int = 0
    is_estimated: bool = False


class Interruption(Struct, frozen=True, kw_only=True):
    """A fault, and what became of it.

    `at` is in seconds since the debate began. `retry_delay` is the time until the next connection, `None`
    where the stream was given up. Once text came again, `offset` is how many characters it found, and
    `origin` where the server began, if that is known; with `superseded` nothing of the old text was left.
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

    All times are in seconds and start with the turn. `first_token` is the first text, answer or reasoning;
    `first_answer` differs from it only where it `has_reasoning` first. `mean_rate` is the mean in tokens per
    second over the time in which text flowed: waits, pauses and outages are none of it.
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
    """The figures of one debater's streams; all but those in `turn` are of the whole debate.

    `first_byte` is the newest connection's time from asking to the server's answer. `current_rate` is the
    present speed in tokens per second, `mean_rate` the mean as in `TurnFigures`. `chunk_gaps` are the times
    between two chunks of one connection. `received_bytes` is in bytes of UTF-8. Of all `connections`,
    `reused_connections` went over one that stood already; `connection_reused` is about the newest and `None`
    if that is not known. `retry_wait` is the time spent waiting to connect again, in seconds. Of a debate
    that is held elsewhere, `transport` is what it comes here by, and `shared` whether all its debaters come
    by one stream.
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
    """What the screen had to do: `frame_times` is the time one took."""

    flushes: int
    frame_times: Quantiles


class StatisticsReport(Struct, frozen=True):
    """All figures of a debate at one moment.

    `elapsed` is in seconds since it began; without a screen there is no painting.
    """

    elapsed: float
    streams: tuple[StreamFigures, ...]
    frames: FrameFigures | None


# How durations are distributed, in memory that does not grow.


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
