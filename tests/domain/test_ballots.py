"""Whether debaters agree, and how they rank each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.ballots import Stand, Standing, agreement, borda, ranking, stand, translated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Because.\n\nANSWER: yes\nCONFIDENCE: 80", Stand("yes", 80)),
        ("**ANSWER:** Yes, with limits.\n**CONFIDENCE:** 80%", Stand("Yes, with limits.", 80)),
        ("`ANSWER: 42`\n`CONFIDENCE: 7`", Stand("42", 7)),
        ("- Answer: no\n- Confidence: high", Stand("no", None)),
        ("ANSWER: first\nANSWER: second\nCONFIDENCE: 900", Stand("second", 100)),
        ("ANSWER：是", Stand("是", None)),
        ("The answer: none of this counts in a sentence", None),
        ("ANSWER:\nCONFIDENCE: 3", None),
        ("ANSWER: yes\r\n\r\n  CONFIDENCE : 7\r\n", Stand("yes", 7)),
        pytest.param("ANSWER: yes\nCONFIDENCE: " + "9" * 5000, Stand("yes", 100), id="endless"),
        pytest.param("\n" * 300_000 + "**" * 300_000 + "ANSWER: yes", Stand("yes", None), id="marks"),
        ("", None),
    ],
)
def test_a_stand_is_read_from_the_last_lines(text: str, expected: Stand | None) -> None:
    assert stand(text) == expected


def test_agreement_overlooks_case_articles_and_points_only() -> None:
    assert agreement(["ANSWER: The sea.", "**Answer:** sea"]) == "The sea."
    assert agreement(["ANSWER: sea", "ANSWER: no sea"]) is None
    assert agreement(["ANSWER: sea", "I do not know"]) is None
    assert agreement([]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A is best.\nRANKING: B > A > C", ("B", "A", "C")),
        ("**RANKING:** `C, B, A`", ("C", "B", "A")),
        ("RANKING: B > A", None),
        ("RANKING: B > A > A > C", None),
        ("RANKING: B > A > D", None),
        ("B > A > C", None),
    ],
)
def test_a_ranking_names_every_letter_once(text: str, expected: tuple[str, ...] | None) -> None:
    assert ranking(text, ("A", "B", "C")) == expected


def test_points_go_by_place_and_ties_by_first_places() -> None:
    ballots = [("ada", "bo", "cleo"), ("bo", "ada", "cleo"), ("ada", "cleo", "bo")]
    assert borda(ballots, ("ada", "bo", "cleo")) == (
        Standing("ada", 5, 2),
        Standing("bo", 3, 1),
        Standing("cleo", 1, 0),
    )
    assert [s.candidate for s in borda([], ("b", "a"))] == ["a", "b"]
    even = borda([("a", "b", "c"), ("b", "c", "a"), ("c", "b", "a")], ("a", "b", "c"))
    assert [(s.candidate, s.points) for s in even] == [("b", 4), ("c", 3), ("a", 2)]


@given(st.lists(st.permutations("ABCD"), max_size=6))
def test_every_ballot_gives_the_same_points_in_all(ballots: list[list[str]]) -> None:
    standings = borda(ballots, "ABCD")
    assert sum(s.points for s in standings) == len(ballots) * 6
    assert sum(s.firsts for s in standings) == len(ballots)
    assert [s.points for s in standings] == sorted((s.points for s in standings), reverse=True)


def test_letters_are_turned_back_into_debaters() -> None:
    assert translated(("B", "A"), {"A": "bo", "B": "ada"}) == ("ada", "bo")
