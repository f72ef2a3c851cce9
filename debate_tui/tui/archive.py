"""What the history screen asks of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.summary import DebateSummary


class HistoryStore(Protocol):
    """The recorded debates; every method raises `DebateError` where the record cannot be used."""

    async def debates(self) -> Sequence[DebateSummary]:
        """All of them, newest first."""
        ...

    async def events(self, debate: str) -> Sequence[Event]:
        """Everything that is recorded of one."""
        ...

    async def delete(self, debate: str) -> None:
        """Delete one for good."""
        ...

    async def check(self, debate: str) -> None:
        """Raise `DebateError`, saying why, unless this debate can be taken up where it broke off."""
        ...


class HistorySelection(NamedTuple):
    """What to do with a debate that was chosen, and what the screen showed, to come back to."""

    debate: str
    action: Literal["replay", "continue"]
    filter_text: str
