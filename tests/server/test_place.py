from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.server.place import LONGEST_RUN, Place, epoch_of, parse
from tests.record.material import started

numbers = st.integers(0, 10**9)


@given(numbers)
def test_a_place_reads_back(seq: int) -> None:
    place = Place("k3f9", seq)
    assert str(place) == f"k3f9:{seq}"
    assert parse(str(place)) == place
    assert place.base == seq


@given(numbers, st.integers(2, LONGEST_RUN), st.data())
def test_a_place_within_a_run_reads_back(first: int, length: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(first + 1, first + length - 1))
    place = Place("k3f9", seq, (first, first + length))
    assert parse(str(place)) == place
    assert place.base == first


@pytest.mark.parametrize(
    "text",
    ["", "7", "k3f9", "k3f9:", ":7", "k3f9:-1", "K3F9:7", "k3f9:7\n", "k3f9.3-9:9", "k3f9.3-9:3",
     "k3f9.9-3:5", f"k3f9.1-{LONGEST_RUN + 2}:5", "k3f9:" + "9" * 40, "k3f9:٣"],
)  # fmt: skip
def test_what_is_no_place(text: str) -> None:
    assert parse(text) is None


def test_an_epoch_is_the_name_of_a_beginning() -> None:
    one, other = started("d1"), started("d2")
    assert epoch_of(one) == epoch_of(started("d1"))
    assert epoch_of(one) != epoch_of(other)
    assert parse(f"{epoch_of(one)}:1") is not None
