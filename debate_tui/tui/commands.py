"""The commands that keys send to a running debate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

FaultDecision = Literal["fix", "replace", "remove", "end"]
"""How to continue when a debater's fault has paused the debate.

``fix`` retries with the same source and ``replace`` with the one chosen in the meantime; ``remove`` continues
without the debater; ``end`` ends the debate.
"""

SourceSwap = Callable[[str, str], Awaitable[None]]
"""Switches a debater, given its id, to the source the user typed, from its next connection on.

Raises `DebateError` if the source is not valid or has no API key.
"""


class Commands(Protocol):
    """The moderator's interface to a running debate; every method returns immediately.

    The effects of a command appear in the debate log like everything else. `debater` is an id, or `None` for
    all debaters. A recorded debate has no commands.
    """

    def pause(self, debater: str | None) -> None:
        """Pause reading from one debater, or from all."""
        ...

    def resume(self, debater: str | None) -> None:
        """Resume reading."""
        ...

    def stop(self, debater: str) -> None:
        """End the debater's current turn where it is."""
        ...

    def retry(self, debater: str) -> None:
        """Retry the debater's last turn."""
        ...

    def interject(self, text: str, to: str | None) -> None:
        """Add a message to the next prompt of one debater, or of all."""
        ...

    def vote(self, when: Literal["before", "after"], debater: str | None) -> None:
        """Record the viewer's vote before or after the debate; a `debater` of `None` means undecided."""
        ...

    def add_round(self) -> None:
        """Add one round to the current phase."""
        ...

    def skip_phase(self) -> None:
        """End the current phase early."""
        ...

    def set_words(self, words: int) -> None:
        """Set the number of words requested for every turn from the next round on."""
        ...

    def decide(self, debater: str, choice: FaultDecision) -> None:
        """Choose how to continue after a debater's fault that paused the debate."""
        ...

    def end(self) -> None:
        """End the debate."""
        ...
