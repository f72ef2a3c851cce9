"""Where a debate is in its format, in words and as progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.debate import VERDICT_PHASE, Debater, Round
from debate_tui.domain.progress import compute_progress
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import PhaseStarted
    from debate_tui.domain.transcript import Transcript, Turn


class PhaseProgress:
    """The steps of a debate; without a format only those are known that have begun.

    The format may ask for more rounds of a phase than are held: who watches knows it by its name alone.
    """

    def __init__(self, transcript: Transcript, format_: Format | None) -> None:
        self._transcript = transcript
        self._format = format_
        self._titles = {phase.name: phase.title for phase in format_.phases} if format_ else {}

    @property
    def current_phase_label(self) -> str:
        """The phase under way, such as ``Rebuttal 2/3``; empty before the first."""
        phase = self._transcript.phase
        return self._round_label(phase) if phase is not None else ""

    @property
    def current_phase_title(self) -> str:
        """The same without the number of its round."""
        phase = self._transcript.phase
        return self._phase_title(phase) if phase is not None else ""

    def turn_phase_label(self, turn: Turn) -> str:
        """The phase a turn belongs to, in the same words."""
        steps = self._transcript.steps
        if 0 < turn.step <= len(steps):
            return self._round_label(steps[turn.step - 1])
        return self._titles.get(turn.phase) or one_line(turn.phase, 40).capitalize()

    @property
    def is_judging(self) -> bool:
        """Whether all is said, and the judges read."""
        phase, over = self._transcript.phase, self._transcript.finish_reason is not None
        return phase is not None and phase.phase == VERDICT_PHASE and not over

    def round_of(self, step: PhaseStarted) -> Round | None:
        """The round that a step of the debate began, where its format is known."""
        phases = self._format.phases if self._format is not None else ()
        found = next((phase for phase in phases if phase.name == step.phase), None)
        if found is None:
            return None
        words = step.words or found.words
        return Round(msgspec.structs.replace(found, words=words), step.round, step.rounds)

    @property
    def remaining_rounds(self) -> tuple[Round, ...]:
        """The rounds that have not begun, as far as is known."""
        if self._format is None:
            return ()
        debaters = tuple(
            Debater(id=info.id, name=info.name, side=info.side, source=info.source)
            for info in self._transcript.debaters.values()
        )
        return compute_progress(
            self._transcript, self._with_announced_rounds(self._format), debaters
        ).remaining_rounds

    def _with_announced_rounds(self, format_: Format) -> Format:
        """The format with no more rounds of a phase than were announced."""
        told = {step.phase: step.rounds for step in self._transcript.steps}
        if all(told.get(phase.name, phase.rounds) >= phase.rounds for phase in format_.phases):
            return format_
        phases = (
            msgspec.structs.replace(phase, rounds=min(phase.rounds, told.get(phase.name, phase.rounds)))
            for phase in format_.phases
        )
        return msgspec.structs.replace(format_, phases=tuple(phases))

    def step_completion(self) -> tuple[float, ...]:
        """How much of each step is done, from 0 to 1; empty where the number of steps is not known."""
        if self._format is None:
            return ()
        transcript = self._transcript
        begun = sum(step.phase != VERDICT_PHASE for step in transcript.steps)
        steps = begun + len(self.remaining_rounds)
        if transcript.finish_reason == "complete" or self.is_judging:
            return (1.0,) * steps
        done = [1.0] * max(0, begun - 1)
        if begun:
            turns = [turn for turn in transcript.turns.values() if turn.step == begun]
            speakers = max(len(transcript.active_debaters), len(turns), 1)
            done.append(sum(turn.finished for turn in turns) / speakers)
        return (*done, *(0.0,) * (steps - len(done)))

    def _round_label(self, step: PhaseStarted) -> str:
        title = self._phase_title(step)
        return f"{title} {step.round}/{step.rounds}" if step.rounds > 1 else title

    def _phase_title(self, step: PhaseStarted) -> str:
        return self._titles.get(step.phase) or one_line(step.phase, 40).capitalize()
