from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.server.encoding import MAX_SPAN_EVENTS, EventCursor, epoch_from_event, parse_cursor
from tests.record.material import debate_started

numbers = st.integers(0, 10**9)


@given(numbers)
def test_a_place_reads_back(seq: int) -> None:
    place = EventCursor("k3f9", seq)
    assert str(place) == f"k3f9:{seq}"
    assert parse_cursor(str(place)) == place
    assert place.contiguous_seq == seq


@given(numbers, st.integers(2, MAX_SPAN_EVENTS), st.data())
def test_a_place_within_a_run_reads_back(first: int, length: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(first + 1, first + length - 1))
    place = EventCursor("k3f9", seq, (first, first + length))
    assert parse_cursor(str(place)) == place
    assert place.contiguous_seq == first


@pytest.mark.parametrize(
    "text",
    ["", "7", "k3f9", "k3f9:", ":7", "k3f9:-1", "K3F9:7", "k3f9:7\n", "k3f9.3-9:9", "k3f9.3-9:3",
     "k3f9.9-3:5", f"k3f9.1-{MAX_SPAN_EVENTS + 2}:5", "k3f9:" + "9" * 40, "k3f9:٣"],
)  # fmt: skip
def test_invalid_cursors_are_rejected(text: str) -> None:
    assert parse_cursor(text) is None


def test_an_epoch_is_the_name_of_a_beginning() -> None:
    one, other = debate_started("d1"), debate_started("d2")
    assert epoch_from_event(one) == epoch_from_event(debate_started("d1"))
    assert epoch_from_event(one) != epoch_from_event(other)
    assert parse_cursor(f"{epoch_from_event(one)}:1") is not None
