"""Where a debate is in its format, in words and as progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.debate import rounds
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from debate_tui.domain.debate import Format
    from debate_tui.domain.events import PhaseStarted
    from debate_tui.domain.transcript import Transcript, Turn


class Agenda:
    """The steps of a debate; without a format only those are known that have begun."""

    def __init__(self, transcript: Transcript, format_: Format | None) -> None:
        self._transcript = transcript
        self._titles = {phase.name: phase.title for phase in format_.phases} if format_ else {}
        self._steps = len(list(rounds(format_))) if format_ else 0

    @property
    def now(self) -> str:
        """The phase under way, such as ``Rebuttal 2/3``; empty before the first."""
        phase = self._transcript.phase
        return self._name(phase) if phase is not None else ""

    def title(self, turn: Turn) -> str:
        """The phase a turn belongs to, in the same words."""
        steps = self._transcript.steps
        if 0 < turn.step <= len(steps):
            return self._name(steps[turn.step - 1])
        return self._titles.get(turn.phase) or one_line(turn.phase, 40).capitalize()

    def progress(self) -> tuple[float, ...]:
        """How much of each step is done, from 0 to 1; empty where the number of steps is not known."""
        if not self._steps:
            return ()
        transcript = self._transcript
        if transcript.finished == "complete":
            return (1.0,) * self._steps
        begun = len(transcript.steps)
        done = [1.0] * max(0, begun - 1)
        if begun:
            turns = [turn for turn in transcript.turns.values() if turn.step == begun]
            speakers = max(len(transcript.active), len(turns), 1)
            done.append(sum(turn.finished for turn in turns) / speakers)
        return tuple(done[: self._steps]) + (0.0,) * (self._steps - len(done))

    def _name(self, step: PhaseStarted) -> str:
        title = self._titles.get(step.phase) or one_line(step.phase, 40).capitalize()
        return f"{title} {step.round}/{step.rounds}" if step.rounds > 1 else title
