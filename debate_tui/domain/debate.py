"""Debaters, formats and phases: whose turn it is, what it may see, and when the debate ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_DEBATERS = 2
MAX_DEBATERS = 4

Order = Literal["parallel", "turns", "reverse"]
Sees = Literal["none", "own", "previous", "all"]


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

    `speakers` names the speakers by their place, from 1; empty means everybody. `sees` is what a speaker
    is shown: nothing, its own earlier turns, everything said in earlier rounds, or that and what was
    already said in this round. `words` is the length asked for, 0 where the format does not care.
    """

    name: str
    title: str = ""
    instruction: str = ""
    speakers: tuple[int, ...] = ()
    order: Order = "parallel"
    sees: Sees = "previous"
    words: int = 0
    rounds: int = 1
    stop_when: Literal["", "agreement"] = ""


class Format(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The phases of a debate, as read from a TOML file; `sides` are dealt out in order."""

    name: str
    title: str
    description: str
    phases: tuple[Phase, ...]
    sides: tuple[str, ...] = ()
    outcome: Literal["none", "swing", "panel", "consensus", "ranking"] = "none"


class Round(Struct, frozen=True):
    """One step of a debate under way: round `number` of `total` of `phase`; both count from 1."""

    phase: Phase
    number: int
    total: int


def rounds(format_: Format) -> Iterator[Round]:
    """The steps of a debate in order."""
    for phase in format_.phases:
        for number in range(1, phase.rounds + 1):
            yield Round(phase, number, phase.rounds)


def waves(round_: Round, debaters: tuple[Debater, ...]) -> Iterator[tuple[Debater, ...]]:
    """Who speaks in a round: groups that speak at the same time, one group after the other."""
    phase = round_.phase
    speakers = tuple(
        d for place, d in enumerate(debaters, 1) if not phase.speakers or place in phase.speakers
    )
    if phase.order == "parallel":
        if speakers:
            yield speakers
        return
    for speaker in reversed(speakers) if phase.order == "reverse" else speakers:
        yield (speaker,)
