from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.text import WordCounter


def count_pieces(*pieces: str) -> int:
    words = WordCounter()
    for piece in pieces:
        words.feed(piece)
    return words.count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("one two\nthree", 3),
        ("don't half-way 3.5", 3),
        ("- **bold** | — |", 1),
        ("我们可以走路。", 6),
        ("OK 日本 fine", 4),
        ("도시는 차를", 2),
    ],
)
def test_words_are_what_people_would_count(text: str, count: int) -> None:
    assert count_pieces(text) == count


@given(st.text(alphabet="ab -.*'我の\n", max_size=40), st.lists(st.integers(0, 40)))
def test_no_cut_changes_the_count(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]

    assert count_pieces(*pieces) == count_pieces(text)
