"""The measurements of one debater's streams: a fold over their events in the debate log."""

from __future__ import annotations

from collections import deque
from math import ceil, exp
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.statistics.report import (
    DurationHistogram,
    Interruption,
    Quantiles,
    StreamFigures,
    TokenCount,
)
from debate_tui.display.statistics.report import TurnFigures as TurnFigures

if TYPE_CHECKING:
    from debate_tui.display.buffer import PaneBufferStatistics
    from debate_tui.domain.events import (
        DebaterInfo,
        StreamStatus,
        TurnDelta,
        TurnFinished,
        TurnStarted,
        TurnSuperseded,
    )
    from debate_tui.domain.stream import Connected, FinishReason, StreamState, Usage


# Measuring a turn.


BYTES_PER_TOKEN = 4.2
"""Estimated bytes per token of prose in any script, used until the provider reports token counts."""
MIN_RATE_SECONDS = 0.5
"""Seconds of flowing text below which a rate is meaningless."""


def estimate_tokens(size: float) -> int:
    """Estimate the number of tokens in `size` bytes of UTF-8."""
    return round(size / BYTES_PER_TOKEN)


def mean_rate(tokens: float, seconds: float) -> float | None:
    """Return tokens per second, or `None` if the time is too short."""
    return tokens / seconds if seconds >= MIN_RATE_SECONDS else None


class TurnMeasurements:
    """The measurements of a running or finished turn; times are the log's, sizes in bytes of UTF-8.

    `size` is the text that counts, `superseded_size` the text that no longer counts, and `reasoning_size`
    the reasoning in both. `streaming_seconds` is the time in which all of it arrived, `attempts` the number
    of connections that brought it.
    """

    __slots__ = (
        "answer_at",
        "attempt",
        "attempts",
        "cost",
        "ended_at",
        "first_at",
        "number",
        "reason",
        "reasoning_size",
        "size",
        "started_at",
        "streaming_seconds",
        "superseded_size",
        "ttft_ms",
        "usage",
    )

    def __init__(self, number: int, started_at: float) -> None:
        self.number = number
        self.started_at = started_at
        self.first_at = self.answer_at = self.ended_at = 0.0
        self.size = self.superseded_size = self.reasoning_size = 0
        self.streaming_seconds = 0.0
        self.attempt = self.attempts = 0
        self.usage: Usage | None = None
        self.cost: float | None = None
        self.ttft_ms: int | None = None
        self.reason: FinishReason | None = None

    @property
    def tokens(self) -> TokenCount:
        """The tokens as reported by the provider, else as estimated."""
        return self._count_tokens(estimate_tokens(self.size))

    @property
    def streamed_tokens(self) -> int:
        """All tokens whose text was received; reasoning that is only counted takes no time to stream."""
        hidden = 0 if self.reasoning_size or self.usage is None else self.usage.reasoning_tokens or 0
        return self._count_tokens(estimate_tokens(self.size + self.superseded_size), hidden).count

    @property
    def first_token_seconds(self) -> float | None:
        """The time from the turn's start to its first text, in seconds."""
        if self.ttft_ms is not None:
            return self.ttft_ms / 1000
        return self.first_at - self.started_at if self.first_at else None

    def restart(self, at: float) -> None:
        """Discard the text so far; if the turn was finished, it now starts at `at`."""
        if self.reason is not None:
            self.started_at = at
            self.first_at = 0.0
            self.ttft_ms = None
        self.superseded_size += self.size
        self.size = 0
        self.answer_at = 0.0
        self.usage = self.reason = None

    def resume(self, at: float) -> None:
        """Reopen a finished turn without the time in between."""
        self.reason = None
        self.shift_start(at - self.ended_at)

    def shift_start(self, seconds: float) -> None:
        """Move the start of the turn, as if it had begun `seconds` later."""
        self.started_at += seconds
        self.first_at += seconds if self.first_at else 0.0
        self.answer_at += seconds if self.answer_at else 0.0

    def figures(self) -> TurnFigures:
        """Return the turn's figures."""
        return TurnFigures(
            number=self.number,
            first_token=self.first_token_seconds,
            first_answer=self.answer_at - self.started_at if self.answer_at else None,
            has_reasoning=self.reasoning_size > 0,
            tokens=self.tokens if self.size or self.usage else None,
            mean_rate=mean_rate(self.streamed_tokens, self.streaming_seconds),
            cost=self.cost,
            reason=self.reason,
        )

    def _count_tokens(self, estimated: int, hidden: int = 0) -> TokenCount:
        """Return the provider's count without `hidden` tokens, or the estimate if the count is incomplete.

        A connection that failed may never have reported its tokens.
        """
        known = self.usage.output_tokens if self.usage is not None else None
        if known is None or (self.attempts > 1 and known - hidden < estimated):
            return TokenCount(estimated, is_estimated=True)
        return TokenCount(max(0, known - hidden))


