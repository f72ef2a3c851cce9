"""The rounds still to come, and what the moderator makes of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from debate_tui.domain.debate import Round

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RoundQueue:
    """Gives out rounds one by one; iterating takes each from the front, whatever was changed meanwhile."""

    def __init__(self, pending: Iterable[Round]) -> None:
        self._pending = deque(pending)
        self._current: Round | None = None
        self._word_limit: int | None = None

    def __iter__(self) -> Iterator[Round]:
        while self._pending:
            self._current = self._pending.popleft()
            yield self._current if self._word_limit is None else self._current.with_words(self._word_limit)

    def add_round(self) -> None:
        """Hold the phase under way once more than planned."""
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
        """Hold no further round of the phase under way."""
        while (
            self._current is not None
            and self._pending
            and self._pending[0].phase.name == self._current.phase.name
        ):
            self._pending.popleft()

    def set_words(self, words: int) -> None:
        """Ask for that many words in every turn from the next round on."""
        self._word_limit = words
