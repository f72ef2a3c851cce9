"""What judges say, counted, and whether debaters agree and how they rank each other."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.events import DebaterInfo, Verdict, Vote
from debate_tui.domain.judging.reply import JudgeReading, parse_judge_reply
from debate_tui.domain.judging.scoring import (
    JudgeOpinion,
    PanelDecision,
    RankingScore,
    StatedAnswer,
    combine_readings,
    count_borda,
    decide_panel,
    find_agreement,
    measure_swing,
    parse_answer,
    parse_ranking,
    resolve_letters,
)
from debate_tui.domain.judging.votes import VoteTally, vote_sides
from tests.domain.judging.sample_readings import FORWARD, reply


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


def test_votes_for_sides_are_counted_by_side() -> None:
    poll = VoteTally([Vote(when="after", voter="v1", debater=None, side="For"), vote("after", "v2", None)])
    assert poll.after == {"For": 1, None: 1}


@pytest.mark.parametrize(
    ("sides", "to_vote_for"),
    [
        (("For", "Against"), ("For", "Against")),
        (("For", "Against", "For", "Against"), ("For", "Against")),
        (("For", "For"), ()),
        (("For", ""), ()),
        (("", ""), ()),
    ],
)
def test_sides_can_be_voted_for_if_there_are_several(
    sides: tuple[str, ...], to_vote_for: tuple[str, ...]
) -> None:
    debaters = [DebaterInfo(f"d{place}", "", side, "", "") for place, side in enumerate(sides)]
    assert vote_sides(debaters) == to_vote_for


def test_before_anybody_votes_there_is_nothing() -> None:
    assert (VoteTally().before, VoteTally().after, len(VoteTally())) == ({}, {}, 0)


def reading(winner: str | None, ada: int = 6, bo: int = 6, stance: int | None = 50) -> JudgeReading:
    found = parse_judge_reply(
        reply("A" if winner == "ada" else "B" if winner else "tie", a=ada, b=bo), FORWARD
    )
    assert found is not None
    return msgspec.structs.replace(found, stance=stance)


def test_two_orders_that_agree_decide() -> None:
    found = combine_readings([reading("ada", 8, 4, 60), reading("ada", 6, 6, 70)], 2)
    assert found == JudgeOpinion(
        "ada", agreed=True, controlled=True, scores={"ada": 7.0, "bo": 5.0}, stance=65
    )


def test_two_orders_that_disagree_are_a_tie() -> None:
    found = combine_readings([reading("ada"), reading("bo")], 2)
    assert found is not None
    assert (found.winner, found.agreed) == (None, False)


def test_one_order_decides_but_is_not_controlled() -> None:
    found = combine_readings([reading("bo")], 1)
    assert found is not None
    assert (found.winner, found.controlled) == ("bo", False)


def test_without_both_readings_there_is_no_opinion() -> None:
    assert combine_readings([reading("ada"), None], 2) is None
    assert combine_readings([reading("ada")], 2) is None
    assert combine_readings([], 1) is None


def verdict(winner: str | None, ada: float = 6.0, **more: object) -> Verdict:
    facts = {"agreed": True, "controlled": True, "scores": {"ada": ada, "bo": 6.0}, **more}
    return Verdict(judge="j", model="m", winner=winner, **facts)


SILENT = verdict(None, scores={}, problem="its answer could not be read")


def test_a_panel_counts_k_of_n_and_how_many_were_silent() -> None:
    found = decide_panel([verdict("ada", 8.0), verdict("ada", 6.0), verdict("bo", 4.0), SILENT])
    assert found == PanelDecision("ada", 2, 3, 1, {"ada": 6.0, "bo": 6.0})


def test_a_tied_judge_counts_and_votes_for_no_one() -> None:
    found = decide_panel([verdict("ada"), verdict(None)])
    assert (found.winner, found.votes, found.judges) == ("ada", 1, 2)


@pytest.mark.parametrize("verdicts", [[], [SILENT], [verdict(None)], [verdict("ada"), verdict("bo")]])
def test_a_panel_that_is_divided_or_silent_is_a_tie(verdicts: list[Verdict]) -> None:
    found = decide_panel(verdicts)
    assert (found.winner, found.votes) == (None, 0)


def stances(*pairs: tuple[int | None, int | None]) -> list[Verdict]:
    return [verdict(None, stance_before=before, stance_after=after) for before, after in pairs]


def test_a_swing_counts_the_judges_who_gave_their_stance_both_times() -> None:
    found = measure_swing(stances((40, 60), (50, 55), (None, 90), (3, None)))
    assert found is not None
    assert (found.before, found.after, found.judges, found.shift, found.winner) == (45, 57.5, 2, 12.5, 1)
    assert measure_swing(stances((None, 3))) is None


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1))
def test_turning_all_stances_round_turns_the_swing_round(pairs: list[tuple[int, int]]) -> None:
    there, back = (measure_swing(stances(*each)) for each in (pairs, [(b, a) for a, b in pairs]))
    assert there is not None
    assert back is not None
    assert there.winner == -back.winner
    assert there.shift == pytest.approx(-back.shift)
