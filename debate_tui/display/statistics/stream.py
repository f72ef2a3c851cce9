"""One debater's streams, measured: a fold over the events of the debate log that concern it."""

from __future__ import annotations

from collections import deque
from math import exp
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.display.statistics.histogram import DurationHistogram
from debate_tui.display.statistics.report import Interruption, Quantiles, StreamFigures, TokenCount
from debate_tui.display.statistics.report import TurnFigures as TurnFigures
from debate_tui.display.statistics.trace import FAULT_FATAL, FAULT_RECOVERED, RateCurve, RateHistory
from debate_tui.display.statistics.turn import BYTES_PER_TOKEN, MIN_RATE_SECONDS, TurnMeasurements, mean_rate

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
    from debate_tui.domain.stream import Connected, StreamState

RATE_MEMORY_SECONDS = 1.5
"""Seconds over which the present speed is taken; older text counts for less and less."""
MAX_INTERRUPTIONS = 64


class StreamMeasurements:
    """Measures one debater's streams; every chunk costs O(1), and memory grows with the number of turns only.

    Gaps between chunks are kept as a histogram of fixed size, speeds over time as a trace of fixed size.
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
        """When the last chunk came; 0 where the next one begins a run, and no gap ends with it."""
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
        """Take a chunk of the newest turn."""
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
        """A turn begins, or is taken up again."""
        self._last_chunk_at = 0.0
        turn = self._turns.get(event.turn)
        if turn is None:
            turn = self._turns[event.turn] = TurnMeasurements(event.turn, event.at)
        self._turn = turn

    def supersede_turn(self, event: TurnSuperseded) -> None:
        """The turn's text so far no longer counts; that it came, and when, still does."""
        turn = self._turns.get(event.turn)
        if turn is None:
            return
        self._last_chunk_at = 0.0
        turn.restart(event.at)
        if self._interruptions and self._interruptions[-1].offset is None:
            self._interruptions[-1] = replace(self._interruptions[-1], superseded=True)

    def finish_turn(self, event: TurnFinished) -> None:
        """A turn is over; the log's figures take the place of what was measured here."""
        self._last_chunk_at = 0.0
        if turn := self._turns.get(event.turn):
            turn.usage, turn.cost, turn.reason = event.usage, event.cost, event.reason
            turn.ttft_ms, turn.ended_at = event.ttft_ms, event.at

    def update_status(self, status: StreamStatus) -> None:
        """The stream's state has changed."""
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
        """What the log does not say of a connection."""
        self._connected = connected
        self._reused_connections += bool(connected.reused)
        if self._interruptions and self._interruptions[-1].offset is None:
            self._interruptions[-1] = replace(self._interruptions[-1], origin=connected.origin)

    def rate_curve(self, until: float, max_points: int) -> RateCurve:
        """The speed so far, in at most `max_points` stretches."""
        curve = self._rate_history.rate_curve(until, max_points)
        return replace(curve, rates=tuple(rate / BYTES_PER_TOKEN for rate in curve.rates))

    def exclude_time(self, seconds: float) -> None:
        """Leave out a time in which the debate was not held."""
        self._last_chunk_at = 0.0
        self._started_at += seconds
        self._rate_history.exclude_time(seconds)
        if self._turn.reason is None:
            self._turn.shift_start(seconds)

    def switch_model(self, model: str) -> None:
        """Another source speaks for the debater."""
        self.info = replace(self.info, model=model)
        self._connected = None

    def figures(self, now: float, buffer: PaneBufferStatistics | None) -> StreamFigures:
        """All there is to say at `now`."""
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
            return  # said once more, when it was decided what to do about it
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
        """Tokens per second lately; text that is older counts for less."""
        if not self._last_chunk_at:
            return 0.0
        level = self._decayed_size * exp(-max(now - self._last_chunk_at, 0.0) / RATE_MEMORY_SECONDS)
        seen = 1 - exp(-max(now - self._run_started_at, MIN_RATE_SECONDS) / RATE_MEMORY_SECONDS)
        return level / (RATE_MEMORY_SECONDS * seen) / BYTES_PER_TOKEN


def quantiles(histogram: DurationHistogram) -> Quantiles:
    """The quantiles that are shown of a histogram."""
    return Quantiles(histogram.quantile(0.5), histogram.quantile(0.95))
