"""How those who watch a debate see it, before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from debate_tui.domain.events import Vote

USER = "user"
"""The voter who sits at the debate's own screen."""


class Poll(Struct, frozen=True):
    """Votes counted by the debater they are for, `None` for the undecided."""

    before: Mapping[str | None, int]
    after: Mapping[str | None, int]


def poll(votes: Iterable[Vote]) -> Poll:
    """Count everybody's last vote of each kind."""
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    for vote in votes:
        (before if vote.when == "before" else after)[vote.voter] = vote.debater
    return Poll(Counter(before.values()), Counter(after.values()))
