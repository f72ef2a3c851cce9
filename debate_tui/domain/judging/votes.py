"""Votes of the user and of viewers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from debate_tui.domain.events import DebaterInfo, Vote

LOCAL_VOTER = "user"
"""The voter on the debate's own screen."""


def vote_sides(debaters: Iterable[DebaterInfo]) -> tuple[str, ...]:
    """Return the sides to vote for, in order; none if the debaters do not argue for different sides."""
    sides = dict.fromkeys(debater.side for debater in debaters)
    return tuple(sides) if len(sides) > 1 and all(sides) else ()


class VoteTally:
    """Votes counted by debater's id or by side, `None` for undecided.

    Only a voter's last vote of each kind counts; `len` is the number of counted votes.
    """

    def __init__(self, votes: Iterable[Vote] = ()) -> None:
        self._votes: dict[str, dict[str, str | None]] = {"before": {}, "after": {}}
        for vote in votes:
            self.add(vote)

    def __len__(self) -> int:
        return sum(map(len, self._votes.values()))

    def add(self, vote: Vote) -> None:
        """Count one vote."""
        self._votes[vote.when][vote.voter] = vote.side or vote.debater

    def has_voted(self, when: str, voter: str) -> bool:
        """Return whether a voter has voted ``before`` or ``after`` the debate."""
        return voter in self._votes[when]

    @property
    def before(self) -> Mapping[str | None, int]:
        """The votes before the debate."""
        return Counter(self._votes["before"].values())

    @property
    def after(self) -> Mapping[str | None, int]:
        """The votes after the debate."""
        return Counter(self._votes["after"].values())
