from __future__ import annotations

import json
import typing

import msgspec
import pytest

from debate_tui.domain import events
from debate_tui.domain.events import Event, event_from_json, event_to_json
from debate_tui.domain.stream import Citation, FaultKind, FaultReport, Usage
from tests.sample_debates import ADA

WIRE: list[tuple[Event, str]] = [
    (
        events.DebateStarted(seq=1, at=1.5, debate="d", topic="T?", format="oxford", debaters=(ADA,)),
        '{"type":"debate.started","seq":1,"at":1.5,"debate":"d","topic":"T?","format":"oxford",'
        '"debaters":[{"id":"a","name":"Ada","side":"for","source":"demo:ada","model":"demo"}]}',
    ),
    (
        events.PhaseStarted(seq=2, at=2.0, phase="opening", round=1, rounds=2),
        '{"type":"phase.started","seq":2,"at":2.0,"phase":"opening","round":1,"rounds":2}',
    ),
    (
        events.TurnStarted(seq=3, at=2.0, turn=1, debater="a", phase="opening"),
        '{"type":"turn.started","seq":3,"at":2.0,"turn":1,"debater":"a","phase":"opening"}',
    ),
    (
        events.TurnDelta(seq=4, at=2.0, turn=1, debater="a", attempt=1, offset=0, text="é\n"),
        '{"type":"turn.delta","seq":4,"at":2.0,"turn":1,"debater":"a","attempt":1,"offset":0,"text":"é\\n"}',
    ),
    (
        events.TurnDelta(seq=5, at=2.0, turn=1, debater="a", attempt=2, offset=9, text="", reasoning=True),
        '{"type":"turn.delta","seq":5,"at":2.0,"turn":1,"debater":"a","attempt":2,"offset":9,"text":"",'
        '"reasoning":true}',
    ),
    (
        events.TurnSuperseded(seq=6, at=2.0, turn=1, debater="a", attempt=2),
        '{"type":"turn.superseded","seq":6,"at":2.0,"turn":1,"debater":"a","attempt":2}',
    ),
    (
        events.TurnFinished(
            seq=7, at=2.0, turn=1, debater="a", reason="length", usage=Usage(output_tokens=5)
        ),
        '{"type":"turn.finished","seq":7,"at":2.0,"turn":1,"debater":"a","reason":"length",'
        '"usage":{"output_tokens":5}}',
    ),
    (
        events.TurnFinished(
            seq=7,
            at=2.0,
            turn=1,
            debater="a",
            reason="complete",
            citations=(Citation("https://a.b/c"), Citation("https://a.b/d", "D")),
            quotes=(events.Quote("so", 3, 7, True), events.Quote("no", 9, 13, False, 2)),
        ),
        '{"type":"turn.finished","seq":7,"at":2.0,"turn":1,"debater":"a","reason":"complete",'
        '"citations":[{"url":"https://a.b/c"},{"url":"https://a.b/d","title":"D"}],'
        '"quotes":[{"text":"so","offset":3,"end":7,"found":true},'
        '{"text":"no","offset":9,"end":13,"found":false,"number":2}]}',
    ),
    (
        events.StreamStatus(
            seq=8,
            at=2.0,
            debater="a",
            state="reconnecting",
            attempt=2,
            retry=1,
            max_retries=5,
            retry_in_ms=900,
            error=FaultReport(FaultKind.RATE_LIMIT, "slower", 429),
        ),
        '{"type":"stream.status","seq":8,"at":2.0,"debater":"a","state":"reconnecting","attempt":2,"retry":1,'
        '"max_retries":5,"retry_in_ms":900,"error":{"kind":"rate_limited","message":"slower","status":429}}',
    ),
    (
        events.DebatePaused(seq=9, at=2.0, reason="user", debater=None),
        '{"type":"debate.paused","seq":9,"at":2.0,"reason":"user","debater":null}',
    ),
    (
        events.DebateResumed(seq=10, at=2.0, reason="user", debater="a"),
        '{"type":"debate.resumed","seq":10,"at":2.0,"reason":"user","debater":"a"}',
    ),
    (
        events.DebaterRemoved(seq=11, at=2.0, debater="a", reason="quota", remaining=("b",)),
        '{"type":"debater.removed","seq":11,"at":2.0,"debater":"a","reason":"quota","remaining":["b"]}',
    ),
    (
        events.DebaterReplaced(seq=12, at=2.0, debater="a", reason="r", remaining=(), source="s", model="m"),
        '{"type":"debater.replaced","seq":12,"at":2.0,"debater":"a","reason":"r","remaining":[],"source":"s",'
        '"model":"m"}',
    ),
    (
        events.DebaterReturned(seq=13, at=2.0, debater="a", reason="r", remaining=(), source="s", model="m"),
        '{"type":"debater.returned","seq":13,"at":2.0,"debater":"a","reason":"r","remaining":[],"source":"s",'
        '"model":"m"}',
    ),
    (
        events.Interjection(seq=14, at=2.0, text="And?", to=None),
        '{"type":"interjection","seq":14,"at":2.0,"text":"And?","to":null}',
    ),
    (
        events.Vote(seq=16, at=2.0, when="before", voter="user", debater=None),
        '{"type":"vote","seq":16,"at":2.0,"when":"before","voter":"user","debater":null}',
    ),
    (
        events.Verdict(
            seq=17,
            at=2.0,
            judge="j",
            model="m",
            winner="a",
            agreed=True,
            controlled=False,
            scores={"a": 7.5},
            marks=(events.CriterionScore("reasons", "a", 8, "so", True),),
            stance_after=70,
        ),
        '{"type":"verdict","seq":17,"at":2.0,"judge":"j","model":"m","winner":"a","agreed":true,'
        '"controlled":false,"scores":{"a":7.5},"marks":[{"criterion":"reasons","debater":"a","score":8,'
        '"quote":"so","found":true}],"stance_after":70}',
    ),
    (
        events.Report(
            seq=17,
            at=2.0,
            judge="openai:m",
            model="m",
            agreed=("Tea is hot.",),
            differences=(events.Difference("Taste", "A blind test."),),
            changed_minds=(events.ChangedMind("a", "Concedes the price."),),
            strongest=(events.StrongestArgument("a", "It is cheaper.", "Tea costs less", found=True),),
            unanswered=("Who pays?",),
        ),
        '{"type":"report","seq":17,"at":2.0,"judge":"openai:m","model":"m","agreed":["Tea is hot."],'
        '"differences":[{"point":"Taste","settled_by":"A blind test."}],'
        '"changed_minds":[{"debater":"a","change":"Concedes the price."}],'
        '"strongest":[{"debater":"a","argument":"It is cheaper.","quote":"Tea costs less","found":true}],'
        '"unanswered":["Who pays?"]}',
    ),
    (
        events.DebatersRevealed(
            seq=18, at=2.0, debaters=(events.DebaterInfo("a", "Ada", "for", "openai:m", "m"),), prices="p 1"
        ),
        '{"type":"debaters.revealed","seq":18,"at":2.0,"debaters":[{"id":"a","name":"Ada","side":"for",'
        '"source":"openai:m","model":"m"}],"prices":"p 1"}',
    ),
    (
        events.DebateFinished(seq=15, at=2.0, reason="complete"),
        '{"type":"debate.finished","seq":15,"at":2.0,"reason":"complete"}',
    ),
]


@pytest.mark.parametrize(("event", "line"), WIRE)
def test_an_event_is_the_same_json_object_on_every_surface(event: Event, line: str):
    assert json.loads(event_to_json(event)) == json.loads(line)
    assert event_to_json(event).count(b"\n") == 0
    assert event_from_json(line) == event


def test_every_type_of_event_is_held_to_its_form():
    assert {type(event) for event, _ in WIRE} == set(typing.get_args(Event))


@pytest.mark.parametrize("event", [event for event, _ in WIRE])
def test_an_event_survives_message_pack(event: Event):
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


def test_an_event_of_a_later_version_with_more_fields_is_read_without_them():
    object_ = {**json.loads(WIRE[1][1]), "mood": "tense"}

    assert event_from_json(json.dumps(object_)) == WIRE[1][0]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '{"seq": 1}',
        '{"type": "turn.imagined", "seq": 1}',
        '{"type": "debate.finished", "seq": 1, "reason": "bored"}',
        '{"type": "turn.started", "seq": "1", "turn": 1, "debater": "a", "phase": "p"}',
    ],
)
def test_anything_else_is_no_event(line: str):
    with pytest.raises(msgspec.DecodeError):
        event_from_json(line)
