"""The statistics of one debater's streams: a fold over their events in the debate log."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.domain.stream import FinishReason, StreamOrigin, Usage

if TYPE_CHECKING:
    from collections.abc import Collection

    from debate_tui.domain.events import (
        DebaterInfo,
        StreamStatus,
        TurnDelta,
        TurnFinished,
        TurnStarted,
        TurnSuperseded,
    )
    from debate_tui.domain.stream import Connected, FaultReport

BYTES_PER_TOKEN = 4.2
"""Estimated bytes of UTF-8 per token of prose, used until the provider reports token counts."""
MIN_RATE_SECONDS = 0.5
"""Seconds of flowing text below which a rate is meaningless."""
RATE_WINDOW_SECONDS = 60
"""The number of latest seconds for which rates are kept."""
CURRENT_RATE_SECONDS = 2
"""The number of complete seconds that the current rate covers, besides the current second."""


class TokenCount(Struct, frozen=True):
    """A number of tokens; `is_estimated` means that it was estimated from the text."""

    count: int = 0
    is_estimated: bool = False


class Resumption(Struct, frozen=True):
    """Where text continued after a fault.

    `offset` is the number of characters before it, and `origin` where the server started, if known.
    `superseded` means that the text before it no longer counts.
    """

    offset: int = 0
    origin: StreamOrigin | None = None
    superseded: bool = False


class TurnStatistics(Struct):
    """The statistics of a running or finished turn; times are the log's, sizes in bytes of UTF-8.

    `size` is the text that counts, `superseded_size` the text that no longer counts, and `reasoning_size`
    the reasoning in both. `streaming_seconds` is the time in which all of it arrived, `attempts` the number
    of connections that brought it. `reason` is how the turn ended, `None` while it is running.
    """

    started_at: float = 0.0
    first_at: float = 0.0
    answer_at: float = 0.0
    ended_at: float = 0.0
    size: int = 0
    superseded_size: int = 0
    reasoning_size: int = 0
    streaming_seconds: float = 0.0
    attempt: int = 0
    attempts: int = 0
    usage: Usage | None = None
    cost: float | None = None
    ttft_ms: int | None = None
    reason: FinishReason | None = None

    @property
    def tokens(self) -> TokenCount | None:
        """The tokens as reported by the provider, else as estimated; `None` before the first text."""
        return self._count_tokens(self.size) if self.size or self.usage else None

    @property
    def streamed_tokens(self) -> int:
        """All tokens whose text was received; reasoning that is only counted takes no time to stream."""
        hidden = 0 if self.reasoning_size or self.usage is None else self.usage.reasoning_tokens or 0
        return self._count_tokens(self.size + self.superseded_size, hidden).count

    @property
    def mean_rate(self) -> float | None:
        """The tokens per second while text was flowing, without waits, pauses and outages."""
        return mean_rate([self])

    @property
    def first_token(self) -> float | None:
        """The time from the turn's start to its first text, in seconds."""
        if self.ttft_ms is not None:
            return self.ttft_ms / 1000
        return self.first_at - self.started_at if self.first_at else None

    @property
    def first_answer(self) -> float | None:
        """The time from the turn's start to its first text after reasoning, in seconds, if it reasoned."""
        return self.answer_at - self.started_at if self.answer_at and self.reasoning_size else None

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

    def _count_tokens(self, size: int, hidden: int = 0) -> TokenCount:
        """Return the provider's count without `hidden` tokens, or an estimate if the count is incomplete.

        A connection that failed may never have reported its tokens.
        """
        estimate = round(size / BYTES_PER_TOKEN)
        known = self.usage.output_tokens if self.usage is not None else None
        if known is None or (self.attempts > 1 and known - hidden < estimate):
            return TokenCount(estimate, is_estimated=True)
        return TokenCount(max(0, known - hidden))


def mean_rate(turns: Collection[TurnStatistics]) -> float | None:
    """Return the mean rate over turns, in tokens per second, or `None` if the time was too short."""
    seconds = sum(turn.streaming_seconds for turn in turns)
    return sum(turn.streamed_tokens for turn in turns) / seconds if seconds >= MIN_RATE_SECONDS else None


