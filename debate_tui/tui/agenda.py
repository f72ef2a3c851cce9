"""Where a debate is in its format, in words and as progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.debate import VERDICT, Debater, Round
from debate_tui.domain.progress import progress
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import PhaseStarted
    from debate_tui.domain.transcript import Transcript, Turn


class Agenda:
    """The steps of a debate; without a format only those are known that have begun.

    The format may ask for more rounds of a phase than are held: who watches knows it by its name alone.
    """

    def __init__(self, transcript: Transcript, format_: Format | None) -> None:
        self._transcript = transcript
        self._format = format_
        self._titles = {phase.name: phase.title for phase in format_.phases} if format_ else {}

    @property
    def now(self) -> str:
        """The phase under way, such as ``Rebuttal 2/3``; empty before the first."""
        phase = self._transcript.phase
        return self._name(phase) if phase is not None else ""

    @property
    def phase_now(self) -> str:
        """The same without the number of its round."""
        phase = self._transcript.phase
        return self._title(phase) if phase is not None else ""

    def title(self, turn: Turn) -> str:
        """The phase a turn belongs to, in the same words."""
        steps = self._transcript.steps
        if 0 < turn.step <= len(steps):
            return self._name(steps[turn.step - 1])
        return self._titles.get(turn.phase) or one_line(turn.phase, 40).capitalize()

    @property
    def judging(self) -> bool:
        """Whether all is said, and the judges read."""
        phase, over = self._transcript.phase, self._transcript.finished is not None
        return phase is not None and phase.phase == VERDICT and not over

    def round(self, step: PhaseStarted) -> Round | None:
        """The round that a step of the debate began, where its format is known."""
        phases = self._format.phases if self._format is not None else ()
        found = next((phase for phase in phases if phase.name == step.phase), None)
        if found is None:
            return None
        words = step.words or found.words
        return Round(msgspec.structs.replace(found, words=words), step.round, step.rounds)

    @property
    def ahead(self) -> tuple[Round, ...]:
        """The rounds that have not begun, as far as is known."""
        if self._format is None:
            return ()
        debaters = tuple(
            Debater(id=info.id, name=info.name, side=info.side, source=info.source)
            for info in self._transcript.debaters.values()
        )
        return progress(self._transcript, self._as_held(self._format), debaters).ahead

    def _as_held(self, format_: Format) -> Format:
        """The format with no more rounds of a phase than were announced."""
        told = {step.phase: step.rounds for step in self._transcript.steps}
        if all(told.get(phase.name, phase.rounds) >= phase.rounds for phase in format_.phases):
            return format_
        phases = (
            msgspec.structs.replace(phase, rounds=min(phase.rounds, told.get(phase.name, phase.rounds)))
            for phase in format_.phases
        )
        return msgspec.structs.replace(format_, phases=tuple(phases))

    def progress(self) -> tuple[float, ...]:
        """How much of each step is done, from 0 to 1; empty where the number of steps is not known."""
        if self._format is None:
            return ()
        transcript = self._transcript
        begun = sum(step.phase != VERDICT for step in transcript.steps)
        steps = begun + len(self.ahead)
        if transcript.finished == "complete" or self.judging:
            return (1.0,) * steps
        done = [1.0] * max(0, begun - 1)
        if begun:
            turns = [turn for turn in transcript.turns.values() if turn.step == begun]
            speakers = max(len(transcript.active), len(turns), 1)
            done.append(sum(turn.finished for turn in turns) / speakers)
        return (*done, *(0.0,) * (steps - len(done)))

    def _name(self, step: PhaseStarted) -> str:
        title = self._title(step)
        return f"{title} {step.round}/{step.rounds}" if step.rounds > 1 else title

    def _title(self, step: PhaseStarted) -> str:
        return self._titles.get(step.phase) or one_line(step.phase, 40).capitalize()
