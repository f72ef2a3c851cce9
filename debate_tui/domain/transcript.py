"""The transcript: what the events of a debate add up to.

Screen, exports, prompts and viewers all fold the same events with this one class, so they cannot disagree.
"""

from __future__ import annotations

from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    DebatersRevealed,
    DebateStarted,
    Event,
    Interjection,
    PhaseStarted,
    Report,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    Verdict,
    Vote,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from debate_tui.domain.debate import OutcomeKind
    from debate_tui.domain.events import DebaterInfo, MaterialInfo, Quote
    from debate_tui.domain.stream import Citation, FaultReport, FinishReason, Usage

PUBLIC_FINISH_REASONS = frozenset({"complete", "length", "stopped"})
"""Finish reasons of turns that others see; failed and refused turns are not arguments."""

RosterChange = DebaterRemoved | DebaterReplaced | DebaterReturned
TurnEvent = TurnDelta | TurnStarted | TurnSuperseded | TurnFinished


class Seam(Struct, frozen=True):
    """Where a recovery resumed: `attempt` continued the text after `offset` characters."""

    offset: int
    attempt: int


class SideEvent(Struct, frozen=True):
    """An event outside the turns; `step` rounds and `turn_count` turns had started before it."""

    step: int
    turn_count: int
    event: Interjection | RosterChange


class DeltaRule:
    """The rule that decides which deltas of a turn count, and so how long its texts are.

    A delta counts if its attempt has not been superseded, and its `offset` is the length of the text so far:
    so duplicates are harmless. Lengths are in characters (Unicode code points).
    """

    __slots__ = ("_first_attempt", "answer_length", "reasoning_length")

    def __init__(self) -> None:
        self._first_attempt = self.answer_length = self.reasoning_length = 0

    def accept(self, delta: TurnDelta) -> bool:
        """Return whether a delta counts; if so, add its length."""
        if delta.attempt < self._first_attempt:
            return False
        if delta.reasoning:
            if delta.offset != self.reasoning_length:
                return False
            self.reasoning_length += len(delta.text)
        else:
            if delta.offset != self.answer_length:
                return False
            self.answer_length += len(delta.text)
        return True

    def supersede(self, attempt: int) -> bool:
        """Start over with `attempt`; return `False` if that has been done before."""
        if attempt <= self._first_attempt:
            return False
        self._first_attempt = attempt
        self.answer_length = self.reasoning_length = 0
        return True


class Turn:
    """One debater's answer in one phase, so far.

    `number` counts the turns of a debate in the order they started; `step` counts the rounds over all
    phases, from 1. `model` is the last model used in it. `started_seq` is the log position of its start;
    like that of its end, it decides which phases may see it. `end` is its last `turn.finished`, also while a
    retry has reopened it. `superseded_count` counts how often its text was dropped; `faults` are its faults,
    oldest first; `seams` are where recoveries resumed the answer.
    """

    def __init__(self, started: TurnStarted, *, model: str, round_: int, step: int) -> None:
        self.number = started.turn
        self.debater = started.debater
        self.phase = started.phase
        self.model = model
        self.round = round_
        self.step = step
        self.started_at = started.at
        self.started_seq = started.seq
        self.end: TurnFinished | None = None
        self.finished = False
        self.attempt = 1
        self.superseded_count = 0
        self.faults: list[FaultReport] = []
        self.seams: tuple[Seam, ...] = ()
        self._rule = DeltaRule()
        self._answer: list[str] = []
        self._answer_attempt = 0
        self._reasoning: list[str] = []

    @property
    def text(self) -> str:
        """The answer as received, not sanitised; joining costs O(length), once after each change."""
        return _join(self._answer)

    def start_of_text(self, length: int) -> str:
        """Return up to `length` characters from the start of the answer, without joining all of it."""
        starts = takewhile(lambda start: start < length, accumulate(map(len, self._answer), initial=0))
        return "".join(part for _, part in zip(starts, self._answer, strict=False))[:length]

    @property
    def reasoning(self) -> str:
        """The reasoning as received, not sanitised; never shown to opponents or judges."""
        return _join(self._reasoning)

    @property
    def length(self) -> int:
        """Characters (Unicode code points) of the answer; the `offset` its next delta must have."""
        return self._rule.answer_length

    @property
    def reasoning_length(self) -> int:
        """Characters (Unicode code points) of the reasoning."""
        return self._rule.reasoning_length

    @property
    def reason(self) -> FinishReason | None:
        """How the turn ended, or `None` while it is running."""
        return self.end.reason if self.end is not None and self.finished else None

    @property
    def is_public(self) -> bool:
        """Whether other debaters and judges get the turn: it has ended, with text that is an argument."""
        return self.reason in PUBLIC_FINISH_REASONS and bool(self.text.strip())

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The checked quotes in the answer; none while the turn is running."""
        return self.end.quotes if self.end is not None and self.finished else ()

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The sources that the provider named; none while the turn is running."""
        return self.end.citations if self.end is not None and self.finished else ()

    @property
    def usage(self) -> Usage | None:
        """The tokens used up to the turn's last end, or `None` if unknown."""
        return self.end.usage if self.end is not None else None

    @property
    def cost(self) -> float | None:
        """The cost up to the turn's last end in US dollars, or `None` if unknown."""
        return self.end.cost if self.end is not None else None

    @property
    def ttft_ms(self) -> int | None:
        """Milliseconds to the first text, or `None` if unknown."""
        return self.end.ttft_ms if self.end is not None else None

    @property
    def duration_ms(self) -> int | None:
        """Milliseconds from the start to the last end, or `None` if unknown."""
        return self.end.duration_ms if self.end is not None else None

    def apply_delta(self, delta: TurnDelta) -> None:
        """Apply a delta, if it counts."""
        length = self._rule.answer_length
        if not delta.text or not self._rule.accept(delta):
            return
        self.attempt = max(self.attempt, delta.attempt)
        if delta.reasoning:
            self._reasoning.append(delta.text)
            return
        if delta.attempt > self._answer_attempt:
            self._answer_attempt = delta.attempt
            if length:
                self.seams += (Seam(length, delta.attempt),)
        self._answer.append(delta.text)

    def supersede(self, attempt: int) -> None:
        """Drop the text of all attempts before `attempt`; the turn is running again."""
        if not self._rule.supersede(attempt):
            return
        self.attempt = max(self.attempt, attempt)
        self.superseded_count += 1
        self.seams = ()
        self._answer_attempt = 0
        self._answer.clear()
        self._reasoning.clear()
        self.finished = False

    def finish(self, event: TurnFinished) -> None:
        """Record how the turn ended."""
        self.end = event
        self.finished = True

    def reopen(self) -> None:
        """Record that the turn is running again: it is retried or resumed."""
        self.finished = False


