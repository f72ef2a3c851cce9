"""The progress of a debate: what of its format is done or still to come, and who is paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.debate import VERDICT_PHASE, Debater, Format, Round, iter_rounds, speaking_groups
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    TurnDelta,
    TurnFinished,
    TurnStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.events import Event, PhaseStarted
    from debate_tui.domain.transcript import Transcript, Turn


class Progress(Struct, frozen=True):
    """How far a debate has come in its format.

    `round` is the last round started, or `None` if all of its turns have ended. `open_turns` are the numbers
    of its turns that started but were interrupted; `pending_speakers` the ids of its speakers who have not
    started, in speaking order. `remaining_rounds` are the rounds not yet started.
    """

    round: Round | None
    open_turns: tuple[int, ...]
    pending_speakers: tuple[str, ...]
    remaining_rounds: tuple[Round, ...]

    @property
    def complete(self) -> bool:
        """Whether no turn is left to run."""
        return self.round is None and not self.remaining_rounds


def compute_progress(transcript: Transcript, format_: Format, debaters: tuple[Debater, ...]) -> Progress:
    """Compute what remains of a debate that was stopped or killed.

    `format_` and `debaters` must be those the debate started with. A round that the format does not have
    (added by the moderator) is completed like any other; the format then continues after the last of its
    own rounds that was started. A word limit set by the moderator applies to all remaining rounds. A
    finished turn is not repeated, whatever its reason, unless the end of the debate interrupted it.
    Debaters who left have no turns left.
    """
    plan = tuple(iter_rounds(format_))
    places = {(round_.phase.name, round_.number): place for place, round_ in enumerate(plan)}
    steps = [step for step in transcript.steps if step.phase != VERDICT_PHASE]
    if not steps:
        return Progress(None, (), (), plan)
    begun = [places.get((step.phase, step.round), -1) for step in steps]
    step = steps[-1]
    current = _current_round(plan, step)
    ahead = _remaining_rounds(plan, max(begun), current)
    if step.words not in (0, current.phase.words):
        current, *ahead = (round_.with_words(step.words) for round_ in (current, *ahead))
    turns = [turn for turn in transcript.turns.values() if turn.step == len(steps)]
    open_ = tuple(
        turn.number
        for turn in turns
        if (not turn.finished or turn.number in transcript.interrupted_turns)
        and turn.debater in transcript.active_debaters
    )
    owing = _pending_speakers(current, transcript, debaters, turns)
    return Progress(current if open_ or owing else None, open_, owing, tuple(ahead))


def _current_round(plan: tuple[Round, ...], step: PhaseStarted) -> Round:
    """Return the round started last; an unplanned one uses the phase of the same name."""
    alike = next((round_.phase for round_ in plan if round_.phase.name == step.phase), plan[-1].phase)
    return Round(alike, step.round, step.rounds)


def _remaining_rounds(plan: tuple[Round, ...], done: int, current: Round) -> list[Round]:
    """Return the rounds after place `done`, plus those added to the current phase."""
    ahead = list(plan[done + 1 :])
    planned = sum(round_.phase.name == current.phase.name for round_ in plan)
    if max(planned, current.number) >= current.total:
        return ahead
    others = [round_ for round_ in ahead if round_.phase.name != current.phase.name]
    more = range(current.number + 1, current.total + 1)
    return [*(Round(current.phase, number, current.total) for number in more), *others]


def _pending_speakers(
    round_: Round, transcript: Transcript, debaters: tuple[Debater, ...], turns: list[Turn]
) -> tuple[str, ...]:
    spoken = {turn.debater for turn in turns}
    absent = {debater.id for debater in debaters} - set(transcript.active_debaters) | spoken
    return tuple(debater.id for wave in speaking_groups(round_, debaters, absent) for debater in wave)


def speaking_seconds(events: Iterable[Event]) -> float:
    """Return for how many seconds someone spoke; pauses and interruptions do not count, nor do deltas."""
    seconds, last_at = 0.0, 0.0
    open_turns: set[int] = set()
    for event in events:
        if isinstance(event, TurnDelta):
            continue
        if open_turns and not isinstance(event, DebateResumed):
            seconds += max(0.0, event.at - last_at)
        last_at = event.at
        match event:
            case TurnStarted():
                open_turns.add(event.turn)
            case TurnFinished():
                open_turns.discard(event.turn)
            case DebateFinished():
                open_turns.clear()
    return seconds


class Pauses:
    """Which debaters are paused, folded from the pauses and resumptions in log order."""

    def __init__(self) -> None:
        self._shared_reasons: set[str] = set()
        """Why all are paused: the user or a limit (``""``), or ids of those whose fault needs a decision."""
        self._alone: set[str] = set()
        self._resumed_alone: set[str] = set()
        """The debaters whom the user has resumed since pausing all."""

    @property
    def holds_all(self) -> bool:
        """Whether all debaters are paused for a reason they share."""
        return bool(self._shared_reasons - ({""} if self._resumed_alone else set()))

    def holds_alone(self, debater: str) -> bool:
        """Return whether this debater in particular is paused."""
        return debater in self._alone

    def holds(self, debater: str) -> bool:
        """Return whether a debater is paused, alone or with all others."""
        exempt = {""} if debater in self._resumed_alone else set()
        return debater in self._alone or bool(self._shared_reasons - exempt)

    def apply(self, event: DebatePaused | DebateResumed) -> None:
        """Apply a pause or a resumption."""
        debater = event.debater or ""
        if isinstance(event, DebatePaused):
            if event.reason == "user" and debater:
                self._alone.add(debater)
                return
            self._shared_reasons.add(debater)
            if not debater:
                self._resumed_alone.clear()
        elif event.reason == "continued":
            self._shared_reasons.clear()
            self._alone.clear()
        elif event.reason != "user" or not debater:
            self._shared_reasons.discard(debater)
        else:
            self._alone.discard(debater)
            self._resumed_alone.add(debater)
