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
        self._cast: Counter[tuple[str, str]] = Counter()

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case Vote():
                key = (event.when, event.voter)
                self._votes[key] = event.debater
                self._cast[key] += 1
            case Verdict():
                self.verdicts.append(event)

    def vote_of(self, when: str, voter: str) -> tuple[str | None] | None:
        """What somebody voted for, in a tuple, as `None` is a vote too; `None` for no vote."""
        key = (when, voter)
        return (self._votes[key],) if key in self._votes else None

    def cast(self, when: str, voter: str) -> int:
        """How often somebody voted."""
        return self._cast[when, voter]

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