# The rate of text over a whole debate, in constant memory.


MAX_BINS = 512
"""The maximum number of bins; beyond it, neighbours are merged and each covers twice the time."""
INITIAL_BIN_SECONDS = 1.0
"""The initial length of a bin, in seconds."""

FAULT_RECOVERED, FAULT_FATAL = 1, 2
"""How a fault ended: the stream reconnected, or it was given up."""


class RateCurve(Struct, frozen=True):
    """Rates over time: `rates[i]` is for the i-th interval of `bin_seconds` from the start.

    `faults` holds the worst fault in each interval: `FAULT_RECOVERED`, `FAULT_FATAL` or 0.
    """

    bin_seconds: float = INITIAL_BIN_SECONDS
    rates: tuple[float, ...] = ()
    faults: tuple[int, ...] = ()


class RateHistory:
    """Sizes summed in bins of equal length from `origin` on, in seconds of the log's time."""

    __slots__ = ("_bin_seconds", "_faults", "_origin", "_sizes")

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._bin_seconds = INITIAL_BIN_SECONDS
        self._sizes = [0]
        self._faults = bytearray(1)

    @property
    def total_size(self) -> int:
        """The sum of all sizes."""
        return sum(self._sizes)

    def add(self, at: float, size: int) -> None:
        """Add a size received at a time."""
        index = int((at - self._origin) / self._bin_seconds)
        if not 0 <= index < len(self._sizes):
            index = self._bin_index(at)
        self._sizes[index] += size

    def mark_fault(self, at: float, fault: int) -> None:
        """Mark a fault that happened at a time."""
        index = self._bin_index(at)
        self._faults[index] = max(self._faults[index], fault)

    def exclude_time(self, seconds: float) -> None:
        """Exclude elapsed time in which there was nothing to measure."""
        self._origin += seconds

    def rate_curve(self, until: float, max_points: int) -> RateCurve:
        """Return the sizes per second up to `until`, in up to `max_points` intervals.

        Curves of one history have the same intervals, and time passing changes only the last of them,
        except when intervals grow to make room.
        """
        used = self._bin_index(until) + 1
        step = ceil(used / max_points)
        seconds = step * self._bin_seconds
        rates = [sum(self._sizes[i : i + step]) / seconds for i in range(0, used, step)]
        missing = len(rates) - (until - self._origin) / seconds
        if len(rates) > 1 and missing > 0:
            # The last interval is incomplete: borrow the rest from the one before, so that the curve does
            # not dip.
            rates[-1] += rates[-2] * missing
        faults = [max(self._faults[i : i + step]) for i in range(0, used, step)]
        return RateCurve(seconds, tuple(rates), tuple(faults))

    def _bin_index(self, at: float) -> int:
        """Return the bin that `at` falls into, adding bins if needed."""
        while (index := max(0, int((at - self._origin) / self._bin_seconds))) >= MAX_BINS:
            self._bin_seconds *= 2
            self._sizes = [sum(self._sizes[i : i + 2]) for i in range(0, len(self._sizes), 2)]
            self._faults = bytearray(max(self._faults[i : i + 2]) for i in range(0, len(self._faults), 2))
        missing = index + 1 - len(self._sizes)
        if missing > 0:
            self._sizes += [0] * missing
            self._faults += bytes(missing)
        return index


RATE_MEMORY_SECONDS = 1.5
"""The averaging time of the current rate, in seconds; older text counts less and less."""
MAX_INTERRUPTIONS = 64


