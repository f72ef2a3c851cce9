"""Rows of chrome: cut and laid out by cells, whatever is written in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.sanitise import sanitise
from debate_tui.tui.widgets.rows import Piece, Row, clip, justify, pieces_width, sanitise_piece

words = st.text(alphabet="ab 我🚶é​-", max_size=30)
pieces = st.lists(words.map(Piece), max_size=4).map(tuple)


@given(pieces, st.integers(0, 40))
def test_clip_never_takes_more_than_its_width(row: tuple[Piece, ...], width: int) -> None:
    clipped = clip(row, width)
    assert pieces_width(clipped) <= width
    if pieces_width(row) <= width:
        assert clipped == row


@given(pieces, pieces, st.integers(0, 60))
def test_a_row_fills_its_width_exactly(left: tuple[Piece, ...], right: tuple[Piece, ...], width: int) -> None:
    assert pieces_width(justify(Row(left, right), width)) == width


def test_the_right_keeps_its_place_and_the_left_gives_way() -> None:
    row = Row((Piece("a long topic"),), (Piece("right"),))
    assert "".join(piece.text for piece in justify(row, 12)) == "a lo…  right"


@given(st.text(max_size=30))
def test_nothing_in_a_piece_acts_on_the_terminal(text: str) -> None:
    shown = sanitise_piece(Piece(text)).text
    assert sanitise(shown) == shown
    assert not {"\n", "\t"} & set(shown)
    if text.isprintable():
        assert shown == text
