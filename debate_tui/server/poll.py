"""How viewers and judges see a debate, counted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from debate_tui.domain.events import Verdict, Vote

if TYPE_CHECKING:
    from debate_tui.domain.events import Event


class Poll:
    """A fold over the votes and verdicts of a debate; everybody's last vote of each kind counts."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self._votes: dict[tuple[str, str], str | None] = {}

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case Vote():
                self._votes[event.when, event.voter] = event.debater
            case Verdict():
                self.verdicts.append(event)

    def has_voted(self, when: str, voter: str) -> bool:
        """Whether somebody has voted before, or after, the debate."""
        return (when, voter) in self._votes

    @property
    def votes(self) -> int:
        """How many votes count."""
        return len(self._votes)

    def counts(self) -> dict[str, dict[str, int]]:
        """The votes before and after, by the debater they are for; empty for the undecided."""
        counted = {"before": Counter[str](), "after": Counter[str]()}
        for (when, _), debater in self._votes.items():
            counted[when][debater or ""] += 1
        return {when: dict(counter) for when, counter in counted.items()}
