"""How long a debate will take: as long as its words have taken so far, and nothing before that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.debate import VERDICT, Debater, Round, waves
from debate_tui.domain.events import DebatePaused, DebateResumed, PhaseStarted

if TYPE_CHECKING:
    from debate_tui.domain.events import Event
    from debate_tui.domain.transcript import Transcript
    from debate_tui.tui.agenda import Agenda


class Forecast:
    """Measures the rounds that were held, pauses aside, by the words asked for in them.

    Rounds are measured in words one after the other: speakers in parallel take as long as one.
    """

    def __init__(self, transcript: Transcript, agenda: Agenda) -> None:
        self._transcript = transcript
        self._agenda = agenda
        self._words = self._present = 0
        self._seconds = 0.0
        self._began: float | None = None
        self._paused: float | None = None

    def see(self, event: Event) -> None:
        """Take what concerns the debate as a whole, in the order of the log."""
        match event:
            case PhaseStarted():
                self._close(event.at)
                self._began = event.at
                self._present = self._load(self._agenda.round(event))
            case DebatePaused(debater=None):
                self._paused = self._paused or event.at
            case DebateResumed(reason="continued"):
                self._began = self._paused = None  # nobody knows when it was broken off
            case DebateResumed(debater=None) if self._paused is not None:
                if self._began is not None:
                    self._began += event.at - self._paused
                self._paused = None

    def remaining(self, now: float) -> float | None:
        """Seconds until the last turn ends, at the time `now` of the log; `None` while nobody can say."""
        phase = self._transcript.phase
        loads = [self._load(round_) for round_ in self._agenda.ahead]
        if not self._words or self._began is None or phase is None or phase.phase == VERDICT:
            return None
        if self._transcript.finished is not None or not all((self._present, *loads)):
            return None
        pace = self._seconds / self._words
        spent = (self._paused or now) - self._began
        return max(0.0, self._present * pace - spent) + sum(loads) * pace

    def _close(self, at: float) -> None:
        """A round is over: its words took this long."""
        if self._began is not None and self._present:
            self._words += self._present
            self._seconds += at - self._began

    def _load(self, round_: Round | None) -> int:
        if round_ is None:
            return 0
        infos = self._transcript.debaters.values()
        debaters = tuple(Debater(id=info.id, name="", side="", source="") for info in infos)
        gone = set(self._transcript.debaters) - set(self._transcript.active)
        return round_.phase.words * len(list(waves(round_, debaters, gone)))
