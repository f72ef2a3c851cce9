"""The trace: speeds over any length of time, in memory that does not grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.statistics.trace import BINS, HEALED, LOST, Trace

moments = st.lists(st.tuples(st.floats(0, 100_000), st.integers(1, 1000)), max_size=50).map(sorted)


def test_a_steady_stream_is_level() -> None:
    trace = Trace(100.0)
    for tenth in range(100):
        trace.add(100 + tenth / 10, 5)
    curve = trace.curve(110.0, 80)
    assert curve.seconds == 1.0
    assert curve.rates[:10] == (50.0,) * 10
    assert curve.faults == (0,) * 11


def test_the_stretch_under_way_does_not_dip() -> None:
    trace = Trace(0.0)
    for tenth in range(25):
        trace.add(tenth / 10, 5)
    assert trace.curve(2.5, 80).rates == pytest.approx((50.0, 50.0, 50.0))


def test_the_worst_fault_of_a_stretch_is_its_mark() -> None:
    trace = Trace(0.0)
    trace.mark(1.0, HEALED)
    trace.mark(1.5, LOST)
    trace.mark(1.7, HEALED)
    assert trace.curve(3.0, 80).faults == (0, LOST, 0, 0)
    trace.mark(9.0, HEALED)
    assert trace.curve(9.0, 5).faults == (LOST, 0, 0, 0, HEALED)


def test_time_left_out_leaves_no_hole() -> None:
    trace = Trace(0.0)
    trace.add(0.5, 10)
    trace.skip(3600)
    trace.add(3601.5, 10)
    assert trace.curve(3602.0, 80).rates[:2] == (10.0, 10.0)


@given(moments, st.integers(1, 200))
def test_all_of_it_is_drawn_in_the_room_there_is(sizes: list[tuple[float, int]], width: int) -> None:
    trace = Trace(0.0)
    for at, size in sizes:
        trace.add(at, size)
        trace.mark(at, HEALED)
    until = sizes[-1][0] if sizes else 0.0
    curve = trace.curve(until, width)
    assert 1 <= len(curve.rates) == len(curve.faults) <= width
    assert len(trace._sizes) <= BINS
    assert trace.size == sum(size for _, size in sizes)
    drawn = sum(curve.rates) * curve.seconds
    borrowed = curve.rates[-2] * curve.seconds if len(curve.rates) > 1 else 0.0
    assert trace.size <= drawn + 1e-6 <= trace.size + borrowed + 1e-3
    assert (HEALED in curve.faults) is bool(sizes)


@given(moments, moments, st.integers(1, 200))
def test_traces_of_one_origin_have_the_same_stretches(
    one: list[tuple[float, int]], other: list[tuple[float, int]], width: int
) -> None:
    traces = (Trace(0.0), Trace(0.0))
    for trace, sizes in zip(traces, (one, other), strict=True):
        for at, size in sizes:
            trace.add(at, size)
    until = max((at for at, _ in one + other), default=0.0)
    first, second = (trace.curve(until, width) for trace in traces)
    assert (first.seconds, len(first.rates)) == (second.seconds, len(second.rates))
