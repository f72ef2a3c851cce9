"""How those who watch a debate see it, before and after."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from debate_tui.domain.events import Vote

LOCAL_VOTER = "user"
"""The voter who sits at the debate's own screen."""


class VoteTally:
    """Votes counted by the debater they are for, `None` for the undecided.

    Everybody's last vote of each kind counts; `len` is how many do.
    """

    def __init__(self, votes: Iterable[Vote] = ()) -> None:
        self._votes: dict[str, dict[str, str | None]] = {"before": {}, "after": {}}
        for vote in votes:
            self.add(vote)

    def __len__(self) -> int:
        return sum(map(len, self._votes.values()))

    def add(self, vote: Vote) -> None:
        """Take one vote into account."""
        self._votes[vote.when][vote.voter] = vote.debater

    def has_voted(self, when: str, voter: str) -> bool:
        """Whether somebody has voted before, or after, the debate."""
        return voter in self._votes[when]

    @property
    def before(self) -> Mapping[str | None, int]:
        """The votes before the debate."""
        return Counter(self._votes["before"].values())

    @property
    def after(self) -> Mapping[str | None, int]:
        """The votes after it."""
        return Counter(self._votes["after"].values())
