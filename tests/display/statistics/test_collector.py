"""What is measured of a debate, event by event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.display.buffer import SharedBuffer
from debate_tui.display.statistics import Statistics, TokenCount
from debate_tui.display.statistics.stream import Resumption
from debate_tui.display.statistics.table import format_table
from debate_tui.domain import events as ev
from debate_tui.domain.stream import Connected, StreamOrigin, Usage
from tests.display.statistics.measured_debate import BUSY, CAST, RESET, TOKEN, MeasuredDebate

"""Ten tokens, as estimated."""


def test_before_anything_has_happened_there_is_nothing_to_say() -> None:
    statistics = Statistics()
    assert statistics.report().streams == ()
    assert statistics.newest_turn("a").tokens is None


def test_a_stream_is_measured_from_asking_to_the_last_word() -> None:
    debate = MeasuredDebate()
    debate.at(1).begin()
    debate.at(1).state("connecting")
    debate.at(1.25).state("connected")
    debate.statistics.record_connection("a", Connected(StreamOrigin.START, "HTTP/1.1", reused=False))
    debate.at(1.5).state("streaming")
    for tenth in range(21):
        debate.at(1.5 + tenth / 10).say()
    stream = debate.stream
    assert stream.info == CAST[0]
    assert stream.status is not None
    assert stream.status.state == "streaming"
    assert (stream.transport, stream.connections) == ("HTTP/1.1", 1)
    assert stream.first_byte == pytest.approx(0.25)
    assert stream.longest_gap == pytest.approx(0.1)
    assert stream.turn.first_token == pytest.approx(0.5)
    assert stream.turn.tokens == TokenCount(210, is_estimated=True)
    assert stream.turn.mean_rate == pytest.approx(105)
    assert debate.current_rate == pytest.approx(105, rel=0.1)


def test_tokens_are_estimated_by_the_bytes_of_utf_8() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.say("都市は車を禁止" * 6)
    assert debate.turn.tokens == TokenCount(30, is_estimated=True)


def test_the_providers_figures_take_the_place_of_estimates() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(1).say()
    debate.at(2).finish(usage=Usage(7, 33), ttft_ms=987, cost=0.25)
    assert debate.turn.tokens == TokenCount(33)
    assert debate.turn.first_token == 0.987
    assert debate.stream.cost == 0.25
    assert debate.stream.tokens == TokenCount(33)


def test_speed_now_fades_when_nothing_comes() -> None:
    debate = MeasuredDebate()
    debate.begin()
    for tenth in range(50):
        debate.at(tenth / 10).say()
    assert debate.current_rate == pytest.approx(100, rel=0.1)
    assert debate.at(6.5).current_rate < 50
    assert debate.at(8).current_rate == 0
    debate.say()
    debate.state("paused")
    assert debate.current_rate == 0


def test_a_pause_is_no_gap_and_takes_nothing_from_the_speed() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.say()
    debate.at(1).say()
    debate.at(1.5).state("paused")
    debate.at(600).state("streaming")
    debate.at(601).say()
    debate.at(602).say()
    assert debate.stream.longest_gap == pytest.approx(1.0)
    assert debate.turn.mean_rate == pytest.approx(20)


def test_waiting_for_a_decision_stops_all_times() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(1).append(ev.DebatePaused(reason="auth: no key", debater="b"))
    debate.at(601).append(ev.DebateResumed(reason="decided", debater="b"))
    debate.at(602).say()
    debate.at(603).append(ev.DebatePaused(reason="user", debater=None))
    debate.at(703).append(ev.DebateResumed(reason="user", debater=None))
    debate.at(704).say()
    debate.at(705).say()
    assert debate.turn.first_token == pytest.approx(2.0)
    assert debate.stream.longest_gap == pytest.approx(1.0)
    assert debate.turn.mean_rate == pytest.approx(30)


def test_an_outage_is_neither_a_gap_nor_slowness() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.say()
    debate.at(1).say()
    debate.at(1.1).break_off(BUSY, 4.0)
    debate.at(5.1).state("connecting")
    debate.at(5.2).state("connected")
    debate.statistics.record_connection("a", Connected(StreamOrigin.CURSOR, "HTTP/1.1", reused=True))
    debate.at(5.3).state("streaming")
    debate.say()
    debate.at(6.3).say()
    stream = debate.stream
    assert stream.longest_gap == pytest.approx(1.0)
    assert stream.turn.mean_rate == pytest.approx(20)
    assert (stream.connections, stream.reconnections, stream.retry_wait) == (1, 1, 4.0)
    assert (stream.last_fault, stream.faults) == (BUSY, {"overloaded (529)": 1})
    assert stream.resumption == Resumption(84, StreamOrigin.CURSOR, superseded=False)
    assert [fault for _, fault in stream.rates.latest(debate.now, 6)] == [None, False, *[None] * 4]


def test_text_that_no_longer_counts_leaves_the_turn() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(0.5).say()
    debate.at(1).break_off()
    debate.at(2).state("connecting")
    debate.append(ev.TurnSuperseded(turn=1, debater="a", attempt=2))
    debate.offsets = [0, 0]
    debate.at(3).say("y" * 21)
    assert debate.turn.tokens == TokenCount(5, is_estimated=True)
    assert debate.turn.first_token == pytest.approx(0.5)
    assert debate.stream.resumption == Resumption(0, None, superseded=True)


def test_a_stream_that_is_given_up_is_marked_once() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(1.5).state("failed", BUSY)
    debate.at(2.5).state("failed", BUSY)
    debate.append(ev.DebaterRemoved(debater="a", reason="Busy.", remaining=("b",)))
    assert debate.stream.is_removed
    assert debate.stream.faults == {"overloaded (529)": 1}
    assert debate.stream.reconnections == 0
    assert [fault for _, fault in debate.stream.rates.latest(1003, 3)] == [None, True, None]


def test_reasoning_first_is_a_first_token_before_the_first_answer() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(0.5).say(reasoning=True)
    debate.at(9).say()
    assert debate.turn.first_token == pytest.approx(0.5)
    assert debate.turn.first_answer == pytest.approx(9)


def test_reasoning_that_is_only_counted_does_not_make_the_answer_faster() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(20).say()
    debate.at(21).say()
    debate.finish(usage=Usage(5, 2020, 2000))
    assert debate.turn.tokens == TokenCount(2020)
    assert debate.turn.mean_rate == pytest.approx(20)


def test_a_turn_taken_up_after_its_end_has_no_idle_time_in_it() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(1).finish("failed")
    debate.at(601).state("connecting")
    debate.at(602).say()
    assert debate.turn.reason is None
    assert debate.turn.first_token == pytest.approx(2)


def test_a_turn_begun_anew_after_its_end_is_measured_anew() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(1).say()
    debate.at(2).finish(ttft_ms=1000)
    debate.at(100)
    debate.append(ev.TurnSuperseded(turn=1, debater="a", attempt=2))
    debate.state("connecting")
    assert debate.turn.first_token is None
    debate.at(100.5).say()
    assert debate.turn.first_token == pytest.approx(0.5)


def test_a_debate_taken_up_later_has_not_been_going_on_meanwhile() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.at(1.5).say()
    debate.at(100_000)
    debate.append(ev.DebateResumed(reason="continued", debater=None))
    debate.at(100_001).say()
    report = debate.statistics.report()
    assert report.elapsed == pytest.approx(2.5)
    assert debate.turn.first_token == pytest.approx(1.5)


def test_time_stands_still_once_the_debate_is_over() -> None:
    debate = MeasuredDebate()
    debate.at(7)
    debate.append(ev.DebateFinished(reason="complete"))
    assert debate.at(3600).statistics.report().elapsed == 7


def test_a_recorded_debate_shows_what_was_measured_when_it_was_held() -> None:
    debate = MeasuredDebate()
    debate.begin()
    for tenth in range(30):
        debate.at(tenth / 10).say()
    replayed = Statistics(clock=lambda: 5.0)
    for event in debate.log._events:
        replayed(event)
    (replayed_stream, _), turn = replayed.report().streams, replayed.newest_turn("a")
    assert replayed_stream.longest_gap == debate.stream.longest_gap
    assert replayed_stream.rates.latest(1003, 3) == debate.stream.rates.latest(1003, 3)
    assert (turn.first_token, turn.mean_rate) == (debate.turn.first_token, debate.turn.mean_rate)


def test_screen_and_buffer_are_in_the_report_where_there_are_any() -> None:
    debate = MeasuredDebate()
    buffer: SharedBuffer[str] = SharedBuffer(["a"])
    buffer.push("a", "text", 4)
    debate.statistics.record_frame(0.002)
    debate.state("waiting")
    report = debate.statistics.report(buffer.statistics())
    assert (report.frame_time, report.buffers) == (0.002, buffer.statistics())
    assert Statistics().report().frame_time is None


@given(st.lists(st.tuples(st.floats(0.001, 2), st.text(min_size=1), st.booleans()), max_size=40))
def test_sums_are_those_of_what_came(chunks: list[tuple[float, str, bool]]) -> None:
    debate = MeasuredDebate()
    debate.begin()
    at = 0.0
    for gap, text, interrupted in chunks:
        at += gap
        if interrupted:
            debate.at(at).state("streaming")
        debate.at(at).say(text)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for _, text, _ in chunks)
    assert debate.stream.tokens.count == round(size / 4.2)
    gaps = [gap for place, (gap, _, interrupted) in enumerate(chunks) if place and not interrupted]
    assert debate.stream.longest_gap == (pytest.approx(max(gaps), abs=1e-6) if gaps else None)


def test_a_count_that_must_lack_what_broke_off_is_not_believed() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.say(TOKEN * 10)
    debate.at(1).say(TOKEN * 10)
    debate.break_off()
    debate.at(3).state("connecting")
    debate.say(TOKEN)
    debate.at(4).say(TOKEN)
    debate.finish(usage=Usage(10, 22))
    assert debate.turn.tokens == TokenCount(220, is_estimated=True)
    assert debate.turn.mean_rate == pytest.approx(110)


def test_text_that_was_dropped_took_its_time_and_was_counted_for_it() -> None:
    debate = MeasuredDebate()
    debate.begin()
    debate.say()
    debate.at(1).say()
    debate.break_off()
    debate.state("connecting")
    debate.append(ev.TurnSuperseded(turn=1, debater="a", attempt=2))
    debate.offsets = [0, 0]
    debate.say("y" * 42)
    debate.at(2).say("y" * 42)
    assert debate.turn.tokens == TokenCount(20, is_estimated=True)
    assert debate.turn.mean_rate == pytest.approx(20)
    debate.finish(usage=Usage(10, 44))
    assert debate.turn.tokens == TokenCount(44)
    assert debate.turn.mean_rate == pytest.approx(22)


def test_who_is_no_debater_is_not_measured() -> None:
    debate = MeasuredDebate()
    debate.statistics.record_connection("j1", Connected(StreamOrigin.START, "HTTP/1.1"))
    assert [stream.info.id for stream in debate.statistics.report().streams] == ["a", "b"]


@given(st.lists(st.one_of(st.floats(-1e10, 1e10), st.floats(-1e300, 1e300)), min_size=6, max_size=12))
def test_whatever_a_record_says_of_when_it_was_there_are_figures(times: list[float]) -> None:
    statistics = Statistics(clock=lambda: 0.0)
    broken = ev.StreamStatus(debater="a", state="reconnecting", attempt=1, error=RESET)
    log: list[ev.Event] = [
        ev.DebateStarted(debate="d", topic="t", format="f", debaters=CAST),
        ev.TurnStarted(turn=1, debater="a", phase="p"),
        *(ev.TurnDelta(turn=1, debater="a", attempt=1, offset=n, text="x") for n in range(len(times) - 4)),
        broken,
        ev.TurnFinished(turn=1, debater="a", reason="complete"),
    ]
    for seq, (event, at) in enumerate(zip(log, times, strict=True), 1):
        statistics(replace(event, seq=seq, at=at))
        assert statistics.report().streams
        assert format_table(statistics.report())
    assert statistics.report().streams[0].tokens.count == round((len(times) - 4) / 4.2)
    assert format_table(statistics.report())


def test_the_debaters_of_a_blind_debate_have_their_names_once_revealed() -> None:
    statistics = Statistics()
    masked = tuple(ev.DebaterInfo(each.id, "A", "", "", "") for each in CAST)
    statistics(ev.DebateStarted(debate="d", topic="t", format="f", debaters=masked, blind=True))
    assert {stream.info.name for stream in statistics.report().streams} == {"A"}
    statistics(ev.DebatersRevealed(debaters=tuple(CAST)))
    assert [stream.info for stream in statistics.report().streams] == [*CAST]
