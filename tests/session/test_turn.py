"""The figures of a finished turn: its own time, and all that was paid for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events
from debate_tui.domain.stream import (
    Chunk,
    Citation,
    CitationsUpdate,
    Cursor,
    Fault,
    FaultKind,
    Finished,
    ResumePoint,
    StateChange,
    Superseded,
    TurnRequest,
    Usage,
    UsageUpdate,
)
from debate_tui.domain.transcript import Transcript
from debate_tui.record.log import MemoryLog
from debate_tui.session import turn as module
from debate_tui.session.turn import RunningTurn, unknown_cost
from debate_tui.sources.prices import cost_function
from debate_tui.sources.registry import parse_source
from tests.fakes.scripted_source import ScriptedSource

if TYPE_CHECKING:
    from debate_tui.session.turn import CostFunction


def make_turn(log: MemoryLog, cost: CostFunction = unknown_cost) -> RunningTurn:
    transcript = Transcript()
    log.subscribe(transcript.apply)
    return RunningTurn("a", TurnRequest("t", "p", 1, ()), log, transcript, cost)


class Timed:
    """A turn whose clock is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 50.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.log = MemoryLog()
        self.ends: list[events.TurnFinished] = []
        self.log.subscribe(
            lambda event: self.ends.append(event) if isinstance(event, events.TurnFinished) else None
        )
        self.turn = make_turn(self.log)

    def at(self, seconds: float) -> RunningTurn:
        self.now = 50.0 + seconds
        return self.turn

    @property
    def times(self) -> tuple[int | None, int | None]:
        return self.ends[-1].ttft_ms, self.ends[-1].duration_ms


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Timed:
    return Timed(monkeypatch)


def test_the_first_token_may_be_reasoning(timed: Timed) -> None:
    timed.at(0.5).handle_item(Chunk("Hm. ", reasoning=True))
    timed.at(9).handle_item(Chunk("So."))
    timed.at(10).handle_item(Finished(usage=Usage(1, 20, 18)))
    assert timed.times == (500, 10_000)
    assert timed.ends[-1].usage == Usage(1, 20, 18)


def test_a_turn_without_text_has_no_first_token(timed: Timed) -> None:
    timed.at(0.5).handle_item(Chunk(""))
    timed.at(2).handle_item(Finished("refused"))
    assert timed.times == (None, 2000)


def test_text_that_was_superseded_came_first_all_the_same(timed: Timed) -> None:
    timed.at(1).handle_item(Chunk("one"))
    timed.at(2).handle_item(Superseded(2))
    timed.at(5).handle_item(Chunk("two"))
    timed.at(6).handle_item(Finished())
    assert timed.times == (1000, 6000)


def test_waits_for_recovery_are_part_of_the_duration(timed: Timed) -> None:
    timed.at(1).handle_item(Chunk("one"))
    timed.at(2).handle_item(StateChange("reconnecting", 1, retry=1, max_retries=5, retry_in_ms=4000))
    timed.at(7).handle_item(Chunk("two"))
    timed.at(8).handle_item(Finished())
    assert timed.times == (1000, 8000)


def test_the_time_a_failed_turn_lay_idle_is_not(timed: Timed) -> None:
    timed.at(1).handle_item(Chunk("one"))
    timed.at(2).finish("failed", Fault(FaultKind.NETWORK, "Gone."))
    timed.at(602).restart()
    timed.at(604).handle_item(Finished())
    assert timed.times == (1000, 4000)


def test_the_time_a_turn_is_held_is_not_its_own(timed: Timed) -> None:
    timed.at(1).hold()
    timed.at(61).hold()  # for another reason
    timed.at(101).release()
    timed.at(102).handle_item(Chunk("one"))
    timed.at(103).hold()
    timed.at(203).release()
    timed.at(204).handle_item(Finished())
    assert timed.times == (2000, 4000)


def test_a_turn_stopped_while_it_is_held_ended_when_it_was_held(timed: Timed) -> None:
    timed.at(1).handle_item(Chunk("one"))
    timed.at(2).hold()
    timed.at(602).finish("stopped")
    assert timed.times == (1000, 2000)


def test_a_turn_begun_anew_after_its_end_is_timed_anew(timed: Timed) -> None:
    timed.at(1).handle_item(Chunk("one"))
    timed.at(2).handle_item(Finished())
    timed.at(602).restart()
    timed.at(602.7).handle_item(Chunk("two"))
    timed.at(603).handle_item(Finished())
    assert timed.times == (700, 1000)


def test_what_was_spent_before_a_retry_was_spent(timed: Timed) -> None:
    timed.turn.handle_item(Chunk("one"))
    timed.turn.handle_item(Finished(usage=Usage(10, 5)))
    timed.turn.restart()
    timed.turn.handle_item(UsageUpdate(Usage(10, 1)))
    timed.turn.handle_item(Finished(usage=Usage(output_tokens=7)))
    assert timed.ends[-1].usage == Usage(20, 12)


def test_what_a_broken_stream_reported_is_kept_when_its_retry_reports_nothing(timed: Timed) -> None:
    timed.turn.handle_item(UsageUpdate(Usage(10, 1)))
    timed.turn.finish("failed")
    timed.turn.restart()
    timed.turn.handle_item(Finished())
    assert timed.ends[-1].usage == Usage(10, 1)