def _join(pieces: list[str]) -> str:
    if len(pieces) > 1:
        pieces[:] = ["".join(pieces)]
    return pieces[0] if pieces else ""


class Transcript:
    """A fold over the events of one debate.

    Apply events in the order of their `seq`. Duplicates are harmless, and so are coalesced deltas (one that
    stands for several has the `seq` of the last). A delta costs O(1), however long the text is.

    `debaters` has every debater with its current source and model, `active_debaters` the ids of those still
    in the debate, `statuses` each debater's last status, `turns` each turn by its number. `is_blind`
    holds until the debaters of a blind debate are revealed; `letters` are their names before that, by id.
    `pause` is `None` unless the debate is paused, `end` unless it is finished. `finished_at` is when it
    first finished.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.clear()
        for event in events:
            self.apply(event)

    def clear(self) -> None:
        """Forget every event: the log was rewound and starts again from the first event."""
        self.seq = 0
        self.started_at = 0.0
        self.updated_at = 0.0
        self.debate_id = ""
        self.topic = ""
        self.format = ""
        self.outcome: OutcomeKind = "none"
        self.prices = ""
        self.material: tuple[MaterialInfo, ...] = ()
        self.is_blind = False
        self.letters: dict[str, str] = {}
        self.debaters: dict[str, DebaterInfo] = {}
        self.active_debaters: tuple[str, ...] = ()
        self.steps: list[PhaseStarted] = []
        self.turns: dict[int, Turn] = {}
        self.statuses: dict[str, StreamStatus] = {}
        self.side_events: list[SideEvent] = []
        self.verdicts: list[Verdict] = []
        self.reports: list[Report] = []
        self.votes: list[Vote] = []
        self.pause: DebatePaused | None = None
        self.end: DebateFinished | None = None
        self.finished_at: float | None = None
        self._latest_turns: dict[str, Turn] = {}

    @property
    def finish_reason(self) -> Literal["complete", "stopped", "failed"] | None:
        """How the debate ended, or `None` while it is running."""
        return self.end.reason if self.end is not None else None

    @property
    def interrupted_turns(self) -> tuple[int, ...]:
        """The numbers of the turns that the end of the debate interrupted."""
        return self.end.cut if self.end is not None else ()

    @property
    def phase(self) -> PhaseStarted | None:
        """The current phase and round, or the last one of a finished debate."""
        return self.steps[-1] if self.steps else None

    @property
    def report(self) -> Report | None:
        """The latest report, or `None`."""
        return self.reports[-1] if self.reports else None

    @property
    def interjections(self) -> tuple[Interjection, ...]:
        """The moderator's interjections, oldest first."""
        return tuple(note.event for note in self.side_events if isinstance(note.event, Interjection))

    def prompt_name(self, debater: str) -> str:
        """Return a debater's name in prompts: in a blind debate its letter, also once it is revealed."""
        return self.letters.get(debater) or self.debaters[debater].name

    def revealed_letter(self, debater: str) -> str:
        """Return the letter a debater had until it was revealed; empty if it had none or still has it."""
        return "" if self.is_blind else self.letters.get(debater, "")

    @property
    def heard_debaters(self) -> frozenset[str]:
        """The ids of the debaters still in the debate, and of those who finished a turn before they left."""
        finished = {turn.debater for turn in self.turns.values() if turn.reason in PUBLIC_FINISH_REASONS}
        return frozenset(finished.union(self.active_debaters))

    def latest_turn(self, debater: str) -> Turn | None:
        """Return a debater's newest turn, running or finished, or `None`."""
        return self._latest_turns.get(debater)

    def apply(self, event: Event) -> None:  # noqa: C901 (one case per kind of event)
        """Apply one event; an event that was applied before changes nothing."""
        if event.seq:
            if event.seq <= self.seq:
                return
            self.seq = event.seq
            self.updated_at = event.at
        match event:
            case TurnDelta() | TurnStarted() | TurnSuperseded() | TurnFinished():
                self._apply_to_turn(event)
            case StreamStatus():
                self._apply_status(event)
            case PhaseStarted():
                self.steps.append(event)
            case DebaterRemoved() | DebaterReplaced() | DebaterReturned():
                self._apply_to_roster(event)
            case Verdict() | Vote() | Report():
                self._apply_judgement(event)
            case DebatersRevealed():
                self._reveal(event)
            case Interjection():
                self._add_side_event(event)
            case DebatePaused() | DebateResumed():
                self._apply_pause(event)
            case DebateStarted():
                self._apply_start(event)
            case DebateFinished():
                self._apply_finish(event)

    def _apply_finish(self, event: DebateFinished) -> None:
        if self.end is None:
            self.finished_at = event.at
        self.end = event

    def _apply_pause(self, event: DebatePaused | DebateResumed) -> None:
        if isinstance(event, DebatePaused):
            self.pause = event
        else:
            for number in self.interrupted_turns:
                if (turn := self.turns.get(number)) is not None:
                    turn.reopen()
            self.pause = self.end = self.finished_at = None  # a stopped debate is resumed

    def _apply_judgement(self, event: Verdict | Vote | Report) -> None:
        if isinstance(event, Verdict):
            self.verdicts.append(event)
        elif isinstance(event, Report):
            self.reports.append(event)
        else:
            self.votes.append(event)

    def _apply_start(self, event: DebateStarted) -> None:
        self.started_at = event.at
        self.debate_id = event.debate
        self.topic = event.topic
        self.format = event.format
        self.outcome = event.outcome
        self.prices = event.prices
        self.material = event.material
        self.is_blind = event.blind
        self.letters = {debater.id: debater.name for debater in event.debaters} if event.blind else {}
        self.debaters = {debater.id: debater for debater in event.debaters}
        self.active_debaters = tuple(self.debaters)

    def _reveal(self, event: DebatersRevealed) -> None:
        """Name the debaters from here on, and the models of their turns so far."""
        self.is_blind = False
        self.prices = event.prices
        self.debaters.update({debater.id: debater for debater in event.debaters})
        for turn in self.turns.values():
            if not turn.model and (debater := self.debaters.get(turn.debater)) is not None:
                turn.model = debater.model

    def _apply_to_turn(self, event: TurnEvent) -> None:
        turn = self.turns.get(event.turn)
        if isinstance(event, TurnStarted):
            if turn is None:
                turn = self._new_turn(event)
                self.turns[event.turn] = turn
            else:
                turn.reopen()
            self._latest_turns[event.debater] = turn
        elif turn is None:
            return
        elif isinstance(event, TurnDelta):
            turn.apply_delta(event)
        elif isinstance(event, TurnSuperseded):
            turn.supersede(event.attempt)
        else:
            turn.finish(event)

    def _new_turn(self, event: TurnStarted) -> Turn:
        speaker = self.debaters.get(event.debater)
        round_ = self.steps[-1].round if self.steps else 1
        return Turn(event, model=speaker.model if speaker else "", round_=round_, step=len(self.steps))

    def _add_side_event(self, event: Interjection | RosterChange) -> None:
        self.side_events.append(SideEvent(len(self.steps), len(self.turns), event))

    def _apply_status(self, event: StreamStatus) -> None:
        self.statuses[event.debater] = event
        turn = self._latest_turns.get(event.debater)
        if turn is None or turn.finished:
            return
        turn.attempt = max(turn.attempt, event.attempt)
        if event.error is not None:
            turn.faults.append(event.error)

    def _apply_to_roster(self, event: RosterChange) -> None:
        self._add_side_event(event)
        self.active_debaters = event.remaining
        if isinstance(event, DebaterRemoved) or event.debater not in self.debaters:
            return
        self.debaters[event.debater] = msgspec.structs.replace(
            self.debaters[event.debater],
            source=event.source,
            model=event.model,
            parameters=event.parameters,
        )
        turn = self._latest_turns.get(event.debater)
        if turn is not None and not turn.finished:
            turn.model = event.model
