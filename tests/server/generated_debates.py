"""Debates to be hosted, and what viewers were told of them, checked to the character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.domain.events import (
    DebateFinished,
    Event,
    Interjection,
    MaterialInfo,
    PhaseStarted,
    Quote,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)
from debate_tui.domain.stream import Citation
from debate_tui.record.log import MemoryLog
from tests.sample_debates import debate_started

if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS = ("tea ", "Kaffee ", "茶", "👩‍👩‍👧 ", "é", "\x1b[2J", "<b>&", "\u202egnp", "\n\n", '"\\')


def logged_events(events: Iterable[Event]) -> list[Event]:
    """The events as a log numbers them."""
    log = MemoryLog()
    for event in events:
        log.append(event)
    return list(log._events)


class DebateWriter:
    """Two debaters whose deltas have the right offsets, whatever happens to them."""

    def __init__(self) -> None:
        started = replace(debate_started(), material=(MaterialInfo("menu.txt", "0" * 64, 9),))
        self.events: list[Event] = [started, PhaseStarted(phase="opening", round=1, rounds=1)]
        self.length = {"a": [0, 0], "b": [0, 0]}
        self.attempt = {"a": 1, "b": 1}
        self.turn = {"a": 1, "b": 2}
        self.turns = 2
        for debater, turn in self.turn.items():
            self.events.append(TurnStarted(turn=turn, debater=debater, phase="opening"))

    def say(self, debater: str, text: str, *, reasoning: bool = False) -> None:
        place = self.length[debater]
        self.events.append(
            TurnDelta(
                turn=self.turn[debater],
                debater=debater,
                attempt=self.attempt[debater],
                offset=place[reasoning],
                text=text,
                reasoning=reasoning,
            )
        )
        place[reasoning] += len(text)

    def reconnect(self, debater: str) -> None:
        self.attempt[debater] += 1
        self.events.append(
            StreamStatus(debater=debater, state="reconnecting", attempt=self.attempt[debater], retry=1)
        )

    def supersede(self, debater: str) -> None:
        self.attempt[debater] += 1
        self.length[debater] = [0, 0]
        self.events.append(
            TurnSuperseded(turn=self.turn[debater], debater=debater, attempt=self.attempt[debater])
        )

    def next_turn(self, debater: str) -> None:
        quotes = (Quote("tea", 0, 5, found=self.turns % 2 == 0),)
        cited = (Citation("https://example.com/tea"),)
        self.events.append(
            TurnFinished(
                turn=self.turn[debater], debater=debater, reason="complete", quotes=quotes, citations=cited
            )
        )
        self.turns += 1
        self.turn[debater] = self.turns
        self.length[debater] = [0, 0]
        self.attempt[debater] = 1
        self.events.append(TurnStarted(turn=self.turns, debater=debater, phase="opening"))

    def interject(self, text: str) -> None:
        self.events.append(Interjection(text=text, to=None))

    def finish(self) -> list[Event]:
        for debater, turn in self.turn.items():
            self.events.append(TurnFinished(turn=turn, debater=debater, reason="complete"))
        self.events.append(DebateFinished(reason="complete"))
        return logged_events(self.events)


@st.composite
def debates(draw: st.DrawFn, most: int = 40) -> list[Event]:
    """Any debate of two, finished: interleaved deltas, reasoning, recoveries, further turns, remarks."""
    writer = DebateWriter()
    debater = st.sampled_from("ab")
    steps = st.one_of(
        st.tuples(st.just("say"), debater, st.sampled_from(WORDS)),
        st.tuples(st.just("say"), debater, st.sampled_from(WORDS)),
        st.tuples(st.just("think"), debater, st.sampled_from(WORDS)),
        st.tuples(st.sampled_from(["reconnect", "supersede", "next_turn"]), debater),
        st.tuples(st.just("interject"), st.sampled_from(WORDS)),
    )
    for kind, *arguments in draw(st.lists(steps, max_size=most)):
        if kind == "think":
            writer.say(*arguments, reasoning=True)
        else:
            getattr(writer, kind)(*arguments)
    return writer.finish()


def example_debate(words: int = 30) -> list[Event]:
    """A debate in which everything happens."""
    writer = DebateWriter()
    for number in range(words):
        writer.say("ab"[number % 2], f"wörd {number} 👋 ", reasoning=number % 7 == 0)
        if number == words // 3:
            writer.reconnect("a")
        if number == words // 2:
            writer.interject("To the point, please.")
            writer.supersede("b")
        if number == 2 * words // 3:
            writer.next_turn("a")
    return writer.finish()
