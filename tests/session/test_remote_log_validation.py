"""What cannot be a debate, or is too much of one, is not taken from a host."""

from __future__ import annotations

import contextlib
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.display.json_lines import encode_line
from debate_tui.display.plain import PlainFormatter
from debate_tui.display.statistics import Statistics
from debate_tui.display.statistics.table import format_table
from debate_tui.domain import events as ev
from debate_tui.domain.events import event_from_json
from debate_tui.domain.exports import EXPORT_TYPES, export_debate
from debate_tui.domain.stream import Fault, FaultKind, Usage
from debate_tui.session import remote_log
from debate_tui.session.remote_log import MAX_TIMESTAMP, RemoteEventValidator
from tests.server.generated_debates import debates

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


def delta_at(seq: int, text: str, at: float = 11.0) -> ev.TurnDelta:
    return ev.TurnDelta(seq=seq, at=at, turn=1, debater="a", attempt=1, offset=0, text=text)


def check_all(*events: ev.Event, characters: int = 100) -> RemoteEventValidator:
    taken = RemoteEventValidator()
    for event in events:
        taken.check(event, characters)
    return taken


@given(log=debates())
def test_every_debate_is_taken(log: list[ev.Event]) -> None:
    check_all(*log)


def test_a_debate_reveals_the_debaters_it_has() -> None:
    check_all(STARTED, ev.DebatersRevealed(seq=2, at=11.0, debaters=CAST[:2]))
    for others in (CAST[:1], CAST[:3], ()):
        with pytest.raises(Fault):
            check_all(STARTED, ev.DebatersRevealed(seq=2, at=11.0, debaters=others))


@pytest.mark.parametrize(
    "events",
    [
        (BEGUN,),
        (STARTED, replace(STARTED, seq=2)),
        (replace(STARTED, debaters=()),),
        (replace(STARTED, debaters=CAST),),
        (replace(STARTED, debaters=CAST[:1] * 2),),
        (replace(STARTED, material=(ev.MaterialInfo("a.txt", "0" * 64, 1),) * 1001),),
        (replace(STARTED, at=-1.0),),
        (replace(STARTED, at=1e300),),
        (replace(STARTED, at=MAX_TIMESTAMP + 1),),
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
    with pytest.raises(Fault, match="not send a valid debate") as raised:
        check_all(*events)
    assert raised.value.kind is FaultKind.BAD_REQUEST
    assert raised.value.hint


def test_a_clock_may_have_been_put_back() -> None:
    check_all(STARTED, replace(BEGUN, at=9.9))


def test_verdicts_are_taken() -> None:
    ranking = replace(VERDICT, model="", scores={"a": 12, "b": 3})
    unread = replace(VERDICT, scores={}, winner=None, problem="it did not answer")
    check_all(STARTED, VERDICT, unread, VERDICT, ranking)


def test_what_is_taken_can_be_measured_and_exported() -> None:
    late = ev.TurnFinished(seq=3, at=MAX_TIMESTAMP, turn=1, debater="a", reason="complete", duration_ms=2**53)
    log = [replace(STARTED, at=MAX_TIMESTAMP), replace(BEGUN, at=MAX_TIMESTAMP), late]
    check_all(*log)
    statistics = Statistics(clock=lambda: 0.0)
    for event in log:
        statistics(event)
    assert statistics.report().streams
    for form in EXPORT_TYPES:
        assert export_debate(log, form)


WHO = st.sampled_from(["a", "b", "nobody"])
LIKELY = {
    "seq": st.just(0),
    "at": st.floats(-5, 5),
    "debater": WHO,
    "debaters": st.just(STARTED.debaters),
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
def test_every_accepted_debate_can_be_rendered(events: list[ev.Event]) -> None:
    taken, log, at = RemoteEventValidator(), list[ev.Event](), 10.0
    for event in (STARTED, *events):
        at += event.at
        numbered = replace(event, seq=len(log) + 1, at=at)
        with contextlib.suppress(Fault):
            taken.check(numbered, 1)
            log.append(numbered)
    plain, statistics = PlainFormatter(), Statistics(clock=lambda: 0.0)
    for event in log:
        assert event_from_json(encode_line(event)) == event
        plain.apply(event)
        statistics(event)
    plain.finish()
    assert format_table(statistics.report())
    for form in EXPORT_TYPES:
        assert export_debate(log, form)


def test_a_turn_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_log, "MAX_REMOTE_TURN_CHARACTERS", 10)
    anew = ev.TurnSuperseded(seq=4, at=11.0, turn=1, debater="a", attempt=2)
    check_all(STARTED, BEGUN, delta_at(3, "x" * 10), anew, delta_at(5, "x" * 10))
    with pytest.raises(Fault, match="The turn is too long to watch"):
        check_all(STARTED, BEGUN, delta_at(3, "x" * 10), delta_at(4, "x"))


def test_a_debate_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_log, "MAX_DEBATE_EVENTS", 3)
    monkeypatch.setattr(remote_log, "MAX_DEBATE_CHARACTERS", 1000)
    check_all(STARTED, BEGUN, delta_at(3, "x"), characters=333)
    with pytest.raises(Fault, match="The debate is too long to watch"):
        check_all(STARTED, BEGUN, delta_at(3, "x"), delta_at(4, "x"))
    with pytest.raises(Fault, match="The debate is too long to watch"):
        check_all(STARTED, BEGUN, delta_at(3, "x"), characters=334)
