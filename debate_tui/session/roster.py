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
        self.all_ids = tuple(debater.id for debater in debaters)
        remaining = transcript.active_debaters or self.all_ids
        self._active_ids = tuple(debater for debater in self.all_ids if debater in remaining)
        self._transcript = transcript
        self._log = log

    def __contains__(self, debater: object) -> bool:
        return debater in self._active_ids

    @property
    def has_enough_debaters(self) -> bool:
        """Whether there are enough left to debate."""
        return len(self._active_ids) >= MIN_DEBATERS

    def remove(self, debater: str, reason: str) -> None:
        """Go on without a debater; nothing for one who has left already."""
        if debater not in self._active_ids:
            return
        self._active_ids = tuple(other for other in self._active_ids if other != debater)
        self._log.append(events.DebaterRemoved(debater=debater, reason=reason, remaining=self._active_ids))

    def reinstate(self, debater: str) -> None:
        """Let a debater back in; nothing for one who never left."""
        if debater in self._active_ids:
            return
        self._active_ids = tuple(
            other for other in self.all_ids if other == debater or other in self._active_ids
        )
        info = self._transcript.debaters[debater]
        self._log.append(
            events.DebaterReturned(
                debater=debater,
                reason="user",
                remaining=self._active_ids,
                source=info.source,
                model=info.model,
            )
        )

    def log_replacement(self, debater: str, source: str, model: str) -> None:
        """Note that another source speaks for a debater."""
        self._log.append(
            events.DebaterReplaced(
                debater=debater, reason="user", remaining=self._active_ids, source=source, model=model
            )
        )
