"""The trace: speeds over any length of time, in memory that does not grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.statistics.stream import FAULT_FATAL, FAULT_RECOVERED, MAX_BINS, RateHistory

moments = st.lists(st.tuples(st.floats(0, 100_000), st.integers(1, 1000)), max_size=50).map(sorted)


def test_a_steady_stream_is_level() -> None:
    trace = RateHistory(100.0)
    for tenth in range(100):
        trace.add(100 + tenth / 10, 5)
    curve = trace.rate_curve(110.0, 80)
    assert curve.bin_seconds == 1.0
    assert curve.rates[:10] == (50.0,) * 10
    assert curve.faults == (0,) * 11


def test_the_stretch_under_way_does_not_dip() -> None:
    trace = RateHistory(0.0)
    for tenth in range(25):
        trace.add(tenth / 10, 5)
    assert trace.rate_curve(2.5, 80).rates == pytest.approx((50.0, 50.0, 50.0))


def test_the_worst_fault_of_a_stretch_is_its_mark() -> None:
    trace = RateHistory(0.0)
    trace.mark_fault(1.0, FAULT_RECOVERED)
    trace.mark_fault(1.5, FAULT_FATAL)
    trace.mark_fault(1.7, FAULT_RECOVERED)
    assert trace.rate_curve(3.0, 80).faults == (0, FAULT_FATAL, 0, 0)
    trace.mark_fault(9.0, FAULT_RECOVERED)
    assert trace.rate_curve(9.0, 5).faults == (FAULT_FATAL, 0, 0, 0, FAULT_RECOVERED)


def test_time_left_out_leaves_no_hole() -> None:
    trace = RateHistory(0.0)
    trace.add(0.5, 10)
    trace.exclude_time(3600)
    trace.add(3601.5, 10)
    assert trace.rate_curve(3602.0, 80).rates[:2] == (10.0, 10.0)


@given(moments, st.integers(1, 200))
def test_all_of_it_is_drawn_in_the_room_there_is(sizes: list[tuple[float, int]], width: int) -> None:
    trace = RateHistory(0.0)
    for at, size in sizes:
        trace.add(at, size)
        trace.mark_fault(at, FAULT_RECOVERED)
    until = sizes[-1][0] if sizes else 0.0
    curve = trace.rate_curve(until, width)
    assert 1 <= len(curve.rates) == len(curve.faults) <= width
    assert len(trace._sizes) <= MAX_BINS
    assert trace.total_size == sum(size for _, size in sizes)
    drawn = sum(curve.rates) * curve.bin_seconds
    borrowed = curve.rates[-2] * curve.bin_seconds if len(curve.rates) > 1 else 0.0
    assert trace.total_size <= drawn + 1e-6 <= trace.total_size + borrowed + 1e-3
    assert (FAULT_RECOVERED in curve.faults) is bool(sizes)


@given(moments, moments, st.integers(1, 200))
def test_traces_of_one_origin_have_the_same_stretches(
    one: list[tuple[float, int]], other: list[tuple[float, int]], width: int
) -> None:
    traces = (RateHistory(0.0), RateHistory(0.0))
    for trace, sizes in zip(traces, (one, other), strict=True):
        for at, size in sizes:
            trace.add(at, size)
    until = max((at for at, _ in one + other), default=0.0)
    first, second = (trace.rate_curve(until, width) for trace in traces)
    assert (first.bin_seconds, len(first.rates)) == (second.bin_seconds, len(second.rates))
