"""Search in all panes at once, also while text streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.tui.key_hints import SEARCH_INPUT_HINTS, SEARCH_MATCH_HINTS
from debate_tui.tui.screens.debate_view import DebateView
from debate_tui.tui.widgets.page_search import SearchPosition
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.input_bars import SearchBar


# A search over all panes: the number of matches, and which one is shown.


class Search:
    """Matches in the order of the panes, from top to bottom; they change while text streams."""

    def __init__(self, turn_texts: Sequence[TurnText]) -> None:
        self._turn_texts = turn_texts
        self._unfinished: set[TurnText] = set()
        self._match_pane = -1
        self._match_index = 0
        self.text = ""

    def start(self, text: str) -> None:
        """Highlight all matches in all panes without moving to one; an empty text ends the search."""
        self.text = text
        self._match_pane = -1
        self._unfinished = set(self._turn_texts) if text else set()
        for page in self._turn_texts:
            page.search(text)

    def update_progress(self, turn_text: TurnText, *, done: bool) -> None:
        """Record whether a pane has been searched to its end."""
        (self._unfinished.discard if done else self._unfinished.add)(turn_text)

    @property
    def position(self) -> SearchPosition:
        """The current position of the search."""
        counts = [len(page.page_search.matches) for page in self._turn_texts]
        shown = 0
        if self._match_pane >= 0 and self._match_index < counts[self._match_pane]:
            shown = sum(counts[: self._match_pane]) + self._match_index + 1
        return SearchPosition(shown, sum(counts), not self._unfinished)

    def move(self, steps: int, current_pane: int) -> int:
        """Show the next match (`steps` of 1) or the previous one (−1); return its pane, or −1 if none.

        The first match shown is the one nearest to the reader in the pane `current_pane`, preferably after
        the reader's position.
        """
        counts = [len(page.page_search.matches) for page in self._turn_texts]
        total = sum(counts)
        if not total:
            return -1
        if self._match_pane < 0:
            text = self._turn_texts[current_pane]
            nearest = text.page_search.first_match_from(text.viewport.top)
            nearest = min(nearest, max(0, counts[current_pane] - 1))
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


class SearchView(DebateView):
    """A debate view with ``/`` for the search bar; the first match moves the focus to its pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", priority=True),
        Binding("n", "next_match(1)"),
        Binding("N,shift+enter", "next_match(-1)"),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._search = Search([pane.turn_text for pane in self._panes])
        self._search_bar: SearchBar | None = None
        self._pending_step = 0
        """The step requested before any match was found."""

    @property
    def is_searching(self) -> bool:
        """Whether the search is open."""
        return self._search_bar is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the search key while the user types text, which may contain a slash."""
        return not (action == "search" and not isinstance(self.focused, TurnText))

    def _current_hints(self) -> tuple[KeyHint, ...]:
        if self._search_bar is None:
            return super()._current_hints()
        if self.focused is self._search_bar.input:
            return SEARCH_INPUT_HINTS
        return SEARCH_MATCH_HINTS if isinstance(self.focused, TurnText) else super()._current_hints()

    async def action_search(self) -> None:
        """Open the search bar and focus it immediately, so that the next key goes there."""
        if self._search_bar is None:
            from debate_tui.tui.widgets.input_bars import SearchBar

            self._search_bar = SearchBar(self._glyphs)
            await self.mount(self._search_bar, before=self._footer)
            self._show_message("")
        self.set_focus(self._search_bar.input)
        self._show_hints()

    def action_next_match(self, steps: int) -> None:
        """Go to the next or previous match."""
        if self._search_bar is None:
            self._show_message("/ searches all panes")
            return
        if (
            self._search_bar.input.value != self._search.text
        ):  # keys arrive before the message about the changed text
            self._start_search(self._search_bar.input.value)
        pane = self._search.move(steps, self._current_index)
        self._pending_step = steps if pane < 0 else 0
        if pane >= 0:
            self._select_pane(pane)
        self._show_match_count()

    def close_search(self) -> None:
        """Remove the highlights and return the focus to the pane."""
        if self._search_bar is not None:
            self._focus_current_pane()
            self._search_bar.remove()
            self._search_bar = None
            self._search.start("")
            self._show_hints()

    def _start_search(self, text: str) -> None:
        self._pending_step = 0
        self._search.start(text)
        self._show_match_count()

    def _show_match_count(self) -> None:
        if self._search_bar is not None:
            self._search_bar.match_count.update(self._search.position if self._search.text else None)

    # Messages from widgets

    def on_search_bar_changed(self, message: SearchBar.Changed) -> None:
        """Search for the changed text."""
        if message.text != self._search.text:
            self._start_search(message.text)

    def on_turn_text_search_progress(self, message: TurnText.SearchProgress) -> None:
        """Update the count, and go to a match that was requested before it was found."""
        self._search.update_progress(message.turn_text, done=message.done)
        standing = self._search.position
        if self._pending_step and standing.total:
            self.action_next_match(self._pending_step)
        elif standing.is_complete:
            self._pending_step = 0
        self._show_match_count()
