"""The rounds still to come, and what the moderator makes of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from debate_tui.domain.debate import Round

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Agenda:
    """Gives out rounds one by one; iterating takes each from the front, whatever was changed meanwhile."""

    def __init__(self, ahead: Iterable[Round]) -> None:
        self._ahead = deque(ahead)
        self._now: Round | None = None
        self._words: int | None = None

    def __iter__(self) -> Iterator[Round]:
        while self._ahead:
            self._now = self._ahead.popleft()
            yield self._now if self._words is None else self._now.worded(self._words)

    def add_round(self) -> None:
        """Hold the phase under way once more than planned."""
        if self._now is None:
            return
        last = self._now
        while self._ahead and self._ahead[0].phase.name == last.phase.name:
            last = self._ahead.popleft()
        total = last.total + 1
        again = [Round(last.phase, number, total) for number in range(self._now.number + 1, total + 1)]
        self._ahead.extendleft(reversed(again))

    def skip_phase(self) -> None:
        """Hold no further round of the phase under way."""
        while self._now is not None and self._ahead and self._ahead[0].phase.name == self._now.phase.name:
            self._ahead.popleft()

    def set_words(self, words: int) -> None:
        """Ask for that many words in every turn from the next round on."""
        self._words = words
