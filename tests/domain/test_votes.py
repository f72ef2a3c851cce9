"""Votes counted: everybody's last one of each kind."""

from __future__ import annotations

from typing import Literal

from debate_tui.domain.events import Vote
from debate_tui.domain.judging.scoring import VoteTally


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
