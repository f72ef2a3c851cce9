"""What a debate came to, ready to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui.domain.events import CriterionScore, DebaterInfo, DebateStarted, Event, Verdict, Vote
from debate_tui.domain.judging.summary import (
    OutcomeSummary,
    Score,
    VoteSummary,
    describe_outcome,
    outcome_label,
    summarise_outcome,
)
from debate_tui.domain.transcript import Transcript
from tests.sample_debates import numbered_events

if TYPE_CHECKING:
    from debate_tui.domain.debate import OutcomeKind

CAST = (DebaterInfo("a", "Ada", "For", "x", "x"), DebaterInfo("b", "Ben", "Against", "x", "x"))


def summarise(*events: Event) -> OutcomeSummary | None:
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=CAST)
    return summarise_outcome(Transcript(numbered_events(opened, *events)))


def verdict(winner: str | None, **more: object) -> Verdict:
    facts = {
        "judge": "openai:x",
        "model": "x",
        "agreed": True,
        "controlled": True,
        "scores": {"a": 8.0, "b": 6.0},
        **more,
    }
    return Verdict(winner=winner, **facts)


NONE = verdict(None, agreed=False, controlled=False, scores={}, problem="its answer could not be read")


def summary_of(*events: Event) -> OutcomeSummary:
    found = summarise(*events)
    assert found is not None
    return found


def test_before_anybody_decided_or_voted_there_is_none():
    assert summarise() is None


def test_judges_who_agree_decide():
    found = summary_of(verdict("a"), verdict("a", scores={"a": 9.0, "b": 4.0}))

    assert found.headline == "Ada wins (2 of 2 judges)"
    assert found.scores == (Score("a", "Ada", "For", 8.5, True), Score("b", "Ben", "Against", 5.0, False))


def test_own_vote_decides_if_no_judge_gave_a_verdict():
    own = Vote(when="after", voter="user", debater="b")

    assert summary_of(NONE, own).headline == "The vote goes to Against"
    assert summary_of(NONE, verdict("a"), own).headline == "Ada wins (1 of 1 judges). 1 judge gave no verdict"
    assert summary_of(NONE).headline == "No judge gave a verdict"


def test_what_must_be_known_of_a_decision_is_said():
    found = summary_of(verdict(None, agreed=False), verdict("b", controlled=False), NONE)

    assert [ruling.decision for ruling in found.verdicts] == [
        "tie, reading orders disagreed",
        "Ben, one reading order",
        "no verdict (its answer could not be read)",
    ]
    assert [ruling.failed for ruling in found.verdicts] == [False, False, True]
    assert found.headline == "Ben wins (1 of 2 judges). 1 judge gave no verdict"


def test_a_panel_that_is_divided_and_one_that_is_silent_say_so():
    assert summary_of(verdict("a"), verdict("b")).headline == "Tie (2 judges)"
    assert summary_of(verdict(None)).headline == "Tie (1 judge)"
    assert summary_of(NONE).headline == "No judge gave a verdict"
    assert summary_of(NONE).scores == ()


def test_quotes_say_whether_they_were_found_and_are_harmless():
    marks = (
        CriterionScore("reasons", "a", 9, "streets\x1b[2J\nare", True),
        CriterionScore("reasons", "b", 3, "invented", False),
    )
    (ruling,) = summary_of(verdict("a", marks=marks, why="Because.\n\n\x07So.")).verdicts

    assert [(quote.name, quote.text, quote.found) for quote in ruling.quotes] == [
        ("Ada", "streets are", True),
        ("Ben", "invented", False),
    ]
    assert ruling.reasons == ("Because.", "So.")


def test_opinion_moves_by_those_who_said_both_times_where_they_stood():
    found = summary_of(
        verdict("a", stance_before=40, stance_after=70),
        verdict("a", stance_before=None, stance_after=10),
    )

    assert found.swing is not None
    assert (found.swing.before, found.swing.after, found.swing.judges) == (40, 70, 1)


def test_points_of_a_ranking_fill_the_bar_of_the_best():
    points = {"a": 2.0, "b": 4.0}
    found = summary_of(
        verdict("b", judge="the debaters", model="", scores=points, why="Points of 2 ballots.")
    )

    (ruling,) = found.verdicts
    assert (ruling.by_debaters, ruling.max_score, ruling.decision) == (True, 4.0, "Ben")
    assert (found.headline, found.scores) == ("", ())


def test_the_users_vote_stands_beside_those_of_an_audience():
    def vote(when: str, voter: str, debater: str | None) -> Vote:
        return Vote(when=when, voter=voter, debater=debater)

    found = summary_of(
        vote("before", "user", "a"),
        vote("before", "user", None),
        vote("before", "v1", "b"),
        vote("before", "v2", None),
        vote("after", "v1", "a"),
        vote("after", "v2", "a"),
        vote("after", "user", "b"),
    )

    assert found.votes == (
        VoteSummary(False, (("undecided", 1),), (("Against", 1),), "moved from undecided to Against"),
        VoteSummary(
            True, (("Against", 1), ("undecided", 1)), (("For", 2),), "For +2, Against −1, undecided −1"
        ),
    )


@pytest.mark.parametrize(
    ("outcome", "before", "after", "headline"),
    [
        ("swing", "For", "Against", "Against wins: the vote moved from For to Against"),
        ("swing", "", "For", "For wins: the vote moved from undecided to For"),
        ("swing", "For", "For", "No winner: the vote stayed with For"),
        ("swing", "For", "", "No winner: the vote moved from For to undecided"),
        ("swing", "", "", "No winner: the vote stayed undecided"),
        ("swing", None, "For", "The vote goes to For"),
        ("panel", "Against", "For", "The vote goes to For"),
        ("panel", None, "", "The vote is undecided"),
    ],
)
def test_without_judges_the_users_vote_decides(
    outcome: OutcomeKind, before: str | None, after: str, headline: str
) -> None:
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=CAST, outcome=outcome)
    votes = [
        Vote(when=when, voter="user", debater=None, side=side)
        for when, side in (("before", before), ("after", after))
        if side is not None
    ]
    found = summarise_outcome(Transcript(numbered_events(opened, *votes)))
    assert found is not None
    assert found.headline == headline


def test_judges_decide_before_the_user() -> None:
    found = summary_of(verdict("a"), Vote(when="after", voter="user", debater="b"))
    assert found.headline == "Ada wins (1 of 1 judges)"


def test_without_sides_votes_are_for_debaters() -> None:
    cast = tuple(msgspec.structs.replace(info, side="") for info in CAST)
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=cast)
    vote = Vote(when="after", voter="user", debater="b")
    found = summarise_outcome(Transcript(numbered_events(opened, vote)))
    assert found is not None
    assert found.votes == (VoteSummary(False, (), (("Ben", 1),)),)
    assert found.headline == "The vote goes to Ben"


@pytest.mark.parametrize(
    ("after", "headline"),
    [
        (90, "For wins: opinion moved 70 points. Best speaker: Ben (1 of 1 judges)"),
        (19, "Against wins: opinion moved 1 point. Best speaker: Ben (1 of 1 judges)"),
        (20, "No winner: opinion did not move. Best speaker: Ben (1 of 1 judges)"),
        (None, "Ben wins (1 of 1 judges)"),
    ],
)
def test_where_the_larger_swing_wins_it_does_whoever_spoke_best(after: int | None, headline: str):
    opened = DebateStarted(debate="d", topic="t", format="oxford", debaters=CAST, outcome="swing")
    decided = verdict("b", stance_before=20, stance_after=after)
    found = summarise_outcome(Transcript(numbered_events(opened, decided)))

    assert found is not None
    assert found.headline == headline


def test_judges_may_be_divided_about_who_spoke_best():
    opened = DebateStarted(debate="d", topic="t", format="oxford", debaters=CAST, outcome="swing")
    tied = verdict(None, stance_before=20, stance_after=30)
    found = summarise_outcome(Transcript(numbered_events(opened, tied)))

    assert found is not None
    assert found.headline == "For wins: opinion moved 10 points. Best speaker: tie (1 judge)"


def test_a_swing_counts_even_if_no_judge_named_a_winner():
    opened = DebateStarted(debate="d", topic="t", format="oxford", debaters=CAST, outcome="swing")
    failed = msgspec.structs.replace(NONE, stance_before=60, stance_after=40)
    found = summarise_outcome(Transcript(numbered_events(opened, failed)))

    assert found is not None
    assert found.headline == "Against wins: opinion moved 20 points"


# What a debate came to, in words.


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ([NONE], "No judge gave a verdict."),
        ([NONE, NONE], "No judge gave a verdict."),
        ([verdict("a"), verdict("b"), verdict(None)], "Tie (3 judges)."),
        ([verdict("a"), verdict("a"), verdict("b")], "Ada wins (2 of 3 judges)."),
        ([verdict("a"), NONE], "Ada wins (1 of 1 judges). 1 judge gave no verdict."),
    ],
)
def test_what_the_judges_came_to_is_said_as_the_screen_says_it(verdicts: list, says: str) -> None:
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=CAST)
    transcript = Transcript(numbered_events(opened, *verdicts))
    assert list(describe_outcome(transcript))[-1] == says


@pytest.mark.parametrize(
    ("verdicts", "label"),
    [
        ((), ""),
        ((NONE,), ""),
        ((verdict("a"), verdict("b"), verdict("a"), NONE), "Ada wins"),
        ((verdict("a"), verdict("b")), "tie"),
        ((verdict("b", model=""),), "Ben wins"),
        ((verdict(None, model=""),), "agreed"),
        ((verdict(None, model="", agreed=False),), "divided"),
    ],
)
def test_a_list_says_who_won_in_a_word_or_two(verdicts: tuple[Verdict, ...], label: str):
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=CAST)
    assert outcome_label(Transcript(numbered_events(opened, *verdicts))) == label


@pytest.mark.parametrize(("after", "label"), [(70, "For wins"), (20, "Against wins"), (40, "tie")])
def test_where_opinion_decides_a_side_wins(after: int, label: str):
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=CAST, outcome="swing")
    moved = verdict("a", stance_before=40, stance_after=after)
    assert outcome_label(Transcript(numbered_events(opened, moved))) == label


def test_without_a_verdict_the_users_own_vote_counts():
    opened = DebateStarted(debate="d", topic="t", format="f", debaters=CAST)
    votes = (
        Vote(when="before", voter="user", debater="a"),
        Vote(when="after", voter="viewer-1", debater="a"),
    )
    assert outcome_label(Transcript(numbered_events(opened, *votes))) == ""
    votes = (*votes, Vote(when="after", voter="user", debater=None))
    assert outcome_label(Transcript(numbered_events(opened, *votes))) == "your vote: undecided"
