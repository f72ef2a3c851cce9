"""The event types of the debate log, and their only encoding.

On every surface (standard output, SQLite, Redis, SSE) an event is the same JSON object: ``{"type": …,
"seq": …, "at": …, …}``. `at` is in seconds since the epoch, UTC. Lengths and offsets count Unicode code
points; `offset` counts answer and reasoning text separately.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from debate_tui.domain.debate import OutcomeKind, ParameterValue
from debate_tui.domain.stream import Citation, FaultReport, FinishReason, StreamState, Usage


class BaseEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """The fields of every event. The log sets `seq` and `at` when it appends the event."""

    seq: int = 0
    at: float = 0.0


class DebaterInfo(Struct, frozen=True, omit_defaults=True):
    """A debater as the log records it; `parameters` are those of its model, with secrets masked."""

    id: str
    name: str
    side: str
    source: str
    model: str
    parameters: dict[str, ParameterValue] = {}


class MaterialInfo(Struct, frozen=True, omit_defaults=True):
    """A piece of material as the log records it; its text is stored once, beside the events.

    `sha256` is the hexadecimal hash of the text in UTF-8. `debater` (in JSON: ``for``) is the id of the only
    debater who gets it, empty if everyone does. The place in the list, from 1, is the number it is cited by.
    """

    name: str
    sha256: str
    characters: int
    debater: str = msgspec.field(name="for", default="")


class DebateStarted(BaseEvent, frozen=True, tag="debate.started"):
    """The debate starts.

    `outcome` is how the format settles the debate. `prices` names the price table used and its date.
    `version` is the program's; `format_hash` tells formats of the same name apart. In a `blind` debate the
    debaters have letters for names, and neither source nor model, until `debaters.revealed`.
    """

    debate: str
    topic: str
    format: str
    debaters: tuple[DebaterInfo, ...]
    outcome: OutcomeKind = "none"
    prices: str = ""
    version: str = ""
    format_hash: str = ""
    material: tuple[MaterialInfo, ...] = ()
    blind: bool = False


class PhaseStarted(BaseEvent, frozen=True, tag="phase.started"):
    """A round starts; `words` is the length asked for in each of its turns, 0 if there is none.

    The judges' reading is a phase of its own, named ``verdict``.
    """

    phase: str
    round: int
    rounds: int
    words: int = 0


class TurnStarted(BaseEvent, frozen=True, tag="turn.started"):
    turn: int
    debater: str
    phase: str


class TurnDelta(BaseEvent, frozen=True, tag="turn.delta"):
    turn: int
    debater: str
    attempt: int
    offset: int
    text: str
    reasoning: bool = False


class TurnSuperseded(BaseEvent, frozen=True, tag="turn.superseded"):
    turn: int
    debater: str
    attempt: int


class Quote(Struct, frozen=True, omit_defaults=True):
    """A quote in a text, and whether it was found word for word.

    `offset` and `end` are its place in the text, with its quotation marks. `number` is the number of the
    material it cites, 0 if it cites none.
    """

    text: str
    offset: int
    end: int
    found: bool
    number: int = 0


class TurnFinished(BaseEvent, frozen=True, tag="turn.finished"):
    """A turn ended; `model` and `response` (its id) are as the server names them.

    `cost` is in US dollars: the server's own figure if it reports one, otherwise computed from the price
    table. `citations` are those the provider sent, `quotes` those found in the answer and checked. Times are
    in milliseconds.
    """

    turn: int
    debater: str
    reason: FinishReason
    usage: Usage | None = None
    cost: float | None = None
    model: str = ""
    response: str = ""
    citations: tuple[Citation, ...] = ()
    quotes: tuple[Quote, ...] = ()
    ttft_ms: int | None = None
    duration_ms: int | None = None


class StreamStatus(BaseEvent, frozen=True, tag="stream.status"):
    """A stream changed its state.

    `retry_in_ms` is the wait before the next attempt, in milliseconds. `dropped` names the settings that
    the server refused and that are no longer sent.
    """

    debater: str
    state: StreamState
    attempt: int
    retry: int = 0
    max_retries: int = 0
    retry_in_ms: int | None = None
    error: FaultReport | None = None
    recovered: bool = False
    dropped: tuple[str, ...] = ()


STEP_PAUSE = "step"
"""The reason of a pause between two rounds: the debate waits for the command to resume."""


class DebatePaused(BaseEvent, frozen=True, tag="debate.paused"):
    reason: str
    debater: str | None


class DebateResumed(BaseEvent, frozen=True, tag="debate.resumed"):
    reason: str
    debater: str | None


class DebaterRemoved(BaseEvent, frozen=True, tag="debater.removed"):
    debater: str
    reason: str
    remaining: tuple[str, ...]


class DebaterReplaced(BaseEvent, frozen=True, tag="debater.replaced"):
    debater: str
    reason: str
    remaining: tuple[str, ...]
    source: str
    model: str
    parameters: dict[str, ParameterValue] = {}


class DebaterReturned(BaseEvent, frozen=True, tag="debater.returned"):
    debater: str
    reason: str
    remaining: tuple[str, ...]
    source: str
    model: str
    parameters: dict[str, ParameterValue] = {}


class Interjection(BaseEvent, frozen=True, tag="interjection"):
    text: str
    to: str | None


class Vote(BaseEvent, frozen=True, tag="vote"):
    """A vote of a viewer before or after the debate, for a debater or for a side, else undecided.

    `voter` is ``user`` on the debate's own screen, otherwise the host's name for the viewer.
    """

    when: Literal["before", "after"]
    voter: str
    debater: str | None
    side: str = ""


class CriterionScore(Struct, frozen=True):
    """A judge's score for a debater on one criterion, 1 to 10, and the quote it is based on.

    `found` says whether the debater really said the quoted text.
    """

    criterion: str
    debater: str
    score: int
    quote: str
    found: bool


class Verdict(BaseEvent, frozen=True, tag="verdict"):
    """What one judge decided.

    `winner` is a debater's id. It is `None` for a tie, and also if there is no verdict; `problem` then says
    why. `agreed` says whether both reading orders named the same winner, `controlled` whether there were
    two. `scores` are the mean scores; `marks` are the scores of the first reading. Stances range from 0
    (entirely against) to 100 (entirely for). `quotes` are those in `why`. `cost` is in US dollars.
    """

    judge: str
    model: str
    winner: str | None
    agreed: bool
    controlled: bool
    scores: dict[str, float] = {}
    marks: tuple[CriterionScore, ...] = ()
    why: str = ""
    stance_before: int | None = None
    stance_after: int | None = None
    quotes: tuple[Quote, ...] = ()
    problem: str = ""
    usage: Usage | None = None
    cost: float | None = None
    parameters: dict[str, ParameterValue] = {}


class Difference(Struct, frozen=True, omit_defaults=True):
    """A point on which the debaters differ, and what would settle it."""

    point: str
    settled_by: str = ""


class ChangedMind(Struct, frozen=True):
    """A debater who changed its mind, and how."""

    debater: str
    change: str


class StrongestArgument(Struct, frozen=True):
    """A debater's strongest argument, and the quote it rests on; `found` if it was really said."""

    debater: str
    argument: str
    quote: str
    found: bool


