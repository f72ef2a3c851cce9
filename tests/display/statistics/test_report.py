"""The histogram: quantiles that are nearly right, in memory that does not grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.display.statistics.report import DurationHistogram

durations = st.floats(0, 10_000)
usual_durations = st.floats(1e-5, 4000)


def histogram_of(values: list[float]) -> DurationHistogram:
    histogram = DurationHistogram()
    for value in values:
        histogram.add(value)
    return histogram


def test_nothing_has_no_quantile() -> None:
    assert DurationHistogram().quantile(0.5) is None


def test_one_value_is_every_quantile() -> None:
    histogram = histogram_of([0.123])
    assert [histogram.quantile(share) for share in (0.0, 0.5, 1.0)] == [0.123] * 3


@given(st.lists(usual_durations, min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_within_the_promised_error(values: list[float], share: float) -> None:
    found = histogram_of(values).quantile(share)
    exact = sorted(values)[max(0, min(len(values) - 1, -int(-share * len(values) // 1) - 1))]
    assert found == pytest.approx(exact, rel=0.0451)


@given(st.lists(durations, min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_are_in_order_and_within_what_was_added(
    values: list[float], one: float, other: float
) -> None:
    histogram = histogram_of(values)
    low, high = (histogram.quantile(share) for share in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert min(values) <= low <= high <= max(values)
    assert histogram.count == len(values)
