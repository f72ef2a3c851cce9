"""What a host tells of its debate, checked before it is believed: everything received has a bound."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.domain.debate import MAX_DEBATERS
from debate_tui.domain.events import DebateStarted, TurnDelta, TurnSuperseded, Verdict
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.session.turn import MAX_TURN_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from debate_tui.domain.events import Event

MAX_EVENTS: Final = 1_000_000
"""Events a debate may have: all of them are kept."""

MAX_CHARACTERS: Final = 256 * 2**20
"""Characters, as they come, that all events of a debate may have."""

LONGEST_TURN: Final = MAX_TURN_CHARACTERS + 2**20
"""Characters of a turn: whoever holds a debate ends one behind the event that makes it too long."""

GREATEST: Final = 2**53
"""No number is greater: beyond, programs that read JSON do not agree on what it is."""

LATEST: Final = 253_402_214_400.0
"""No event is later: with the year 9999 dates end, a day before that in every part of the world."""

MOST_POINTS: Final = 100
"""No score and no opinion is more."""


class Intake:
    """Checks the events of one history, each once and in the order of their `seq`."""

    def __init__(self) -> None:
        self._events = self._characters = 0
        self._turns: Counter[int] = Counter()
        self._debaters: Set[str] = frozenset()
        self._scored: Set[str] | None = None

    def check(self, event: Event, characters: int) -> None:
        """Raise the `Fault` that ends the watching where an event cannot be believed, or is one too many.

        `characters` is what it has in all, as it came.
        """
        if not self._events and not isinstance(event, DebateStarted):
            raise _unbelievable("It does not begin with its beginning.")
        if not 0 <= event.at <= LATEST:  # clocks are put back, so that it may be before the last one
            raise _unbelievable(f"Event {event.seq} is of a time that cannot be.")
        if any(abs(number) > GREATEST for number in _numbers(event)):
            raise _unbelievable("There is a number in it that is too great.")
        self._events += 1
        self._characters += characters
        if self._events > MAX_EVENTS or self._characters > MAX_CHARACTERS:
            raise _endless("debate")
        match event:
            case TurnDelta():
                self._turns[event.turn] += len(event.text)
                if self._turns[event.turn] > LONGEST_TURN:
                    raise _endless("turn")
            case TurnSuperseded():
                self._turns[event.turn] = 0
            case DebateStarted():
                self._check_debaters(event)
            case Verdict():
                self._check_verdict(event)

    def _check_debaters(self, event: DebateStarted) -> None:
        if self._events > 1:
            raise _unbelievable("It begins more than once.")
        ids = {debater.id for debater in event.debaters}
        if not 0 < len(ids) == len(event.debaters) <= MAX_DEBATERS:
            raise _unbelievable(f"A debate has up to {MAX_DEBATERS} debaters, each with an id of its own.")
        self._debaters = ids

    def _check_verdict(self, event: Verdict) -> None:
        """Verdicts are added up and drawn as bars, which only those of one and the same debate can be."""
        scores, stances = event.scores, (event.stance_before, event.stance_after)
        if event.model and not sanitise(event.problem):
            self._scored = scores.keys() if self._scored is None else self._scored
            if scores.keys() != self._scored:
                raise _unbelievable("Its judges do not judge the same debaters.")
        if not scores.keys() <= self._debaters or event.winner not in (None, *self._debaters):
            raise _unbelievable("Its judges judge somebody who does not debate.")
        numbers = (*scores.values(), *(stance for stance in stances if stance is not None))
        if not all(0 <= number <= MOST_POINTS for number in numbers):
            raise _unbelievable("Its judges give points that there are not.")


def _numbers(value: object) -> Iterator[float]:
    """Every number in a value, at any depth."""
    match value:
        case int() | float():
            yield value
        case tuple():
            for part in value:
                yield from _numbers(part)
        case dict():
            for part in value.values():
                yield from _numbers(part)
        case Struct():
            for name in value.__struct_fields__:
                yield from _numbers(getattr(value, name))


def _unbelievable(why: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"What the host tells cannot be a debate. {why}",
        hint="Ask whoever runs it; its own page may show more.",
    )


def _endless(what: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"This {what} is too long to be watched.",
        hint="Ask its host for an export.",
    )