@pytest.mark.parametrize(
    ("source", "costs"), [("demo", 0.0), ("openai:gpt-4o", None), ("https://host/x", None)]
)
def test_a_turn_that_told_no_usage_costs_nothing_only_where_nothing_ever_does(
    source: str, costs: float | None
) -> None:
    log = MemoryLog()
    parsed = parse_source(source)
    turn = make_turn(log, cost_function(parsed.scheme, parsed.detail, {}))
    ends: list[events.TurnFinished] = []
    log.subscribe(lambda event: ends.append(event) if isinstance(event, events.TurnFinished) else None)
    turn.finish("skipped")
    assert [(end.usage, end.cost) for end in ends] == [(None, costs)]


def priced_turn(*items: object) -> events.TurnFinished:
    """How a turn ends that was priced at 5 dollars by the table."""
    log = MemoryLog()
    ends: list[events.TurnFinished] = []
    log.subscribe(lambda event: ends.append(event) if isinstance(event, events.TurnFinished) else None)
    turn = make_turn(log, lambda usage: 5.0)
    for item in items:
        if item == "again":
            turn.restart()
        else:
            turn.handle_item(item)  # type: ignore[arg-type]
    return ends[-1]


def test_what_the_server_charges_beats_the_table() -> None:
    end = priced_turn(Finished(usage=Usage(1, 2), model="real-2", response="gen-1", cost=0.25))
    assert (end.cost, end.model, end.response) == (0.25, "real-2", "gen-1")
    assert priced_turn(Finished(usage=Usage(1, 2))).cost == 5.0
    assert priced_turn(Finished(cost=0.0)).cost == 0.0


def test_what_the_server_charges_for_a_part_is_not_the_cost_of_the_turn() -> None:
    first, second = Finished(usage=Usage(1, 2), cost=0.25), Finished(usage=Usage(3, 4), cost=0.5)
    end = priced_turn(Chunk("Tea."), first, "again", Chunk("Tea!"), second)
    assert (end.usage, end.cost) == (Usage(4, 6), 5.0)


def test_a_turn_tells_how_much_came_after_its_cursor(timed: Timed) -> None:
    """It may be stopped in the middle of an event, of whose pieces only the last one has the cursor."""
    turn, source = timed.at(1), ScriptedSource()
    assert turn.start_stream(source) is None
    turn.handle_item(StateChange("streaming", 1))
    for chunk in (Chunk("Hm.", True), Chunk("Tea ", cursor=Cursor("7")), Chunk("So", True), Chunk("is.")):
        turn.handle_item(chunk)
    resume = turn.start_stream(source)
    assert resume == ResumePoint(1, Cursor("7"), "Tea is.", "Hm.So", (3, 2))
    assert resume.at_cursor == ("Tea ", "Hm.")
    assert turn.start_stream(ScriptedSource()) == ResumePoint(1, None, "Tea is.", "Hm.So")


# What its answer cites


TEA, MILK, SALT = (Citation(f"https://{name}.example", name) for name in ("tea", "milk", "salt"))


def test_citations_of_all_attempts_that_count_are_kept(timed: Timed) -> None:
    timed.turn.handle_item(StateChange("connecting", 1))
    timed.turn.handle_item(CitationsUpdate((TEA,)))
    timed.turn.handle_item(Chunk("one"))
    timed.turn.handle_item(StateChange("connecting", 2))
    timed.turn.handle_item(CitationsUpdate((MILK, TEA)))
    timed.turn.handle_item(Finished(citations=(MILK, TEA, SALT)))
    assert timed.ends[-1].citations == (TEA, MILK, SALT)


def test_citations_of_superseded_text_are_dropped(timed: Timed) -> None:
    timed.turn.handle_item(StateChange("connecting", 1))
    timed.turn.handle_item(CitationsUpdate((TEA,)))
    timed.turn.handle_item(Chunk("one"))
    timed.turn.handle_item(StateChange("connecting", 2))
    timed.turn.handle_item(CitationsUpdate((MILK,)))
    timed.turn.handle_item(Superseded(2))
    timed.turn.handle_item(Chunk("two"))
    timed.turn.finish("stopped")
    assert timed.ends[-1].citations == (MILK,)


def test_a_retry_keeps_the_citations_until_there_is_new_text(timed: Timed) -> None:
    timed.turn.handle_item(StateChange("connecting", 1))
    timed.turn.handle_item(Chunk("one"))
    timed.turn.handle_item(Finished(citations=(TEA,)))
    timed.turn.restart()
    timed.turn.handle_item(StateChange("connecting", 2))
    timed.turn.handle_item(CitationsUpdate((MILK,)))
    timed.turn.handle_item(Chunk("two"))
    timed.turn.handle_item(Finished(citations=(MILK,)))
    assert timed.ends[-1].citations == (MILK,)


def test_a_resumed_debate_keeps_what_was_cited_before() -> None:
    log = MemoryLog()
    turn = make_turn(log)
    turn.handle_item(StateChange("connecting", 1))
    turn.handle_item(Chunk("one"))
    turn.handle_item(CitationsUpdate((TEA,)))
    turn.finish("stopped")
    transcript = Transcript(log._events)
    log.subscribe(transcript.apply)
    resumed = RunningTurn("a", turn.request, log, transcript)
    resumed.handle_item(StateChange("connecting", 2))
    resumed.handle_item(Finished(citations=(MILK,)))
    end = log._events[-1]
    assert isinstance(end, events.TurnFinished)
    assert end.citations == (TEA, MILK)
