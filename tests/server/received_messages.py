"""What a viewer received, and whether it is the log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from debate_tui.domain.events import (
    Event,
    TurnDelta,
    TurnSuperseded,
    event_from_json,
)
from debate_tui.domain.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
