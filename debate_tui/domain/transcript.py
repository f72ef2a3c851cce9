"""The transcript: what the events of a debate add up to.

Screen, exports, prompts and viewers all fold the same events with this one class, so they cannot disagree.
"""

from __future__ import annotations

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
    DebateStarted,
    Event,
    Interjection,
    PhaseStarted,
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
    from debate_tui.domain.events import DebaterInfo
    from debate_tui.domain.stream import FaultReport, FinishReason, Usage

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


class DeltaAccumulator:
    """The answer or the reasoning of a turn, built from deltas in O(1) each."""

    __slots__ = ("_pieces", "attempt", "length", "seams")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.length = 0
        self.attempt = 0
        self.seams: list[Seam] = []

    @property
    def text(self) -> str:
        """The text so far; joining costs O(length), once after each change."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def add(self, offset: int, text: str, attempt: int) -> bool:
        """Append a delta's text if `offset` is the current length; return whether it was appended."""
        if offset != self.length or not text:
            return False
        if attempt > self.attempt:
            if self.length:
                self.seams.append(Seam(self.length, attempt))
            self.attempt = attempt
        self._pieces.append(text)
        self.length += len(text)
        return True


class Turn:
    """One debater's answer in one phase, so far.

    `number` counts the turns of a debate in the order they started; `step` counts the rounds over all
    phases, from 1. `model` is the last model used in it. `started_seq` and `finished_seq` are the log
    positions of its start and end; they decide which phases may see it. `reason` is `None` while the turn
    is running. `superseded_count` counts how often its text was dropped; `faults` are its faults, oldest
    first.
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
        self.finished_at: float | None = None
        self.finished_seq: int | None = None
        self.attempt = 1
        self.superseded_count = 0
        self.faults: list[FaultReport] = []
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.cost: float | None = None
        self.ttft_ms: int | None = None
        self.duration_ms: int | None = None
        self._min_attempt = 0
        self._answer = DeltaAccumulator()
        self._reasoning = DeltaAccumulator()

    @property
    def text(self) -> str:
        """The answer as received, not sanitised."""
        return self._answer.text

    @property
    def reasoning(self) -> str:
        """The reasoning as received, not sanitised; never shown to opponents or judges."""
        return self._reasoning.text

    @property
    def length(self) -> int:
        """Characters (Unicode code points) of the answer; the `offset` its next delta must have."""
        return self._answer.length

    @property
    def reasoning_length(self) -> int:
        """Characters (Unicode code points) of the reasoning."""
        return self._reasoning.length

    @property
    def seams(self) -> tuple[Seam, ...]:
        """Where recoveries resumed the answer."""
        return tuple(self._answer.seams)

    @property
    def finished(self) -> bool:
        """Whether the turn has ended, for whatever reason."""
        return self.reason is not None

    def apply_delta(self, delta: TurnDelta) -> bool:
        """Apply a delta unless its attempt is superseded or its offset is not the length so far.

        Return whether it was applied.
        """
        if delta.attempt < self._min_attempt:
            return False
        strand = self._reasoning if delta.reasoning else self._answer
        if not strand.add(delta.offset, delta.text, delta.attempt):
            return False
        self.attempt = max(self.attempt, delta.attempt)
        return True

    def supersede(self, attempt: int) -> None:
        """Drop the text of all attempts before `attempt`; the turn is running again."""
        if attempt <= self._min_attempt:
            return
        self._min_attempt = attempt
        self.attempt = max(self.attempt, attempt)
        self.superseded_count += 1
        self._answer = DeltaAccumulator()
        self._reasoning = DeltaAccumulator()
        self.reopen()

    def finish(self, event: TurnFinished) -> None:
        """Record how the turn ended."""
        self.reason = event.reason
        self.usage = event.usage
        self.cost = event.cost
        self.ttft_ms = event.ttft_ms
        self.duration_ms = event.duration_ms
        self.finished_at = event.at
        self.finished_seq = event.seq

    def reopen(self) -> None:
        """Forget that the turn ended: it is retried or resumed."""
        self.reason = None
        self.finished_at = None
        self.finished_seq = None


class Transcript:
    """A fold over the events of one debate.

    Apply events in the order of their `seq`. Duplicates are harmless, and so are coalesced deltas (one that
    stands for several has the `seq` of the last). A delta costs O(1), however long the text is.

    `debaters` has every debater with its current source and model, `active_debaters` the ids of those still
    in the debate, `statuses` each debater's last status, `turns` each turn by its number. `pause` is `None`
    unless the debate is paused, `finish_reason` unless it is finished. `finished_at` is when it first
    finished; `interrupted_turns` are the numbers of the turns that its end interrupted.
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
        self.debaters: dict[str, DebaterInfo] = {}
        self.active_debaters: tuple[str, ...] = ()
        self.steps: list[PhaseStarted] = []
        self.turns: dict[int, Turn] = {}
        self.statuses: dict[str, StreamStatus] = {}
        self.side_events: list[SideEvent] = []
        self.verdicts: list[Verdict] = []
        self.votes: list[Vote] = []
        self.pause: DebatePaused | None = None
        self.finish_reason: Literal["complete", "stopped", "failed"] | None = None
        self.interrupted_turns: tuple[int, ...] = ()
        self.finished_at: float | None = None
        self._latest_turns: dict[str, Turn] = {}

    @property
    def phase(self) -> PhaseStarted | None:
        """The current phase and round, or the last one of a finished debate."""
        return self.steps[-1] if self.steps else None

    @property
    def interjections(self) -> tuple[Interjection, ...]:
        """The moderator's interjections, oldest first."""
        return tuple(note.event for note in self.side_events if isinstance(note.event, Interjection))

    def latest_turn(self, debater: str) -> Turn | None:
        """Return a debater's newest turn, running or finished, or `None`."""
        return self._latest_turns.get(debater)

    def apply(self, event: Event) -> None:
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
            case Verdict() | Vote():
                self._apply_judgement(event)
            case Interjection():
                self._add_side_event(event)
            case DebatePaused() | DebateResumed():
                self._apply_pause(event)
            case DebateStarted():
                self._apply_start(event)
            case DebateFinished():
                self._apply_finish(event)

    def _apply_finish(self, event: DebateFinished) -> None:
        if self.finish_reason is None:
            self.finished_at = event.at
        self.finish_reason = event.reason
        self.interrupted_turns = event.cut

    def _apply_pause(self, event: DebatePaused | DebateResumed) -> None:
        if isinstance(event, DebatePaused):
            self.pause = event
        else:
            self.pause = None
            self.finish_reason = self.finished_at = None  # a stopped debate is resumed
            for number in self.interrupted_turns:
                if (turn := self.turns.get(number)) is not None:
                    turn.reopen()
            self.interrupted_turns = ()

    def _apply_judgement(self, event: Verdict | Vote) -> None:
        if isinstance(event, Verdict):
            self.verdicts.append(event)
        else:
            self.votes.append(event)

    def _apply_start(self, event: DebateStarted) -> None:
        self.started_at = event.at
        self.debate_id = event.debate
        self.topic = event.topic
        self.format = event.format
        self.outcome = event.outcome
        self.prices = event.prices
        self.debaters = {debater.id: debater for debater in event.debaters}
        self.active_debaters = tuple(self.debaters)

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
