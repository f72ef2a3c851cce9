"""Playback of a recorded debate: when its events are played, and the recording that a web page plays.

A recording is a list for JSON, in the order of playback. Deltas are ``[position, turn, text]``, all other
events ``[position, event]``; positions are in steps of `STEP_S` from the start. It has only what an export
shows: no reasoning, no text that was dropped, no reconnections, votes or pauses, and no hidden material.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebaterReplaced,
    DebaterReturned,
    DebatersRevealed,
    DebateStarted,
    Event,
    Report,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    Verdict,
    Vote,
)
from debate_tui.domain.transcript import DeltaRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from debate_tui.domain.events import DebaterInfo

    RecordingEntry = tuple[int, dict[str, object]] | tuple[int, int, str]

MAX_GAP_S: Final = 3.0
"""The longest gap played between two events, in seconds; longer ones (pauses, waits) are shortened."""

STEP_S: Final = 0.1
"""The unit of a recording's positions, in seconds; what a turn said within one step is one delta."""

_SHOWN_STATES: Final = frozenset({"streaming", "finished", "failed"})


def playback_positions(events: Sequence[Event], max_gap: float = MAX_GAP_S) -> list[float]:
    """Return when each event is played, in seconds from the first, with long gaps shortened."""
    gaps = (min(max(later.at - earlier.at, 0.0), max_gap) for earlier, later in pairwise(events))
    return list(accumulate(gaps, initial=0.0)) if events else []


def make_recording(events: Iterable[Event]) -> list[RecordingEntry]:
    """Return the recording of a debate."""
    shown = _shown_events(events)
    steps = [round(position / STEP_S) for position in playback_positions(shown)]
    return list(_coalesce(zip(steps, shown, strict=True)))


def _coalesce(timed: Iterable[tuple[int, Event]]) -> Iterator[RecordingEntry]:
    """Join the deltas of each step; the other events keep only what pages show."""
    texts: dict[int, str] = {}
    started = 0
    for step, event in timed:
        is_delta = isinstance(event, TurnDelta)
        if texts and not (is_delta and step == started):
            yield from ((started, turn, text) for turn, text in texts.items())
            texts.clear()
        if isinstance(event, TurnDelta):
            started = step
            texts[event.turn] = texts.get(event.turn, "") + event.text
        else:
            yield step, _fields(event)
    yield from ((started, turn, text) for turn, text in texts.items())


def _shown_events(events: Iterable[Event]) -> list[Event]:
    """Return the events that count in the end, as if nothing had been dropped, retried or resumed."""
    shown: dict[int, Event] = {}  # by their place in the log
    turns: dict[int, _ShownTurn] = {}
    states: dict[str, str] = {}
    end = -1
    for place, event in enumerate(events):
        match event:
            case TurnStarted() if event.turn not in turns:
                turns[event.turn] = _ShownTurn()
            case TurnDelta() | TurnSuperseded() | TurnFinished():
                turn = turns.get(event.turn)
                if turn is None or not turn.add(place, event, shown):
                    continue
            case StreamStatus():
                if event.state not in _SHOWN_STATES or states.get(event.debater) == event.state:
                    continue
                states[event.debater] = event.state
            case DebateFinished():
                shown.pop(end, None)
                end = place
            case DebateResumed():
                shown.pop(end, None)
                continue
            case DebatePaused() | Vote():
                continue
        shown[place] = event
    return list(shown.values())


class _ShownTurn:
    """The places of a turn's events in the log, until they are superseded, and of its end if it has one."""

    def __init__(self) -> None:
        self._rule = DeltaRule()
        self._places: list[int] = []
        self._end = -1

    def add(
        self, place: int, event: TurnDelta | TurnSuperseded | TurnFinished, shown: dict[int, Event]
    ) -> bool:
        """Return whether an event is to be shown; if it supersedes others, remove those."""
        if isinstance(event, TurnSuperseded):
            if self._rule.supersede(event.attempt):
                for superseded in self._places:
                    shown.pop(superseded, None)
                self._places.clear()
            return False
        if isinstance(event, TurnDelta) and (not self._rule.accept(event) or event.reasoning):
            return False
        shown.pop(self._end, None)  # the turn was resumed
        self._end = place if isinstance(event, TurnFinished) else -1
        self._places.append(place)
        return True


def _fields(event: Event) -> dict[str, object]:
    """Return the fields of an event, as in JSON, that pages show."""
    fields: dict[str, object] = msgspec.to_builtins(_without_details(event))
    return {name: value for name, value in fields.items() if name not in {"seq", "at"}}


def _without_details(event: Event) -> Event:
    match event:
        case DebateStarted():
            return structs.replace(
                event, debaters=_briefly(event.debaters), prices="", version="", format_hash="", material=()
            )
        case DebatersRevealed():
            return structs.replace(event, debaters=_briefly(event.debaters), prices="")
        case TurnFinished():
            return structs.replace(event, model="", response="", cost=None)
        case StreamStatus():
            return StreamStatus(debater=event.debater, state=event.state, attempt=1, error=event.error)
        case DebaterReplaced() | DebaterReturned():
            return structs.replace(event, source="", parameters={})
        case Verdict():
            return structs.replace(event, scores={}, marks=(), parameters={}, usage=None, cost=None)
        case Report():
            return structs.replace(event, parameters={}, usage=None, cost=None)
    return event


def _briefly(debaters: Iterable[DebaterInfo]) -> tuple[DebaterInfo, ...]:
    return tuple(structs.replace(debater, source="", parameters={}) for debater in debaters)
