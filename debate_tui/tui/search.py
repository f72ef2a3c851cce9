"""A search over all panes: how many matches there are, and which of them is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.widgets.prose import TurnText


class SearchPosition(NamedTuple):
    """Which match is shown, counted from 1 over all panes, 0 for none; of how many; whether all are found."""

    current: int
    total: int
    is_complete: bool


class Search:
    """Matches in the order of the panes, and in a pane from its top; they come and go while text streams."""

    def __init__(self, turn_texts: Sequence[TurnText]) -> None:
        self._turn_texts = turn_texts
        self._unfinished: set[TurnText] = set()
        self._match_pane = -1
        self._match_index = 0
        self.text = ""

    def start(self, text: str) -> None:
        """Mark every match of a text in every pane, and show none yet; no text ends the search."""
        self.text = text
        self._match_pane = -1
        self._unfinished = set(self._turn_texts) if text else set()
        for page in self._turn_texts:
            page.search(text)

    def update_progress(self, turn_text: TurnText, *, done: bool) -> None:
        """Take note of how far a pane was looked through."""
        (self._unfinished.discard if done else self._unfinished.add)(turn_text)

    @property
    def position(self) -> SearchPosition:
        """Where the search stands now."""
        counts = [page.match_count for page in self._turn_texts]
        shown = 0
        if self._match_pane >= 0 and self._match_index < counts[self._match_pane]:
            shown = sum(counts[: self._match_pane]) + self._match_index + 1
        return SearchPosition(shown, sum(counts), not self._unfinished)

    def move(self, steps: int, current_pane: int) -> int:
        """Show the match that is 1 after the one shown, or −1; returns its pane, −1 if there is no match.

        The first is the nearest one in the pane `current_pane`, rather ahead of the reader than passed.
        """
        counts = [page.match_count for page in self._turn_texts]
        total = sum(counts)
        if not total:
            return -1
        if self._match_pane < 0:
            nearest = min(self._turn_texts[current_pane].next_match_index, max(0, counts[current_pane] - 1))
            place = sum(counts[:current_pane]) + nearest
        else:
            self._turn_texts[self._match_pane].clear_current_match()
            place = sum(counts[: self._match_pane]) + min(self._match_index, counts[self._match_pane]) + steps
        place %= total
        self._match_pane = 0
        while place >= counts[self._match_pane]:
            place -= counts[self._match_pane]
            self._match_pane += 1
        self._match_index = place
        self._turn_texts[self._match_pane].show_match(place)
        return self._match_pane