class StreamMeasurements:
    """The measurements of one debater's streams; each chunk costs O(1), memory grows with turns only.

    Gaps between chunks are kept in a histogram, rates over time in a history, both of fixed size.
    """

    def __init__(self, info: DebaterInfo, started_at: float) -> None:
        self.info = info
        self.state: StreamState = "waiting"
        self.is_removed = False
        self._rate_history = RateHistory(started_at)
        self._started_at = started_at
        self._turns: dict[int, TurnMeasurements] = {}
        self._turn = TurnMeasurements(0, started_at)
        self._last_chunk_at = 0.0
        """When the last chunk arrived; 0 if the next one begins a run, so that no gap ends with it."""
        self._run_started_at = 0.0
        self._decayed_size = 0.0
        self._chunk_gaps = DurationHistogram()
        self._first_byte_times = DurationHistogram()
        self._first_token_times = DurationHistogram()
        self._first_byte: float | None = None
        self._requested_at = 0.0
        self._connected: Connected | None = None
        self._connections = self._reused_connections = self._reconnections = self._run_count = 0
        self._retry_wait = 0.0
        self._interruptions: deque[Interruption] = deque(maxlen=MAX_INTERRUPTIONS)

    @property
    def turn_figures(self) -> TurnFigures:
        """The figures of the newest turn."""
        return self._turn.figures()

    def add_delta(self, delta: TurnDelta) -> None:
        """Add a chunk of the newest turn."""
        at, text, turn = delta.at, delta.text, self._turn
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if last := self._last_chunk_at:
            gap = max(at - last, 0.0)
            self._chunk_gaps.add(gap)
            turn.streaming_seconds += gap
            self._decayed_size = self._decayed_size * exp(-gap / RATE_MEMORY_SECONDS) + size
        else:
            self._begin_run(delta)
            self._decayed_size = size
        self._last_chunk_at = at
        turn.size += size
        if delta.reasoning:
            turn.reasoning_size += size
        elif not turn.answer_at:
            turn.answer_at = at
        self._rate_history.add(at, size)

    def start_turn(self, event: TurnStarted) -> None:
        """Start a turn, or resume it."""
        self._last_chunk_at = 0.0
        turn = self._turns.get(event.turn)
        if turn is None:
            turn = self._turns[event.turn] = TurnMeasurements(event.turn, event.at)
        self._turn = turn

    def supersede_turn(self, event: TurnSuperseded) -> None:
        """Discard the turn's text so far; that it arrived, and when, still counts."""
        turn = self._turns.get(event.turn)
        if turn is None:
            return
        self._last_chunk_at = 0.0
        turn.restart(event.at)
        if self._interruptions and self._interruptions[-1].offset is None:
            self._interruptions[-1] = replace(self._interruptions[-1], superseded=True)

    def finish_turn(self, event: TurnFinished) -> None:
        """Finish a turn; the log's figures replace what was measured here."""
        self._last_chunk_at = 0.0
        if turn := self._turns.get(event.turn):
            turn.usage, turn.cost, turn.reason = event.usage, event.cost, event.reason
            turn.ttft_ms, turn.ended_at = event.ttft_ms, event.at

    def update_status(self, status: StreamStatus) -> None:
        """Record a new state of the stream."""
        self._last_chunk_at = 0.0
        if status.state == "connecting":
            if self._turn.reason is not None:
                self._turn.resume(status.at)
            self._requested_at = status.at
            self._connections += 1
        elif status.state == "connected" and self._requested_at:
            self._first_byte = status.at - self._requested_at
            self._first_byte_times.add(self._first_byte)
            self._requested_at = 0.0
        elif status.error is not None and status.state in ("reconnecting", "failed"):
            self._record_fault(status)
        self.state = status.state

    def record_connection(self, connected: Connected) -> None:
        """Record details of a connection that are not in the log."""
        self._connected = connected
        self._reused_connections += bool(connected.reused)
        if self._interruptions and self._interruptions[-1].offset is None:
            self._interruptions[-1] = replace(self._interruptions[-1], origin=connected.origin)

    def rate_curve(self, until: float, max_points: int) -> RateCurve:
        """Return the speed so far in tokens per second, in up to `max_points` intervals."""
        curve = self._rate_history.rate_curve(until, max_points)
        return replace(curve, rates=tuple(rate / BYTES_PER_TOKEN for rate in curve.rates))

    def exclude_time(self, seconds: float) -> None:
        """Exclude time in which the debate was not running."""
        self._last_chunk_at = 0.0
        self._started_at += seconds
        self._rate_history.exclude_time(seconds)
        if self._turn.reason is None:
            self._turn.shift_start(seconds)

    def switch_model(self, model: str) -> None:
        """Record that the debater switched to another model."""
        self.info = replace(self.info, model=model)
        self._connected = None

    def figures(self, now: float, buffer: PaneBufferStatistics | None) -> StreamFigures:
        """Return all figures at `now`."""
        turns = self._turns.values()
        connected = self._connected
        costs = [turn.cost for turn in turns if turn.cost is not None]
        return StreamFigures(
            debater=self.info.id,
            name=self.info.name,
            model=self.info.model,
            state=self.state,
            is_removed=self.is_removed,
            transport=connected.transport if connected else "",
            connection_reused=connected.reused if connected else None,
            connections=self._connections,
            reused_connections=self._reused_connections,
            first_byte=self._first_byte,
            first_byte_times=quantiles(self._first_byte_times),
            first_token_times=quantiles(self._first_token_times),
            turn=self.turn_figures,
            completed_turns=sum(turn.reason in ("complete", "length") for turn in turns),
            tokens=TokenCount(
                sum(turn.tokens.count for turn in turns),
                any(turn.tokens.is_estimated and turn.size for turn in turns),
            ),
            current_rate=self._current_rate(now),
            mean_rate=mean_rate(
                sum(turn.streamed_tokens for turn in turns), sum(turn.streaming_seconds for turn in turns)
            ),
            chunk_gaps=quantiles(self._chunk_gaps),
            received_bytes=self._rate_history.total_size,
            chunks=self._run_count + self._chunk_gaps.count,
            reconnections=self._reconnections,
            retry_wait=self._retry_wait,
            interruptions=tuple(self._interruptions),
            cost=sum(costs) if costs else None,
            buffer=buffer,
        )

    def _begin_run(self, delta: TurnDelta) -> None:
        at, turn = delta.at, self._turn
        self._run_started_at = at
        self._run_count += 1
        if delta.attempt != turn.attempt:
            turn.attempt = delta.attempt
            turn.attempts += 1
        if not turn.first_at:
            turn.first_at = at
            self._first_token_times.add(at - turn.started_at)
        if (
            self._interruptions
            and self._interruptions[-1].offset is None
            and self._interruptions[-1].retry_delay is not None
        ):
            self._interruptions[-1] = replace(self._interruptions[-1], offset=delta.offset)

    def _record_fault(self, status: StreamStatus) -> None:
        assert status.error is not None
        healed = status.state == "reconnecting"
        if not healed and self.state == "failed":
            return  # already recorded; reported again when it was decided what to do about it
        wait = (status.retry_in_ms or 0) / 1000 if healed else None
        self._reconnections += healed
        self._retry_wait += wait or 0.0
        self._rate_history.mark_fault(status.at, FAULT_RECOVERED if healed else FAULT_FATAL)
        self._interruptions.append(
            Interruption(
                at=status.at - self._started_at,
                fault=status.error,
                retry=status.retry,
                max_retries=status.max_retries,
                retry_delay=wait,
            )
        )

    def _current_rate(self, now: float) -> float:
        """Return the recent tokens per second; older text counts less."""
        if not self._last_chunk_at:
            return 0.0
        level = self._decayed_size * exp(-max(now - self._last_chunk_at, 0.0) / RATE_MEMORY_SECONDS)
        seen = 1 - exp(-max(now - self._run_started_at, MIN_RATE_SECONDS) / RATE_MEMORY_SECONDS)
        return level / (RATE_MEMORY_SECONDS * seen) / BYTES_PER_TOKEN


def quantiles(histogram: DurationHistogram) -> Quantiles:
    """Return the quantiles of a histogram that are shown."""
    return Quantiles(histogram.quantile(0.5), histogram.quantile(0.95))
