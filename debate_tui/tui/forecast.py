"""How long a debate will take: as long as its words have taken so far, and nothing before that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.debate import VERDICT_PHASE, Debater, Round, speaking_groups
from debate_tui.domain.events import DebatePaused, DebateResumed, PhaseStarted

if TYPE_CHECKING:
    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Transcript
    from debate_tui.tui.agenda import PhaseProgress


class DurationEstimator:
    """Measures the rounds that were held, pauses aside, by the words asked for in them.

    Rounds are measured in words one after the other: speakers in parallel take as long as one.
    """

    def __init__(self, transcript: Transcript, phase_progress: PhaseProgress) -> None:
        self._transcript = transcript
        self._phase_progress = phase_progress
        self._measured_words = self._current_round_words = 0
        self._measured_seconds = 0.0
        self._round_started_at: float | None = None
        self._paused_at: float | None = None

    def apply(self, event: Event) -> None:
        """Take what concerns the debate as a whole, in the order of the log."""
        match event:
            case PhaseStarted():
                self._finish_round(event.at)
                self._round_started_at = event.at
                self._current_round_words = self._round_words(self._phase_progress.round_of(event))
            case DebatePaused(debater=None):
                self._paused_at = self._paused_at or event.at
            case DebateResumed(reason="continued"):
                self._round_started_at = self._paused_at = None  # nobody knows when it was broken off
            case DebateResumed(debater=None) if self._paused_at is not None:
                if self._round_started_at is not None:
                    self._round_started_at += event.at - self._paused_at
                self._paused_at = None

    def remaining_seconds(self, now: float) -> float | None:
        """Seconds until the last turn ends, at the time `now` of the log; `None` while nobody can say."""
        phase = self._transcript.phase
        loads = [self._round_words(round_) for round_ in self._phase_progress.remaining_rounds]
        if (
            not self._measured_words
            or self._round_started_at is None
            or phase is None
            or phase.phase == VERDICT_PHASE
        ):
            return None
        if self._transcript.finish_reason is not None or not all((self._current_round_words, *loads)):
            return None
        pace = self._measured_seconds / self._measured_words
        spent = (self._paused_at or now) - self._round_started_at
        return max(0.0, self._current_round_words * pace - spent) + sum(loads) * pace

    def _finish_round(self, at: float) -> None:
        """A round is over: its words took this long."""
        if self._round_started_at is not None and self._current_round_words:
            self._measured_words += self._current_round_words
            self._measured_seconds += at - self._round_started_at

    def _round_words(self, round_: Round | None) -> int:
        if round_ is None:
            return 0
        infos = self._transcript.debaters.values()
        debaters = tuple(Debater(id=info.id, name="", side="", source="") for info in infos)
        gone = set(self._transcript.debaters) - set(self._transcript.active_debaters)
        return round_.phase.words * len(list(speaking_groups(round_, debaters, gone)))
