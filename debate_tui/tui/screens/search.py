"""Search in all panes and the material at once, also while text streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.key_hints import SEARCH_INPUT_HINTS, SEARCH_MATCH_HINTS
from debate_tui.tui.screens.debate_view import Controller
from debate_tui.tui.widgets.page_search import SearchPosition
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from debate_tui.tui.screens.debate_view import DebateView
    from debate_tui.tui.screens.material import MaterialController
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.input_bars import SearchBar


class SearchController(Controller):
    """A search over all panes and the material, with its bar.

    Matches are in the order of the panes, from top to bottom, followed by those in the material, and change
    while text streams. The first one the user goes to is the one nearest to the reader in the text that had
    the focus; its pane becomes current, or the material opens.
    """

    def __init__(self, view: DebateView, material: MaterialController) -> None:
        self._view = view
        self._material = material
        self._turn_texts = [pane.turn_text for pane in view.panes.panes]
        self._bar: SearchBar | None = None
        self._text = ""
        self._unfinished: set[TurnText] = set()
        self._match_pane = -1
        """The place in `_turn_texts` of the match that is shown, or −1 if none is."""
        self._match_index = 0
        self._pending_steps = 0
        """The steps to go as soon as there is a match."""

    @property
    def is_open(self) -> bool:
        """Whether the search bar is open."""
        return self._bar is not None

    def hints(self) -> tuple[KeyHint, ...]:
        """Return the hints while a search is open and it or a pane has the focus."""
        focused = self._view.screen.focused
        if self._bar is None:
            return ()
        if focused is self._bar.input:
            return SEARCH_INPUT_HINTS
        return SEARCH_MATCH_HINTS if isinstance(focused, TurnText) else ()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the key that opens the search while the user types text, which may contain a slash."""
        return action != "open" or isinstance(self._view.screen.focused, TurnText)

    async def action_open(self) -> None:
        """Open the search bar, or return to it."""
        if self._bar is None:
            from debate_tui.tui.widgets.input_bars import SearchBar

            await self._material.prepare()
            panes = [pane.turn_text for pane in self._view.panes.panes]
            self._turn_texts = panes if self._material.text is None else [*panes, self._material.text]
            self._bar = SearchBar(self._view.glyphs, self._search)
            await self._view.open_bar(self._bar)
        else:
            self._view.screen.set_focus(self._bar.input)
        self._view.update_hints()

    def action_next(self, steps: int) -> None:
        """Go to the next match (`steps` of 1) or to the previous one (−1)."""
        if self._bar is None:
            self._view.show_message("Press / to search all panes")
            return
        self._search(self._bar.input.value)  # keys arrive before the message about the changed text
        pane = self._move(steps)
        self._pending_steps = steps if pane < 0 else 0
        if pane >= len(self._view.panes.panes):
            self._view.panes.open_panel()
        elif pane >= 0:
            self._view.panes.select(pane)
        self._show_match_count()

    def close(self) -> bool:
        """Remove the bar and the highlights; return whether the search was open."""
        if self._bar is None:
            return False
        bar, self._bar = self._bar, None
        self._search("")
        self._view.close_bar(bar)
        return True

    # Matches

    def _search(self, text: str) -> None:
        """Highlight all matches without moving to one; an empty text ends the search."""
        if text == self._text:
            return
        self._text = text
        self._pending_steps = 0
        self._match_pane = -1
        self._unfinished = set(self._turn_texts) if text else set()
        for turn_text in self._turn_texts:
            turn_text.search(text)
        self._show_match_count()

    def update_progress(self, turn_text: TurnText, *, done: bool) -> None:
        """Record whether a text is searched to its end; go to a match requested before it was found."""
        (self._unfinished.discard if done else self._unfinished.add)(turn_text)
        position = self._position()
        if self._pending_steps and position.total:
            self.action_next(self._pending_steps)
        elif position.is_complete:
            self._pending_steps = 0
        self._show_match_count()

    def _move(self, steps: int) -> int:
        """Show the next or previous match; return its place in `_turn_texts`, or −1 if there is none."""
        counts = [len(turn_text.page_search.matches) for turn_text in self._turn_texts]
        total = sum(counts)
        if not total:
            return -1
        if self._match_pane < 0:
            reader = self._view.panes.current_text
            here = self._turn_texts.index(reader)
            nearest = reader.page_search.first_match_from(reader.viewport.top)
            place = sum(counts[:here]) + min(nearest, max(0, counts[here] - 1))
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

    def _position(self) -> SearchPosition:
        counts = [len(turn_text.page_search.matches) for turn_text in self._turn_texts]
        shown = 0
        if self._match_pane >= 0 and self._match_index < counts[self._match_pane]:
            shown = sum(counts[: self._match_pane]) + self._match_index + 1
        return SearchPosition(shown, sum(counts), not self._unfinished)

    def _show_match_count(self) -> None:
        if self._bar is not None:
            self._bar.match_count.update(self._position() if self._text else None)
