"""What the keys can ask of a debate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

FaultDecision = Literal["fix", "replace", "remove", "end"]
"""How to go on with a debater whose fault holds the debate: try again as it is, or with another source that
was given meanwhile; go on without it; end."""

SourceSwap = Callable[[str, str], Awaitable[None]]
"""Lets a debater, by its id, go on through the source that was typed, from its next connection on; raises
`DebateError` for one that is none, or that has no key."""


class Commands(Protocol):
    """The moderator's side of a running debate; every method returns at once.

    What comes of a command is seen in the debate log like everything else. `debater` is an id, `None`
    where it means everybody. A recorded debate has no commands at all.
    """

    def pause(self, debater: str | None) -> None:
        """Stop reading from one debater, or from all."""
        ...

    def resume(self, debater: str | None) -> None:
        """Go on reading."""
        ...

    def stop(self, debater: str) -> None:
        """End the debater's turn where it is."""
        ...

    def retry(self, debater: str) -> None:
        """Try the debater's last turn again."""
        ...

    def interject(self, text: str, to: str | None) -> None:
        """Put something to one debater, or to all, at their next turn."""
        ...

    def vote(self, when: Literal["before", "after"], debater: str | None) -> None:
        """Note how the viewer sees the debate, before or after it; `None` is undecided."""
        ...

    def add_round(self) -> None:
        """Hold the phase under way once more than planned."""
        ...

    def skip_phase(self) -> None:
        """Break off the phase under way."""
        ...

    def set_words(self, words: int) -> None:
        """Ask for that many words in every turn from the next round on."""
        ...

    def decide(self, debater: str, choice: FaultDecision) -> None:
        """Say how to go on with a debater whose fault holds the debate."""
        ...

    def end(self) -> None:
        """End the debate."""
        ...
