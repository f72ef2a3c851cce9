"""The remaining rounds, and the debaters still taking part."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from msgspec import structs

from debate_tui.domain import events
from debate_tui.domain.debate import MIN_DEBATERS, Round

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.briefs import DebateSpec
    from debate_tui.domain.debate import ParameterValue
    from debate_tui.domain.transcript import Transcript
    from debate_tui.record.log import DebateLog


class RoundQueue:
    """The rounds still to come; iterating removes them from the front and respects later changes."""

    def __init__(self, pending: Iterable[Round]) -> None:
        self._pending = deque(pending)
        self._current: Round | None = None
        self._word_limit: int | None = None

    def __iter__(self) -> Iterator[Round]:
        while self._pending:
            self._current = self._pending.popleft()
            yield self._current if self._word_limit is None else self._current.with_words(self._word_limit)

    def __bool__(self) -> bool:
        """Return whether a round is left."""
        return bool(self._pending)

    def add_round(self) -> None:
        """Add a round to the current phase."""
        if self._current is None:
            return
        last = self._current
        while self._pending and self._pending[0].phase.name == last.phase.name:
            last = self._pending.popleft()
        total = last.total + 1
        extra_rounds = [
            Round(last.phase, number, total) for number in range(self._current.number + 1, total + 1)
        ]
        self._pending.extendleft(reversed(extra_rounds))

    def skip_phase(self) -> None:
        """Drop the remaining rounds of the current phase."""
        while (
            self._current is not None
            and self._pending
            and self._pending[0].phase.name == self._current.phase.name
        ):
            self._pending.popleft()

    def set_words(self, words: int) -> None:
        """Set the length of turns, in words, from the next round on."""
        self._word_limit = words


# Who takes part; every change is logged


class Roster:
    """The debaters still in the debate, in the order of their places."""

    def __init__(self, spec: DebateSpec, transcript: Transcript, log: DebateLog) -> None:
        self.all_ids = tuple(debater.id for debater in spec.debaters)
        remaining = transcript.active_debaters or self.all_ids
        self._active_ids = tuple(debater for debater in self.all_ids if debater in remaining)
        self._hidden = {debater.id: debater for debater in spec.hidden}
        self._prices = spec.prices
        self._transcript = transcript
        self._log = log

    def __contains__(self, debater: object) -> bool:
        return debater in self._active_ids

    @property
    def has_enough_debaters(self) -> bool:
        """Whether enough debaters are left to continue."""
        return len(self._active_ids) >= MIN_DEBATERS

    def remove(self, debater: str, reason: str) -> None:
        """Remove a debater and log it; do nothing if it has already left."""
        if debater not in self._active_ids:
            return
        self._active_ids = tuple(other for other in self._active_ids if other != debater)
        self._log.append(events.DebaterRemoved(debater=debater, reason=reason, remaining=self._active_ids))

    def reinstate(self, debater: str) -> None:
        """Bring a debater back and log it; do nothing if it never left."""
        if debater in self._active_ids:
            return
        self._active_ids = tuple(
            other for other in self.all_ids if other == debater or other in self._active_ids
        )
        info = self._transcript.debaters[debater]
        self._log_source(events.DebaterReturned, debater, info.source, info.model, info.parameters)

    def log_replacement(
        self, debater: str, source: str, model: str, parameters: dict[str, ParameterValue]
    ) -> None:
        """Log that a debater's source was replaced; in a blind debate, not by which."""
        if self._transcript.is_blind:
            self._hidden[debater] = structs.replace(
                self._hidden[debater], source=source, model=model, parameters=parameters
            )
            source, model, parameters = "", "", {}
        self._log_source(events.DebaterReplaced, debater, source, model, parameters)

    def reveal(self) -> None:
        """Log who the debaters of a blind debate are; do nothing if that is known."""
        if self._transcript.is_blind:
            self._log.append(
                events.DebatersRevealed(debaters=tuple(self._hidden.values()), prices=self._prices)
            )

    def _log_source(
        self,
        change: type[events.DebaterReturned | events.DebaterReplaced],
        debater: str,
        source: str,
        model: str,
        parameters: dict[str, ParameterValue],
    ) -> None:
        self._log.append(
            change(
                debater=debater,
                reason="user",
                remaining=self._active_ids,
                source=source,
                model=model,
                parameters=parameters,
            )
        )


class Backpressure(Protocol):
    """A way for the display to make a debater's reader wait, so that the sender slows down."""

    read_delay: float
    """How long to delay reads, in seconds, so that several tokens are handled per wake-up."""

    def has_room(self, debater: str) -> bool:
        """Return whether more text of this debater is accepted now."""
        ...

    async def wait_for_room(self, debater: str) -> None:
        """Wait until more text of this debater is accepted."""
        ...


class NoBackpressure:
    """No backpressure: readers of the log keep up by themselves."""

    read_delay = 0.0

    def has_room(self, debater: str) -> bool:
        return True

    async def wait_for_room(self, debater: str) -> None:
        return
