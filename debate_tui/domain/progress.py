"""Where a debate stands: what of its format is done, what was cut short, and what remains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.debate import Debater, Format, Round, rounds, waves

if TYPE_CHECKING:
    from debate_tui.domain.events import PhaseStarted
    from debate_tui.domain.transcript import Transcript, Turn


class Progress(Struct, frozen=True):
    """A debate measured against its format.

    `round` is the last round begun, unless all of its turns have ended; `seq` the number of its
    `phase.started`, which fixes what its speakers may see; `open` the numbers of its turns that began and
    never ended; `owing` the ids of its speakers who did not begin, in the order they speak. `ahead` are
    the rounds not begun.
    """

    round: Round | None
    seq: int
    open: tuple[int, ...]
    owing: tuple[str, ...]
    ahead: tuple[Round, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing remains to be said."""
        return self.round is None and not self.ahead


def progress(transcript: Transcript, format_: Format, debaters: tuple[Debater, ...]) -> Progress:
    """What remains of a debate that was stopped or killed.

    `format_` and `debaters` must be those the debate was begun with. A round the format does not have (the
    moderator asked for one more) is completed like any other, and the format goes on behind the last of
    its rounds that was begun. A turn that ended, however it did, is not owed again; neither is one of a
    debater who left.
    """
    plan = tuple(rounds(format_))
    places = {(round_.phase.name, round_.number): place for place, round_ in enumerate(plan)}
    begun = [places.get((step.phase, step.round), -1) for step in transcript.steps]
    ahead = plan[max(begun, default=-1) + 1 :]
    if not begun:
        return Progress(None, 0, (), (), ahead)
    step = transcript.steps[-1]
    current = _current(plan, begun[-1], step)
    turns = [turn for turn in transcript.turns.values() if turn.step == len(transcript.steps)]
    open_ = tuple(turn.number for turn in turns if not turn.finished and turn.debater in transcript.active)
    owing = _owing(current, transcript, debaters, turns)
    return Progress(current if open_ or owing else None, step.seq, open_, owing, ahead)


def _current(plan: tuple[Round, ...], place: int, step: PhaseStarted) -> Round:
    """The round begun last; one that is not planned is held like the others of its phase."""
    if place >= 0:
        return plan[place]
    alike = next((round_.phase for round_ in plan if round_.phase.name == step.phase), plan[-1].phase)
    return Round(alike, step.round, step.rounds)


def _owing(
    round_: Round, transcript: Transcript, debaters: tuple[Debater, ...], turns: list[Turn]
) -> tuple[str, ...]:
    spoken = {turn.debater for turn in turns}
    absent = {debater.id for debater in debaters} - set(transcript.active) | spoken
    return tuple(debater.id for wave in waves(round_, debaters, absent) for debater in wave)
