"""A search over all panes: how many matches there are, and which of them is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.widgets.prose import Prose


class Standing(NamedTuple):
    """Which match is shown, counted from 1 over all panes, 0 for none; of how many; whether all are found."""

    shown: int
    total: int
    done: bool


class Search:
    """Matches in the order of the panes, and in a pane from its top; they come and go while text streams."""

    def __init__(self, pages: Sequence[Prose]) -> None:
        self._pages = pages
        self._looking: set[Prose] = set()
        self._pane = -1
        self._index = 0
        self.text = ""

    def look_for(self, text: str) -> None:
        """Mark every match of a text in every pane, and show none yet; no text ends the search."""
        self.text = text
        self._pane = -1
        self._looking = set(self._pages) if text else set()
        for page in self._pages:
            page.search(text)

    def hear(self, page: Prose, *, done: bool) -> None:
        """Take note of how far a pane was looked through."""
        (self._looking.discard if done else self._looking.add)(page)

    @property
    def standing(self) -> Standing:
        """Where the search stands now."""
        counts = [page.matches for page in self._pages]
        shown = 0
        if self._pane >= 0 and self._index < counts[self._pane]:
            shown = sum(counts[: self._pane]) + self._index + 1
        return Standing(shown, sum(counts), not self._looking)

    def step(self, steps: int, here: int) -> int:
        """Show the match that is 1 after the one shown, or −1; returns its pane, −1 if there is no match.

        The first is the nearest one in the pane `here`, rather ahead of the reader than passed.
        """
        counts = [page.matches for page in self._pages]
        total = sum(counts)
        if not total:
            return -1
        if self._pane < 0:
            nearest = min(self._pages[here].match_ahead, max(0, counts[here] - 1))
            place = sum(counts[:here]) + nearest
        else:
            self._pages[self._pane].leave_match()
            place = sum(counts[: self._pane]) + min(self._index, counts[self._pane]) + steps
        place %= total
        self._pane = 0
        while place >= counts[self._pane]:
            place -= counts[self._pane]
            self._pane += 1
        self._index = place
        self._pages[self._pane].show_match(place)
        return self._pane
