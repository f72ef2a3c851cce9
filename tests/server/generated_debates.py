"""Debates to be hosted, and what viewers were told of them, checked to the character."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from debate_tui.domain.events import (
    DebateFinished,
    Event,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
    event_from_json,
)
from debate_tui.domain.transcript import Transcript
from debate_tui.record.log import MemoryLog
from tests.sample_debates import debate_started

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORDS = ("tea ", "Kaffee ", "茶", "👩‍👩‍👧 ", "é", "\x1b[2J", "<b>&", "\u202egnp", "\n\n", '"\\')


def numbered_events(events: Iterable[Event]) -> list[Event]:
    """The events as a log numbers them."""
    log = MemoryLog()
    for event in events:
        log.append(event)
    return list(log._events)


class DebateWriter:
    """Two debaters whose deltas have the right offsets, whatever happens to them."""

    def __init__(self) -> None:
        self.events: list[Event] = [debate_started(), PhaseStarted(phase="opening", round=1, rounds=1)]
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
        self.events.append(TurnFinished(turn=self.turn[debater], debater=debater, reason="complete"))
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
        return numbered_events(self.events)


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


@dataclass
class ReceivedMessage:
    """One event as a viewer received it."""

    type: str
    data: Any
    id: str = ""


@dataclass
class ReceivedMessages:
    """What a viewer received, over any number of connections."""

    messages: list[ReceivedMessage] = field(default_factory=list)
    last_id: str = ""
    retries: list[int] = field(default_factory=list)
    comments: int = 0

    def feed(self, data: bytes) -> None:
        """Whole events of a stream."""
        for block in data.decode().split("\n\n"):
            self._block(block)

    def _block(self, block: str) -> None:
        fields: dict[str, str] = {}
        for line in filter(None, block.split("\n")):
            name, _, value = line.partition(":")
            if not name:
                self.comments += 1
            fields[name] = value.removeprefix(" ")
        if "retry" in fields:
            self.retries.append(int(fields["retry"]))
        self.last_id = fields.get("id", self.last_id)
        if "data" in fields:
            self.add(fields.get("event", "message"), json.loads(fields["data"]), self.last_id)

    def add(self, type_: str, data: Any, id_: str) -> None:
        self.last_id = id_
        self.messages.append(ReceivedMessage(type_, data, id_))

    def events(self) -> list[Event]:
        """The events of the log among what was received, batches taken apart."""
        return [event for message in self.messages for event in _events(message)]

    def of_type(self, type_: str) -> list[Any]:
        return [message.data for message in self.messages if message.type == type_]


def _events(message: ReceivedMessage) -> Iterator[Event]:
    if message.type == "batch":
        for chunk in message.data["chunks"]:
            yield event_from_json(msgspec.json.encode(chunk))
    elif message.type not in ("snapshot", "reset", "goodbye"):
        yield event_from_json(msgspec.json.encode(message.data))


def check_same_log(received: Iterable[Event], log: Iterable[Event]) -> None:
    """What was told is the log, put together here and there: nothing missing, nothing twice, in order."""
    received, log = list(received), list(log)
    assert [e.seq for e in received] == sorted({e.seq for e in received}), "in order, and no event twice"
    others = [event for event in received if not isinstance(event, TurnDelta)]
    assert others == [event for event in log if not isinstance(event, TurnDelta)]
    assert text_by_attempt(received) == text_by_attempt(log)


def text_by_attempt(events: Iterable[Event]) -> dict[object, str]:
    """All text by turn, attempt and kind; raises if a delta does not begin where the text before ends."""
    texts: dict[object, str] = {}
    length: dict[object, int] = {}
    for event in events:
        if isinstance(event, TurnSuperseded):
            length = {key: value for key, value in length.items() if key[0] != event.turn}  # type: ignore[index]
        if isinstance(event, TurnDelta):
            strand = (event.turn, event.reasoning)
            assert event.offset == length.get(strand, 0), f"a hole or an overlap at {event.seq}"
            length[strand] = event.offset + len(event.text)
            key = (event.turn, event.attempt, event.reasoning)
            texts[key] = texts.get(key, "") + event.text
    return texts


def transcript_of(events: Iterable[Event]) -> dict[str, object]:
    """What a fold comes to, to be compared."""
    transcript = Transcript(events)
    return {
        "turns": [
            (t.number, t.debater, t.text, t.reasoning, t.attempt, t.reason, t.superseded_count)
            for t in transcript.turns.values()
        ],
        "statuses": transcript.statuses,
        "finished": transcript.finish_reason,
        "interjections": [(each.text, each.to) for each in transcript.interjections],
    }
