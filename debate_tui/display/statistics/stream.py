"""One debater's streams, measured: a fold over the events of the debate log that concern it."""

from __future__ import annotations

from collections import deque
from math import exp
from typing import TYPE_CHECKING

from msgspec.structs import replace

from debate_tui.display.statistics.histogram import Histogram
from debate_tui.display.statistics.report import Break, Figures, Spread, Tokens
from debate_tui.display.statistics.report import Turn as TurnFigures
from debate_tui.display.statistics.trace import HEALED, LOST, Curve, Trace
from debate_tui.display.statistics.turn import BYTES_PER_TOKEN, SHORTEST_RUN, Turn, speed

if TYPE_CHECKING:
    from debate_tui.display.buffer import LaneStatistics
    from debate_tui.domain.events import (
        DebaterInfo,
        StreamStatus,
        TurnDelta,
        TurnFinished,
        TurnStarted,
        TurnSuperseded,
    )
    from debate_tui.domain.stream import Connected, StreamState

MEMORY = 1.5
"""Seconds over which the present speed is taken; older text counts for less and less."""
REMEMBERED_BREAKS = 64


class Stream:
    """Measures one debater's streams; every chunk costs O(1), and memory grows with the number of turns only.

    Gaps between chunks are kept as a histogram of fixed size, speeds over time as a trace of fixed size.
    """

    def __init__(self, info: DebaterInfo, origin: float) -> None:
        self.info = info
        self.state: StreamState = "waiting"
        self.removed = False
        self._trace = Trace(origin)
        self._origin = origin
        self._turns: dict[int, Turn] = {}
        self._turn = Turn(0, origin)
        self._last_at = 0.0
        """When the last chunk came; 0 where the next one begins a run, and no gap ends with it."""
        self._run_at = 0.0
        self._level = 0.0
        self._gaps = Histogram()
        self._first_bytes = Histogram()
        self._first_tokens = Histogram()
        self._first_byte: float | None = None
        self._asked_at = 0.0
        self._connected: Connected | None = None
        self._connections = self._reuses = self._reconnections = self._runs = 0
        self._waited = 0.0
        self._breaks: deque[Break] = deque(maxlen=REMEMBERED_BREAKS)

    @property
    def turn(self) -> TurnFigures:
        """The figures of the newest turn."""
        return self._turn.figures()

    def add(self, delta: TurnDelta) -> None:
        """Take a chunk of the newest turn."""
        at, text, turn = delta.at, delta.text, self._turn
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if last := self._last_at:
            gap = max(at - last, 0.0)
            self._gaps.add(gap)
            turn.flowed += gap
            self._level = self._level * exp(-gap / MEMORY) + size
        else:
            self._begin_run(delta)
            self._level = size
        self._last_at = at
        turn.size += size
        if delta.reasoning:
            turn.thought += size
        elif not turn.answer_at:
            turn.answer_at = at
        self._trace.add(at, size)

    def start(self, event: TurnStarted) -> None:
        """A turn begins, or is taken up again."""
        self._last_at = 0.0
        turn = self._turns.get(event.turn)
        if turn is None:
            turn = self._turns[event.turn] = Turn(event.turn, event.at)
        self._turn = turn

    def supersede(self, event: TurnSuperseded) -> None:
        """The turn's text so far no longer counts; that it came, and when, still does."""
        turn = self._turns.get(event.turn)
        if turn is None:
            return
        self._last_at = 0.0
        turn.begin_anew(event.at)
        if self._breaks and self._breaks[-1].offset is None:
            self._breaks[-1] = replace(self._breaks[-1], superseded=True)

    def finish(self, event: TurnFinished) -> None:
        """A turn is over; the log's figures take the place of what was measured here."""
        self._last_at = 0.0
        if turn := self._turns.get(event.turn):
            turn.usage, turn.cost, turn.reason = event.usage, event.cost, event.reason
            turn.ttft_ms, turn.ended_at = event.ttft_ms, event.at

    def change(self, status: StreamStatus) -> None:
        """The stream's state has changed."""
        self._last_at = 0.0
        if status.state == "connecting":
            if self._turn.reason is not None:
                self._turn.go_on(status.at)
            self._asked_at = status.at
            self._connections += 1
        elif status.state == "connected" and self._asked_at:
            self._first_byte = status.at - self._asked_at
            self._first_bytes.add(self._first_byte)
            self._asked_at = 0.0
        elif status.error is not None and status.state in ("reconnecting", "failed"):
            self._broke(status)
        self.state = status.state

    def connect(self, connected: Connected) -> None:
        """What the log does not say of a connection."""
        self._connected = connected
        self._reuses += bool(connected.reused)
        if self._breaks and self._breaks[-1].offset is None:
            self._breaks[-1] = replace(self._breaks[-1], origin=connected.origin)

    def curve(self, until: float, width: int) -> Curve:
        """The speed so far, in at most `width` stretches."""
        curve = self._trace.curve(until, width)
        return replace(curve, rates=tuple(rate / BYTES_PER_TOKEN for rate in curve.rates))

    def skip(self, seconds: float) -> None:
        """Leave out a time in which the debate was not held."""
        self._last_at = 0.0
        self._origin += seconds
        self._trace.skip(seconds)
        if self._turn.reason is None:
            self._turn.delay(seconds)

    def replace(self, model: str) -> None:
        """Another source speaks for the debater."""
        self.info = replace(self.info, model=model)
        self._connected = None

    def figures(self, now: float, buffer: LaneStatistics | None) -> Figures:
        """All there is to say at `now`."""
        turns = self._turns.values()
        connected = self._connected
        costs = [turn.cost for turn in turns if turn.cost is not None]
        return Figures(
            debater=self.info.id,
            name=self.info.name,
            model=self.info.model,
            state=self.state,
            removed=self.removed,
            transport=connected.transport if connected else "",
            reused=connected.reused if connected else None,
            connections=self._connections,
            reuses=self._reuses,
            first_byte=self._first_byte,
            first_bytes=spread(self._first_bytes),
            first_tokens=spread(self._first_tokens),
            turn=self.turn,
            turns=sum(turn.reason in ("complete", "length") for turn in turns),
            tokens=Tokens(
                sum(turn.tokens.count for turn in turns),
                any(turn.tokens.estimated and turn.size for turn in turns),
            ),
            now=self._speed(now),
            rate=speed(sum(turn.flowing for turn in turns), sum(turn.flowed for turn in turns)),
            gaps=spread(self._gaps),
            size=self._trace.size,
            chunks=self._runs + self._gaps.count,
            reconnections=self._reconnections,
            waited=self._waited,
            breaks=tuple(self._breaks),
            cost=sum(costs) if costs else None,
            buffer=buffer,
        )

    def _begin_run(self, delta: TurnDelta) -> None:
        at, turn = delta.at, self._turn
        self._run_at = at
        self._runs += 1
        if delta.attempt != turn.attempt:
            turn.attempt = delta.attempt
            turn.attempts += 1
        if not turn.first_at:
            turn.first_at = at
            self._first_tokens.add(at - turn.started_at)
        if self._breaks and self._breaks[-1].offset is None and self._breaks[-1].wait is not None:
            self._breaks[-1] = replace(self._breaks[-1], offset=delta.offset)

    def _broke(self, status: StreamStatus) -> None:
        assert status.error is not None
        healed = status.state == "reconnecting"
        if not healed and self.state == "failed":
            return  # said once more, when it was decided what to do about it
        wait = (status.retry_in_ms or 0) / 1000 if healed else None
        self._reconnections += healed
        self._waited += wait or 0.0
        self._trace.mark(status.at, HEALED if healed else LOST)
        self._breaks.append(
            Break(
                at=status.at - self._origin,
                fault=status.error,
                retry=status.retry,
                max_retries=status.max_retries,
                wait=wait,
            )
        )

    def _speed(self, now: float) -> float:
        """Tokens per second lately; text that is older counts for less."""
        if not self._last_at:
            return 0.0
        level = self._level * exp(-max(now - self._last_at, 0.0) / MEMORY)
        seen = 1 - exp(-max(now - self._run_at, SHORTEST_RUN) / MEMORY)
        return level / (MEMORY * seen) / BYTES_PER_TOKEN


def spread(histogram: Histogram) -> Spread:
    """The quantiles that are shown of a histogram."""
    return Spread(histogram.quantile(0.5), histogram.quantile(0.95))
