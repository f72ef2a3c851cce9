"""The rate window: rates and faults of the latest seconds, in memory that does not grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.statistics.stream import BYTES_PER_TOKEN, RATE_WINDOW_SECONDS, RateWindow

moments = st.lists(st.tuples(st.floats(0, 300), st.integers(1, 1000)), max_size=50).map(sorted)


def test_a_steady_stream_is_level() -> None:
    window = RateWindow()
    for tenth in range(100):
        window.add(100 + tenth / 10, 42)
    assert [rate for rate, _ in window.latest(110.0, 10)] == pytest.approx([100.0] * 10)
    assert window.current_rate(109.95, 100.0) == pytest.approx(100, rel=0.02)


def test_the_worst_fault_of_a_second_is_its_mark() -> None:
    window = RateWindow()
    window.mark_fault(1.0, is_fatal=False)
    window.mark_fault(1.5, is_fatal=True)
    window.mark_fault(1.7, is_fatal=False)
    window.mark_fault(3.0, is_fatal=False)
    assert [fault for _, fault in window.latest(4.0, 4)] == [None, True, None, False]


@given(moments, st.integers(1, 100))
def test_all_of_the_latest_seconds_is_there(sizes: list[tuple[float, int]], seconds: int) -> None:
    window = RateWindow()
    for at, size in sizes:
        window.add(at, size)
        window.mark_fault(at, is_fatal=False)
    now = sizes[-1][0] + 1 if sizes else 0.0
    latest = window.latest(now, seconds)
    first = int(now) - min(seconds, RATE_WINDOW_SECONDS)
    assert len(latest) == min(seconds, RATE_WINDOW_SECONDS)
    assert len(window._sizes) <= RATE_WINDOW_SECONDS + 1
    expected = sum(size for at, size in sizes if at >= first)
    assert sum(rate for rate, _ in latest) * BYTES_PER_TOKEN == pytest.approx(expected)
    assert (False in [fault for _, fault in latest]) is bool(sizes)