class Report(BaseEvent, frozen=True, tag="report"):
    """What a debate came to, by one judge, after the verdicts.

    `unanswered` are the points that no one answered. If there is no report, `problem` says why. `cost` is in
    US dollars.
    """

    judge: str
    model: str
    agreed: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    changed_minds: tuple[ChangedMind, ...] = ()
    strongest: tuple[StrongestArgument, ...] = ()
    unanswered: tuple[str, ...] = ()
    problem: str = ""
    usage: Usage | None = None
    cost: float | None = None
    parameters: dict[str, ParameterValue] = {}


class DebatersRevealed(BaseEvent, frozen=True, tag="debaters.revealed"):
    """A blind debate is no longer blind: from here on, `debaters` have their names, sources and models.

    `prices` is what `debate.started` left out.
    """

    debaters: tuple[DebaterInfo, ...]
    prices: str = ""


class DebateFinished(BaseEvent, frozen=True, tag="debate.finished"):
    """The debate ended; `cut` are the numbers of the turns it interrupted, to be resumed later."""

    reason: Literal["complete", "stopped", "failed"]
    cut: tuple[int, ...] = ()


Event = (
    DebateStarted
    | PhaseStarted
    | TurnStarted
    | TurnDelta
    | TurnSuperseded
    | TurnFinished
    | StreamStatus
    | DebatePaused
    | DebateResumed
    | DebaterRemoved
    | DebaterReplaced
    | DebaterReturned
    | Interjection
    | Vote
    | Verdict
    | Report
    | DebatersRevealed
    | DebateFinished
)

event_to_json = msgspec.json.Encoder().encode
"""Encode an event as one line of JSON in UTF-8, without the newline."""

_decoder = msgspec.json.Decoder(Event)


def event_from_json(data: bytes | str) -> Event:
    """Decode an event; raise `msgspec.DecodeError` if the data is not a valid event."""
    try:
        event: Event = _decoder.decode(data)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
    return event
