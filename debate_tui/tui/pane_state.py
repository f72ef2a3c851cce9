"""The state of one pane's debater: stream, turn and the times of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import (
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    StreamStatus,
    TurnStarted,
)
from debate_tui.domain.progress import Pauses
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.usage import NO_SPENDING
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.badge import REMOVED, YOUR_TURN, TurnMetrics, badge_for

if TYPE_CHECKING:
    from debate_tui.display.buffer import PaneItem
    from debate_tui.domain.events import DebaterInfo
    from debate_tui.domain.stream import FaultReport
    from debate_tui.domain.transcript import Turn
    from debate_tui.tui.log_follower import LogFollower
from debate_tui.tui.widgets.badge import Badge


class PaneState:
    """The state of one debater, built from its events as far as they are shown.

    `now` is the screen's own monotonic clock, for countdowns. All other times are on the log's clock, so that
    a replay shows what was measured.
    """

    def __init__(self, info: DebaterInfo, follower: LogFollower, tone: Tone = Tone.DEBATER_1) -> None:
        self.id = info.id
        self.tone = tone
        """The debater's own colour."""
        self._follower = follower
        self._initial_info = info
        self.paused_here = False
        """Whether the pane is paused on this screen only."""
        self.is_writing = False
        """Whether the user is to write the debater's turn."""
        self.clear()

    def clear(self) -> None:
        """Discard all state, to apply the debate's events again from the first."""
        self.status: StreamStatus | None = None
        self.removal_reason = ""
        self._pauses = Pauses()
        self._next_attempt_at = 0.0

    @property
    def info(self) -> DebaterInfo:
        """The debater's name, side and model; the model changes when its source is replaced."""
        return self._follower.transcript.debaters.get(self.id, self._initial_info)

    @property
    def title(self) -> str:
        """The debater's name, with its letter before it if it was revealed."""
        letter = self._follower.transcript.revealed_letter(self.id)
        return f"{letter} → {self.info.name}" if letter else self.info.name

    @property
    def turn(self) -> Turn | None:
        """The debater's latest turn."""
        return self._follower.transcript.latest_turn(self.id)

    @property
    def is_paused(self) -> bool:
        """Whether the debater is paused, alone or with all others."""
        return self.paused_here or self._pauses.holds(self.id)

    @property
    def is_paused_alone(self) -> bool:
        """Whether this debater in particular is paused."""
        return self._pauses.holds_alone(self.id)

    @property
    def fault(self) -> FaultReport | None:
        """The current fault of the stream, if any."""
        return self.status.error if self.status is not None else None

    @property
    def problem(self) -> str:
        """The current problem as one line; empty if there is none."""
        if self.removal_reason:
            return self.removal_reason
        return one_line(self.fault.message) if self.fault is not None else ""

    def apply(self, event: PaneItem | DebatePaused | DebateResumed, now: float) -> None:
        """Apply one event."""
        match event:
            case TurnStarted():
                self.status = None
            case StreamStatus():
                self.status = event
                self._next_attempt_at = now + (event.retry_in_ms or 0) / 1000
            case DebatePaused() | DebateResumed():
                self._pauses.apply(event)
            case DebaterRemoved():
                self.removal_reason = one_line(event.reason) or "removed"
            case DebaterReplaced() | DebaterReturned():
                self.removal_reason = ""
            case _:
                pass

    def badge(self, now: float) -> Badge:
        """Return the badge to show now."""
        if self.is_writing and not self.is_paused:
            return YOUR_TURN
        turn = self.turn
        shown = badge_for(
            self.status,
            turn.reason if turn is not None else None,
            paused=self.is_paused,
            seconds_left=self._next_attempt_at - now,
        )
        return REMOVED if self.removal_reason and shown.tone is not Tone.FAILED else shown

    def meter_reading(self, words: int = 0) -> TurnMetrics:
        """Return the meter's values; `words` is the number of words shown of the latest turn."""
        turn = self._follower.statistics.newest_turn(self.id)
        tokens = turn.tokens
        spent = self._follower.bill.debaters.get(self.id, NO_SPENDING)
        return TurnMetrics(
            words=words,
            target_words=self.word_target,
            ttft_ms=None if turn.first_token is None else round(turn.first_token * 1000),
            tokens=None if tokens is None else tokens.count,
            tokens_estimated=tokens is not None and tokens.is_estimated,
            tokens_per_second=turn.mean_rate,
            cost=spent.cost,
            cost_complete=spent.priced,
            is_finished=turn.reason is not None,
        )

    @property
    def word_target(self) -> int:
        """Number of words requested for the latest turn; 0 if not specified."""
        turn, steps = self.turn, self._follower.transcript.steps
        return steps[turn.step - 1].words if turn is not None and 0 < turn.step <= len(steps) else 0
