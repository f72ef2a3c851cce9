"""Debaters, formats and phases: whose turn it is, what it may see, and when the debate ends."""

# No annotation is left as text, which msgspec would have to compile when the program starts.
import itertools
from collections.abc import Container, Iterator, Sequence
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.errors import UsageError

T = TypeVar("T")

MIN_DEBATERS = 2
MAX_DEBATERS = 4

SpeakingOrder = Literal["parallel", "turns", "reverse"]
Visibility = Literal["none", "own", "previous", "all"]
OutcomeKind = Literal["none", "swing", "panel", "consensus", "ranking"]

VERDICT_PHASE = "verdict"
"""The phase in which the judges read; it has no turns, and no format may have one of this name."""

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
SpeakerNumber = Annotated[int, Meta(ge=1, le=MAX_DEBATERS)]
DebaterCount = Annotated[int, Meta(ge=MIN_DEBATERS, le=MAX_DEBATERS)]


class Debater(Struct, frozen=True, kw_only=True):
    """Who argues, for which side, in whose voice, and where the words come from.

    `source` is the specification as typed (``openai:gpt-5.2``); it never holds a key.
    """

    id: str
    name: str
    side: str
    source: str
    persona: str = ""


class Phase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of step of a debate, held `rounds` times in a row.

    `speakers` names the speakers by their place, from 1, in the order they speak; empty means everybody.
    `sees` is what a speaker is shown: nothing, its own earlier turns, everything said in earlier rounds,
    or that and what was already said in this round. `words` is the length asked for, 0 where the format
    does not care. With `anonymous`, what others said is shown without names, in a shuffled order.
    """

    name: Slug
    title: str
    instruction: str = ""
    speakers: tuple[SpeakerNumber, ...] = ()
    order: SpeakingOrder = "parallel"
    sees: Visibility = "previous"
    words: Annotated[int, Meta(ge=0, le=5000)] = 0
    rounds: Annotated[int, Meta(ge=1, le=50)] = 1
    stop_when: Literal["", "agreement"] = ""
    anonymous: bool = False

    def __post_init__(self) -> None:
        if self.name == VERDICT_PHASE:
            raise ValueError(f"no phase can be called `{VERDICT_PHASE}`: that is when the judges read")
        if len(set(self.speakers)) < len(self.speakers):
            raise ValueError(f"the phase `{self.name}` names a speaker twice")
        if self.sees == "all" and self.order == "parallel":
            raise ValueError(
                f"in the phase `{self.name}` all speak at once, so they cannot see each other: "
                'say sees = "previous", or order = "turns"'
            )


class Format(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The phases of a debate, as read from a TOML file; `sides` are dealt out in order, again and again.

    `outcome` is how it is settled: not at all, by the larger swing of opinion, by a panel of judges, by
    what the debaters agree on, or by how they rank each other.
    """

    name: Slug
    title: str
    description: str
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1)] = msgspec.field(name="phase")
    sides: tuple[str, ...] = ()
    outcome: OutcomeKind = "none"
    min_debaters: DebaterCount = MIN_DEBATERS
    max_debaters: DebaterCount = MAX_DEBATERS

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two phases are called `{twice}`")
        if self.min_debaters > self.max_debaters:
            raise ValueError("`min_debaters` is more than `max_debaters`")
        for phase in self.phases:
            if phase.speakers and max(phase.speakers) > self.min_debaters:
                raise ValueError(
                    f"the phase `{phase.name}` needs a speaker {max(phase.speakers)}, "
                    f"but {self.min_debaters} debaters are enough (`min_debaters`)"
                )


class Round(Struct, frozen=True):
    """One step of a debate under way: round `number` of `total` of `phase`; both count from 1."""

    phase: Phase
    number: int
    total: int

    def with_words(self, words: int) -> "Round":
        """The same, with another number of words asked for."""
        return Round(msgspec.structs.replace(self.phase, words=words), self.number, self.total)


def iter_rounds(format_: Format) -> Iterator[Round]:
    """The steps of a debate in order."""
    for phase in format_.phases:
        for number in range(1, phase.rounds + 1):
            yield Round(phase, number, phase.rounds)


def with_round_count(format_: Format, count: int) -> Format:
    """The format with every repeated phase held `count` times.

    Raises `UsageError` where no phase is repeated: there is nothing the count could mean.
    """
    if all(phase.rounds == 1 for phase in format_.phases):
        raise UsageError(
            f"The format {format_.name} has no rounds to count: each of its phases is held once.",
            "Leave --rounds out, or choose a format such as oxford.",
        )
    if count < 1:
        raise UsageError(f"{count} rounds cannot be held.", "Ask for at least one.")
    return msgspec.structs.replace(
        format_,
        phases=tuple(
            msgspec.structs.replace(phase, rounds=count) if phase.rounds > 1 else phase
            for phase in format_.phases
        ),
    )


def check_debater_count(format_: Format, count: int) -> None:
    """Raise `UsageError` unless `count` debaters can hold this format."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= count <= most:
        return
    needed = f"{least}" if least == most else f"{least} to {most}"
    raise UsageError(
        f"The format {format_.name} takes {needed} debaters, not {count}.",
        "Name one with each -d, or choose another format with -f.",
    )


def fill_debaters(debaters: Sequence[T], format_: Format) -> tuple[T, ...]:
    """At least as many seats as the format takes: where there are fewer, the same again and again."""
    count = max(len(debaters), format_.min_debaters)
    return tuple(itertools.islice(itertools.cycle(debaters), count))


def assign_sides(format_: Format, count: int) -> tuple[str, ...]:
    """The sides of `count` debaters, in order; all empty where the format has none."""
    if not format_.sides:
        return ("",) * count
    return tuple(itertools.islice(itertools.cycle(format_.sides), count))


def speaking_groups(
    round_: Round, debaters: tuple[Debater, ...], absent: Container[str] = ()
) -> Iterator[tuple[Debater, ...]]:
    """Who speaks in a round: groups that speak at the same time, one group after the other.

    `debaters` are all who ever took part, so that places keep their meaning; `absent` holds the ids of
    those no longer there.
    """
    phase = round_.phase
    places = phase.speakers or range(1, len(debaters) + 1)
    called = (debaters[place - 1] for place in places if place <= len(debaters))
    speakers = tuple(debater for debater in called if debater.id not in absent)
    if phase.order == "parallel":
        if speakers:
            yield speakers
        return
    for speaker in reversed(speakers) if phase.order == "reverse" else speakers:
        yield (speaker,)


def may_see(sees: Visibility, *, own: bool, this_round: bool) -> bool:
    """Whether a speaker is shown a finished turn: one of its `own`, and one of `this_round`, or not."""
    match sees:
        case "none":
            return False
        case "own":
            return own and not this_round
        case "previous":
            return not this_round
        case "all":
            return True