class RateWindow:
    """The text received and the faults in each of the latest seconds of the log's time."""

    __slots__ = ("_faults", "_sizes")

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._faults: dict[int, bool] = {}

    def add(self, at: float, size: int) -> None:
        """Add a size received at a time."""
        second = int(at)
        if second in self._sizes:
            self._sizes[second] += size
        else:
            self._sizes[second] = size
            self._forget_before(second - RATE_WINDOW_SECONDS)

    def mark_fault(self, at: float, *, is_fatal: bool) -> None:
        """Mark a fault that happened at a time."""
        second = int(at)
        self._faults[second] = is_fatal or self._faults.get(second, False)
        self._forget_before(second - RATE_WINDOW_SECONDS)

    def latest(self, now: float, seconds: int) -> list[tuple[float, bool | None]]:
        """Return the rate and the fault in each of the latest complete seconds, oldest first.

        Rates are in tokens per second. A fault is `True` if it ended the stream, else `False`.
        """
        return [
            (self._sizes.get(second, 0) / BYTES_PER_TOKEN, self._faults.get(second))
            for second in range(int(now) - min(seconds, RATE_WINDOW_SECONDS), int(now))
        ]

    def current_rate(self, now: float, started_at: float) -> float:
        """Return the recent tokens per second of text that has been flowing since `started_at`."""
        first = int(now) - CURRENT_RATE_SECONDS
        size = sum(self._sizes.get(second, 0) for second in range(first, int(now) + 1))
        return size / BYTES_PER_TOKEN / max(now - max(first, started_at), MIN_RATE_SECONDS)

    def _forget_before(self, first: int) -> None:
        self._sizes = {second: size for second, size in self._sizes.items() if second >= first}
        self._faults = {second: fault for second, fault in self._faults.items() if second >= first}


