"""What cannot be a debate, or is too much of one, is not taken from a host."""

from __future__ import annotations

import contextlib
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.display.json_lines import line
from debate_tui.display.plain import Plain
from debate_tui.display.statistics import Statistics
from debate_tui.display.statistics.table import table
from debate_tui.domain import events as ev
from debate_tui.domain.events import decode
from debate_tui.domain.exports import FORMS, export
from debate_tui.domain.stream import Fault, FaultKind, Usage
from debate_tui.session import intake
from debate_tui.session.intake import LATEST, Intake
from tests.server.material import debates

CAST = tuple(ev.DebaterInfo(id_, id_, "", "demo", "demo") for id_ in "abcde")
STARTED = ev.DebateStarted(seq=1, at=10.0, debate="d", topic="T?", format="listen", debaters=CAST[:2])
BEGUN = ev.TurnStarted(seq=2, at=11.0, turn=1, debater="a", phase="p")

VERDICT = ev.Verdict(
    seq=2,
    at=11.0,
    judge="j1",
    model="m",
    winner="a",
    agreed=True,
    controlled=True,
    scores={"a": 7.5, "b": 6},
    stance_before=0,
    stance_after=100,
)


def said(seq: int, text: str, at: float = 11.0) -> ev.TurnDelta:
    return ev.TurnDelta(seq=seq, at=at, turn=1, debater="a", attempt=1, offset=0, text=text)


def take(*events: ev.Event, characters: int = 100) -> Intake:
    taken = Intake()
    for event in events:
        taken.check(event, characters)
    return taken


@given(log=debates())
def test_every_debate_is_taken(log: list[ev.Event]) -> None:
    take(*log)


@pytest.mark.parametrize(
    "events",
    [
        (BEGUN,),
        (STARTED, replace(STARTED, seq=2)),
        (replace(STARTED, debaters=()),),
        (replace(STARTED, debaters=CAST),),
        (replace(STARTED, debaters=CAST[:1] * 2),),
        (replace(STARTED, at=-1.0),),
        (replace(STARTED, at=1e300),),
        (replace(STARTED, at=LATEST + 1),),
        (replace(STARTED, at=float("nan")),),
        (replace(STARTED, seq=10**30),),
        (STARTED, replace(BEGUN, turn=-(10**400))),
        (
            STARTED,
            ev.TurnFinished(seq=2, at=11.0, turn=1, debater="a", reason="complete", duration_ms=10**400),
        ),
        (
            STARTED,
            ev.TurnFinished(
                seq=2, at=11.0, turn=1, debater="a", reason="complete", usage=Usage(output_tokens=10**17)
            ),
        ),
        (STARTED, replace(VERDICT, scores={"a": 1e99, "b": 1})),
        (STARTED, replace(VERDICT, scores={"a": 101, "b": 1})),
        (STARTED, replace(VERDICT, scores={"a": -1, "b": 1})),
        (STARTED, replace(VERDICT, stance_after=101)),
        (STARTED, replace(VERDICT, scores={"a": 1, "z": 1})),
        (STARTED, replace(VERDICT, winner="z")),
        (STARTED, VERDICT, replace(VERDICT, scores={"a": 1})),
        (STARTED, replace(VERDICT, scores={}), VERDICT),
        (STARTED, VERDICT, replace(VERDICT, scores={}, winner=None, problem="\x1b[0m")),
    ],
)
def test_what_cannot_be_a_debate_is_not_believed(events: tuple[ev.Event, ...]) -> None:
    with pytest.raises(Fault, match="cannot be a debate") as raised:
        take(*events)
    assert raised.value.kind is FaultKind.BAD_REQUEST
    assert raised.value.hint


def test_a_clock_may_have_been_put_back() -> None:
    take(STARTED, replace(BEGUN, at=9.9))


def test_verdicts_are_taken() -> None:
    ranking = replace(VERDICT, model="", scores={"a": 12, "b": 3})
    unread = replace(VERDICT, scores={}, winner=None, problem="it did not answer")
    take(STARTED, VERDICT, unread, VERDICT, ranking)


def test_what_is_taken_can_be_measured_and_exported() -> None:
    late = ev.TurnFinished(seq=3, at=LATEST, turn=1, debater="a", reason="complete", duration_ms=2**53)
    log = [replace(STARTED, at=LATEST), replace(BEGUN, at=LATEST), late]
    take(*log)
    statistics = Statistics(clock=lambda: 0.0)
    for event in log:
        statistics(event)
    assert statistics.report().streams
    for form in FORMS:
        assert export(log, form)


WHO = st.sampled_from(["a", "b", "nobody"])
LIKELY = {
    "seq": st.just(0),
    "at": st.floats(-5, 5),
    "debater": WHO,
    "turn": st.integers(1, 2),
    "attempt": st.integers(1, 2),
    "offset": st.integers(0, 2),
    "scores": st.dictionaries(st.sampled_from("ab"), st.floats(0, 12)),
    "winner": st.none() | WHO,
    "stance_before": st.none() | st.integers(0, 100),
    "stance_after": st.none() | st.integers(0, 100),
}
ANY = st.one_of(
    *(
        st.builds(kind, **{name: LIKELY.get(name, ...) for name in kind.__struct_fields__})
        for kind in get_args(ev.Event)
    )
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY, max_size=12))
def test_whatever_is_taken_can_be_told(events: list[ev.Event]) -> None:
    taken, log, at = Intake(), list[ev.Event](), 10.0
    for event in (STARTED, *events):
        at += event.at
        numbered = replace(event, seq=len(log) + 1, at=at)
        with contextlib.suppress(Fault):
            taken.check(numbered, 1)
            log.append(numbered)
    plain, statistics = Plain(), Statistics(clock=lambda: 0.0)
    for event in log:
        assert decode(line(event)) == event
        plain.apply(event)
        statistics(event)
    plain.end()
    assert table(statistics.report())
    for form in FORMS:
        assert export(log, form)


def test_a_turn_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONGEST_TURN", 10)
    anew = ev.TurnSuperseded(seq=4, at=11.0, turn=1, debater="a", attempt=2)
    take(STARTED, BEGUN, said(3, "x" * 10), anew, said(5, "x" * 10))
    with pytest.raises(Fault, match="This turn is too long to be watched"):
        take(STARTED, BEGUN, said(3, "x" * 10), said(4, "x"))


def test_a_debate_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_EVENTS", 3)
    monkeypatch.setattr(intake, "MAX_CHARACTERS", 1000)
    take(STARTED, BEGUN, said(3, "x"), characters=333)
    with pytest.raises(Fault, match="This debate is too long to be watched"):
        take(STARTED, BEGUN, said(3, "x"), said(4, "x"))
    with pytest.raises(Fault, match="This debate is too long to be watched"):
        take(STARTED, BEGUN, said(3, "x"), characters=334)
