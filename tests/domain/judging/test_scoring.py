"""Whether debaters agree, and how they rank each other."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import Vote
from debate_tui.domain.judging.scoring import (
    RankingScore,
    StatedAnswer,
    VoteTally,
    count_borda,
    find_agreement,
    parse_answer,
    parse_ranking,
    resolve_letters,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Because.\n\nANSWER: yes\nCONFIDENCE: 80", StatedAnswer("yes", 80)),
        ("**ANSWER:** Yes, with limits.\n**CONFIDENCE:** 80%", StatedAnswer("Yes, with limits.", 80)),
        ("`ANSWER: 42`\n`CONFIDENCE: 7`", StatedAnswer("42", 7)),
        ("- Answer: no\n- Confidence: high", StatedAnswer("no", None)),
        ("ANSWER: first\nANSWER: second\nCONFIDENCE: 900", StatedAnswer("second", 100)),
        ("ANSWER：是", StatedAnswer("是", None)),
        ("The answer: none of this counts in a sentence", None),
        ("ANSWER:\nCONFIDENCE: 3", None),
        ("ANSWER: yes\r\n\r\n  CONFIDENCE : 7\r\n", StatedAnswer("yes", 7)),
        pytest.param("ANSWER: yes\nCONFIDENCE: " + "9" * 5000, StatedAnswer("yes", 100), id="endless"),
        pytest.param("\n" * 300_000 + "**" * 300_000 + "ANSWER: yes", StatedAnswer("yes", None), id="marks"),
        ("", None),
    ],
)
def test_a_stand_is_read_from_the_last_lines(text: str, expected: StatedAnswer | None) -> None:
    assert parse_answer(text) == expected


def test_agreement_overlooks_case_articles_and_points_only() -> None:
    assert find_agreement(["ANSWER: The sea.", "**Answer:** sea"]) == "The sea."
    assert find_agreement(["ANSWER: sea", "ANSWER: no sea"]) is None
    assert find_agreement(["ANSWER: sea", "I do not know"]) is None
    assert find_agreement([]) is None


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
    assert parse_ranking(text, ("A", "B", "C")) == expected


def test_points_go_by_place_and_ties_by_first_places() -> None:
    ballots = [("ada", "bo", "cleo"), ("bo", "ada", "cleo"), ("ada", "cleo", "bo")]
    assert count_borda(ballots, ("ada", "bo", "cleo")) == (
        RankingScore("ada", 5, 2),
        RankingScore("bo", 3, 1),
        RankingScore("cleo", 1, 0),
    )
    assert [s.candidate for s in count_borda([], ("b", "a"))] == ["a", "b"]
    even = count_borda([("a", "b", "c"), ("b", "c", "a"), ("c", "b", "a")], ("a", "b", "c"))
    assert [(s.candidate, s.points) for s in even] == [("b", 4), ("c", 3), ("a", 2)]


@given(st.lists(st.permutations("ABCD"), max_size=6))
def test_every_ballot_gives_the_same_points_in_all(ballots: list[list[str]]) -> None:
    standings = count_borda(ballots, "ABCD")
    assert sum(s.points for s in standings) == len(ballots) * 6
    assert sum(s.firsts for s in standings) == len(ballots)
    assert [s.points for s in standings] == sorted((s.points for s in standings), reverse=True)


def test_letters_are_turned_back_into_debaters() -> None:
    assert resolve_letters(("B", "A"), {"A": "bo", "B": "ada"}) == ("ada", "bo")


# Votes counted: everybody's last one of each kind.


def vote(when: Literal["before", "after"], voter: str, debater: str | None) -> Vote:
    return Vote(when=when, voter=voter, debater=debater)


def test_the_last_vote_of_each_kind_counts() -> None:
    poll = VoteTally([vote("before", "v1", "a"), vote("before", "v2", None), vote("before", "v1", "b")])
    poll.add(vote("after", "v1", "a"))
    assert (poll.before, poll.after) == ({"b": 1, None: 1}, {"a": 1})
    assert len(poll) == 3


def test_who_has_voted_is_known() -> None:
    poll = VoteTally([vote("before", "v1", None)])
    assert poll.has_voted("before", "v1")
    assert not poll.has_voted("after", "v1")
    assert not poll.has_voted("before", "v2")


def test_before_anybody_votes_there_is_nothing() -> None:
    assert (VoteTally().before, VoteTally().after, len(VoteTally())) == ({}, {}, 0)