class StreamStatistics:
    """The statistics of one debater's streams; each chunk costs O(1), memory grows with turns only.

    `first_byte` is the time from the newest connection's request to the server's answer, and `longest_gap`
    the longest time between two chunks of a connection, both in seconds. `retry_wait` is the total time spent
    waiting to reconnect, in seconds. `faults` counts faults by kind.
    """

    def __init__(self, info: DebaterInfo, started_at: float) -> None:
        self.info = info
        self.status: StreamStatus | None = None
        self.is_removed = False
        self.turn = TurnStatistics(started_at)
        """The newest turn."""
        self.transport = ""
        self.connections = self.reconnections = 0
        self.first_byte: float | None = None
        self.longest_gap: float | None = None
        self.retry_wait = 0.0
        self.faults: Counter[str] = Counter()
        self.last_fault: FaultReport | None = None
        self.resumption: Resumption | None = None
        self.rates = RateWindow()
        self._turns: dict[int, TurnStatistics] = {}
        self._last_chunk_at = 0.0
        """When the last chunk arrived; 0 if the next one begins a run, so that no gap ends with it."""
        self._run_started_at = 0.0
        self._requested_at = 0.0
        self._held_since = 0.0
        """Since when the debater is paused; 0 if it is not."""
        self._pending_resumption: Resumption | None = None
        """What is known of a resumption between a fault and the next text."""

    @property
    def tokens(self) -> TokenCount:
        """The tokens of all turns."""
        counts = [turn.tokens for turn in self._turns.values() if turn.tokens]
        return TokenCount(sum(each.count for each in counts), any(each.is_estimated for each in counts))

    @property
    def cost(self) -> float | None:
        """The cost of all finished turns in US dollars, if known."""
        costs = [turn.cost for turn in self._turns.values() if turn.cost is not None]
        return sum(costs) if costs else None

    @property
    def mean_rate(self) -> float | None:
        """The mean rate over all turns, in tokens per second."""
        return mean_rate(self._turns.values())

    @property
    def median_first_token(self) -> float | None:
        """The median over all turns of the time to the first token, in seconds."""
        known = sorted(turn.first_token for turn in self._turns.values() if turn.first_token is not None)
        return known[len(known) // 2] if known else None

    def current_rate(self, now: float) -> float:
        """Return the current rate in tokens per second."""
        return self.rates.current_rate(now, self._run_started_at) if self._last_chunk_at else 0.0

    def add_delta(self, delta: TurnDelta) -> None:
        """Add a chunk of the newest turn."""
        at, text, turn = delta.at, delta.text, self.turn
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if last := self._last_chunk_at:
            gap = max(at - last, 0.0)
            turn.streaming_seconds += gap
            if self.longest_gap is None or gap > self.longest_gap:
                self.longest_gap = gap
        else:
            self._begin_run(delta)
        self._last_chunk_at = at
        turn.size += size
        if delta.reasoning:
            turn.reasoning_size += size
        elif not turn.answer_at:
            turn.answer_at = at
        self.rates.add(at, size)

    def start_turn(self, event: TurnStarted) -> None:
        """Start a turn, or resume it."""
        self._last_chunk_at = 0.0
        self._held_since = self._held_since and event.at
        self.turn = self._turns.setdefault(event.turn, TurnStatistics(event.at))

    def supersede_turn(self, event: TurnSuperseded) -> None:
        """Discard the turn's text so far; that it arrived, and when, still counts."""
        turn = self._turns.get(event.turn)
        if turn is None:
            return
        self._last_chunk_at = 0.0
        turn.restart(event.at)
        if self._pending_resumption is not None:
            self._pending_resumption = replace(self._pending_resumption, superseded=True)

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
            if self.turn.reason is not None:
                self.turn.resume(status.at)
            self._requested_at = status.at
            self.connections += 1
        elif status.state == "connected" and self._requested_at:
            self.first_byte = status.at - self._requested_at
            self._requested_at = 0.0
        elif status.error is not None and status.state in ("reconnecting", "failed"):
            self._record_fault(status, status.error)
        self.status = status

    def record_connection(self, connected: Connected) -> None:
        """Record details of a connection that are not in the log."""
        self.transport = connected.transport
        if self._pending_resumption is not None:
            self._pending_resumption = replace(self._pending_resumption, origin=connected.origin)

    def exclude_time(self, seconds: float) -> None:
        """Exclude time in which the debate was not running."""
        self._last_chunk_at = 0.0
        if self.turn.reason is None:
            self.turn.shift_start(seconds)
        self._held_since += seconds if self._held_since else 0.0

    def set_held(self, at: float, *, held: bool) -> None:
        """Stop the turn's times while the debater is paused, or let them continue."""
        self._last_chunk_at = 0.0
        if held:
            self._held_since = self._held_since or at
        elif self._held_since:
            if self.turn.reason is None:
                self.turn.shift_start(at - self._held_since)
            self._held_since = 0.0

    def switch_model(self, model: str) -> None:
        """Record that the debater switched to another model."""
        self.info = replace(self.info, model=model)
        self.transport = ""

    def _begin_run(self, delta: TurnDelta) -> None:
        turn = self.turn
        self._run_started_at = delta.at
        if delta.attempt != turn.attempt:
            turn.attempt = delta.attempt
            turn.attempts += 1
        turn.first_at = turn.first_at or delta.at
        if self._pending_resumption is not None:
            self.resumption = replace(self._pending_resumption, offset=delta.offset)
            self._pending_resumption = None

    def _record_fault(self, status: StreamStatus, fault: FaultReport) -> None:
        is_fatal = status.state == "failed"
        if is_fatal and self.status is not None and self.status.state == "failed":
            return  # already recorded; reported again when it was decided what to do about it
        kind = fault.kind.replace("_", " ")
        self.faults[kind if fault.status is None else f"{kind} ({fault.status})"] += 1
        self.last_fault = fault
        self.rates.mark_fault(status.at, is_fatal=is_fatal)
        self._pending_resumption = None if is_fatal else Resumption()
        if not is_fatal:
            self.reconnections += 1
            self.retry_wait += (status.retry_in_ms or 0) / 1000
