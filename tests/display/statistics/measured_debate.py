"""A debate whose events happen at given times, and its statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.display.statistics import Statistics
from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport
from debate_tui.record.log import MemoryLog

if TYPE_CHECKING:
    from debate_tui.display.statistics import StreamStatistics, TurnStatistics
    from debate_tui.domain.stream import FinishReason, StreamState


CAST = (
    ev.DebaterInfo("a", "Ada", "for", "openai:x", "x"),
    ev.DebaterInfo("b", "Ben", "against", "demo", "demo"),
)


RESET = FaultReport(FaultKind.NETWORK, "Connection reset.")


BUSY = FaultReport(FaultKind.OVERLOADED, "Busy.", 529)


TOKEN = "x" * 42


class MeasuredDebate:
    """A log whose times are given, and its statistics."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.log = MemoryLog(clock=lambda: self.now)
        self.statistics = Statistics(clock=lambda: self.now)
        self.log.subscribe(self.statistics)
        self.attempt = 1
        self.offsets = [0, 0]
        self.append(ev.DebateStarted(debate="d", topic="t", format="f", debaters=CAST))

    def append(self, event: ev.Event) -> None:
        self.log.append(event)

    def at(self, seconds: float) -> MeasuredDebate:
        self.now = 1000.0 + seconds
        return self

    def begin(self, turn: int = 1) -> None:
        self.offsets = [0, 0]
        self.attempt = 1
        self.append(ev.TurnStarted(turn=turn, debater="a", phase="p"))

    def state(self, state: StreamState, error: FaultReport | None = None, wait: float = 0.0) -> None:
        self.append(
            ev.StreamStatus(
                debater="a",
                state=state,
                attempt=self.attempt,
                retry_in_ms=round(wait * 1000) or None,
                error=error,
                retry=1 if wait else 0,
                max_retries=5 if wait else 0,
            )
        )

    def say(self, text: str = TOKEN, *, turn: int = 1, reasoning: bool = False) -> None:
        offset = self.offsets[reasoning]
        self.offsets[reasoning] += len(text)
        self.append(
            ev.TurnDelta(
                turn=turn, debater="a", attempt=self.attempt, offset=offset, text=text, reasoning=reasoning
            )
        )

    def finish(self, reason: FinishReason = "complete", turn: int = 1, **more: object) -> None:
        self.state("failed" if reason == "failed" else "finished")
        self.append(ev.TurnFinished(turn=turn, debater="a", reason=reason, **more))  # type: ignore[arg-type]

    def break_off(self, error: FaultReport = RESET, wait: float = 1.0) -> None:
        self.state("reconnecting", error, wait)
        self.attempt += 1

    @property
    def stream(self) -> StreamStatistics:
        return self.statistics.report().streams[0]

    @property
    def turn(self) -> TurnStatistics:
        return self.statistics.newest_turn("a")

    @property
    def current_rate(self) -> float:
        return self.stream.current_rate(self.now)
