"""The meter line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from debate_tui.tui.widgets.meter import Reading, meter

FULL = Reading(ttft_ms=640, tokens=1234, rate=61.7, cost=0.0123, finished=True)


def test_everything_is_told_where_there_is_room() -> None:
    assert meter(FULL, 80) == "0.6s to first token · 1,234 tokens · 62 tokens/s · $0.0123"


def test_short_forms_come_before_anything_is_left_out() -> None:
    assert meter(FULL, 40) == "0.6s · 1,234 tok · 62/s · $0.0123"
    assert meter(FULL, 20) == "62/s · $0.0123"


def test_estimates_are_marked_and_an_unknown_price_is_not_guessed() -> None:
    assert meter(Reading(tokens=100, estimated=True), 40) == "~100 tokens"
    assert meter(Reading(tokens=100, finished=True), 40) == "100 tokens · $–"
    assert meter(Reading(tokens=100, cost=0.0, finished=True), 40) == "100 tokens · $0"


def test_nothing_is_said_before_there_is_anything_to_say() -> None:
    assert meter(Reading(), 40) == ""


@given(
    st.builds(
        Reading,
        ttft_ms=st.none() | st.integers(0, 10**7),
        tokens=st.none() | st.integers(0, 10**7),
        estimated=st.booleans(),
        rate=st.none() | st.floats(0, 10**6),
        words=st.integers(0, 10**4),
        words_asked=st.integers(0, 10**4),
        cost=st.none() | st.floats(0, 10**4),
        priced=st.booleans(),
        finished=st.booleans(),
    ),
    st.integers(0, 120),
)
def test_it_always_fits(reading: Reading, width: int) -> None:
    assert cell_len(meter(reading, width)) <= width


def test_words_are_told_against_the_number_asked_for() -> None:
    speaking = Reading(
        words=124, words_asked=200, ttft_ms=640, tokens=170, estimated=True, rate=31, cost=0.02
    )
    assert meter(speaking, 90) == (
        "0.6s to first token · 124/200 words · ~170 tokens · 31 tokens/s · $0.0200"
    )
    assert meter(speaking, 40) == "124/200 w · ~170 tok · 31/s · $0.0200"
    assert meter(Reading(words=124, tokens=170), 40) == "170 tokens"


def test_a_sum_that_lacks_something_says_so() -> None:
    assert meter(Reading(tokens=1, cost=0.5, priced=False), 40) == "1 tokens · $0.50+"
