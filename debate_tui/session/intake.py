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

MAX_DEBATE_EVENTS: Final = 1_000_000
"""Events a debate may have: all of them are kept."""

MAX_DEBATE_CHARACTERS: Final = 256 * 2**20
"""Characters, as they come, that all events of a debate may have."""

MAX_REMOTE_TURN_CHARACTERS: Final = MAX_TURN_CHARACTERS + 2**20
"""Characters of a turn: whoever holds a debate ends one behind the event that makes it too long."""

MAX_NUMBER: Final = 2**53
"""No number is greater: beyond, programs that read JSON do not agree on what it is."""

MAX_TIMESTAMP: Final = 253_402_214_400.0
"""No event is later: with the year 9999 dates end, a day before that in every part of the world."""

MAX_SCORE: Final = 100
"""No score and no opinion is more."""


class RemoteEventValidator:
    """Checks the events of one history, each once and in the order of their `seq`."""

    def __init__(self) -> None:
        self._event_count = self._character_count = 0
        self._turn_characters: Counter[int] = Counter()
        self._debater_ids: Set[str] = frozenset()
        self._scored_ids: Set[str] | None = None

    def check(self, event: Event, characters: int) -> None:
        """Raise the `Fault` that ends the watching where an event cannot be believed, or is one too many.

        `characters` is what it has in all, as it came.
        """
        if not self._event_count and not isinstance(event, DebateStarted):
            raise _invalid_debate_fault("It does not begin with its beginning.")
        if not 0 <= event.at <= MAX_TIMESTAMP:  # clocks are put back, so that it may be before the last one
            raise _invalid_debate_fault(f"Event {event.seq} is of a time that cannot be.")
        if any(abs(number) > MAX_NUMBER for number in _numbers(event)):
            raise _invalid_debate_fault("There is a number in it that is too great.")
        self._event_count += 1
        self._character_count += characters
        if self._event_count > MAX_DEBATE_EVENTS or self._character_count > MAX_DEBATE_CHARACTERS:
            raise _too_long_fault("debate")
        match event:
            case TurnDelta():
                self._turn_characters[event.turn] += len(event.text)
                if self._turn_characters[event.turn] > MAX_REMOTE_TURN_CHARACTERS:
                    raise _too_long_fault("turn")
            case TurnSuperseded():
                self._turn_characters[event.turn] = 0
            case DebateStarted():
                self._check_debaters(event)
            case Verdict():
                self._check_verdict(event)

    def _check_debaters(self, event: DebateStarted) -> None:
        if self._event_count > 1:
            raise _invalid_debate_fault("It begins more than once.")
        ids = {debater.id for debater in event.debaters}
        if not 0 < len(ids) == len(event.debaters) <= MAX_DEBATERS:
            raise _invalid_debate_fault(
                f"A debate has up to {MAX_DEBATERS} debaters, each with an id of its own."
            )
        self._debater_ids = ids

    def _check_verdict(self, event: Verdict) -> None:
        """Verdicts are added up and drawn as bars, which only those of one and the same debate can be."""
        scores, stances = event.scores, (event.stance_before, event.stance_after)
        if event.model and not sanitise(event.problem):
            self._scored_ids = scores.keys() if self._scored_ids is None else self._scored_ids
            if scores.keys() != self._scored_ids:
                raise _invalid_debate_fault("Its judges do not judge the same debaters.")
        if not scores.keys() <= self._debater_ids or event.winner not in (None, *self._debater_ids):
            raise _invalid_debate_fault("Its judges judge somebody who does not debate.")
        numbers = (*scores.values(), *(stance for stance in stances if stance is not None))
        if not all(0 <= number <= MAX_SCORE for number in numbers):
            raise _invalid_debate_fault("Its judges give points that there are not.")


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


def _invalid_debate_fault(reason: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"What the host tells cannot be a debate. {reason}",
        hint="Ask whoever runs it; its own page may show more.",
    )


def _too_long_fault(what: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"This {what} is too long to be watched.",
        hint="Ask its host for an export.",
    )
