"""Small debates that many tests play, keep and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain.events import (
    DebateFinished,
    DebaterInfo,
    DebateStarted,
    Event,
    Interjection,
    PhaseStarted,
    TurnDelta,
    TurnFinished,
    TurnStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA = DebaterInfo(id="a", name="Ada", side="for", source="demo:ada", model="demo")
BOB = DebaterInfo(id="b", name="Bob", side="against", source="openai:gpt", model="gpt")


def debate_started(debate: str = "d1", topic: str = "Tea or coffee?") -> DebateStarted:
    return DebateStarted(debate=debate, topic=topic, format="oxford", debaters=(ADA, BOB))


def opening_events(debate: str = "d1", topic: str = "Tea or coffee?", rounds: int = 1) -> list[Event]:
    return [
        debate_started(debate, topic),
        PhaseStarted(phase="opening", round=1, rounds=rounds),
        TurnStarted(turn=1, debater="a", phase="opening"),
        TurnStarted(turn=2, debater="b", phase="opening"),
    ]


def turn_deltas(count: int = -1) -> Iterator[TurnDelta]:
    """Both turns' words, taking turns; without end unless told how many."""
    place = [0, 0]
    number = 0
    while number != count:
        turn = number % 2
        text = f"wörd {number} 👋 "
        yield TurnDelta(turn=turn + 1, debater="ab"[turn], attempt=1, offset=place[turn], text=text)
        place[turn] += len(text)
        number += 1


def ending_events() -> list[Event]:
    return [
        TurnFinished(turn=1, debater="a", reason="complete"),
        TurnFinished(turn=2, debater="b", reason="complete"),
        DebateFinished(reason="complete"),
    ]


def whole_debate(words: int = 10, debate: str = "d1", topic: str = "Tea or coffee?") -> list[Event]:
    return [*opening_events(debate, topic), *turn_deltas(words), *ending_events()]


def interjection(text: str = "hm") -> Interjection:
    return Interjection(text=text, to=None)


def numbered_events(*events: Event, start: float = 0.0) -> list[Event]:
    """Number events from one, each a second after the one before, the first a second after `start`."""
    return [msgspec.structs.replace(event, seq=seq, at=start + seq) for seq, event in enumerate(events, 1)]
