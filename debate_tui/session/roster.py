"""Who is in the debate; every coming and going is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.debate import MIN_DEBATERS

if TYPE_CHECKING:
    from debate_tui.domain.debate import Debater
    from debate_tui.domain.transcript import Transcript
    from debate_tui.record.log import DebateLog


class Roster:
    """The debaters still in the debate, in the order of their places."""

    def __init__(self, debaters: tuple[Debater, ...], transcript: Transcript, log: DebateLog) -> None:
        self.everybody = tuple(debater.id for debater in debaters)
        left = transcript.active or self.everybody
        self._active = tuple(debater for debater in self.everybody if debater in left)
        self._transcript = transcript
        self._log = log

    def __contains__(self, debater: object) -> bool:
        return debater in self._active

    @property
    def enough(self) -> bool:
        """Whether there are enough left to debate."""
        return len(self._active) >= MIN_DEBATERS

    def remove(self, debater: str, reason: str) -> None:
        """Go on without a debater; nothing for one who has left already."""
        if debater not in self._active:
            return
        self._active = tuple(other for other in self._active if other != debater)
        self._log.append(events.DebaterRemoved(debater=debater, reason=reason, remaining=self._active))

    def bring_back(self, debater: str) -> None:
        """Let a debater back in; nothing for one who never left."""
        if debater in self._active:
            return
        self._active = tuple(other for other in self.everybody if other == debater or other in self._active)
        info = self._transcript.debaters[debater]
        self._log.append(
            events.DebaterReturned(
                debater=debater,
                reason="user",
                remaining=self._active,
                source=info.source,
                model=info.model,
            )
        )

    def replace(self, debater: str, source: str, model: str) -> None:
        """Note that another source speaks for a debater."""
        self._log.append(
            events.DebaterReplaced(
                debater=debater, reason="user", remaining=self._active, source=source, model=model
            )
        )
