"""The manual on the full screen: pages to scroll and search."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from debate_tui.display.markdown import ASCII_SYMBOLS, UNICODE_SYMBOLS
from debate_tui.tui.single_screen import TitledScreen
from debate_tui.tui.widgets.footer import KeyHint
from debate_tui.tui.widgets.input_bars import BarLabel, InputBar, LineInput, MatchCount
from debate_tui.tui.widgets.page_search import SearchPosition
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.widgets import Input

    from debate_tui.tui.symbols import Glyphs

_PAGE_HINTS = (
    KeyHint("]", "next page", "turn_page(1)", 1),
    KeyHint("[", "previous page", "turn_page(-1)", 3),
    KeyHint("0", "contents", "show_page(0)", 2),
    KeyHint("/", "search", "search", 2),
    KeyHint("T", "theme", "app.themes", 4),
    KeyHint("q", "quit", "app.quit", 0),
)
_SEARCH_HINTS = (
    KeyHint("enter", "next match", "next_match(1)"),
    KeyHint("esc", "close the search", "close_search"),
)
_MATCH_HINTS = (
    KeyHint("n", "next", "next_match(1)", 1),
    KeyHint("N", "previous", "next_match(-1)", 1),
    KeyHint("esc", "close the search", "close_search", 1),
    KeyHint("q", "quit", "app.quit", 0),
)


class ManualSearchBar(InputBar):
    """An input for the text to find on the page, with the match count."""

    FOCUS_ON_MOUNT = False
    DEFAULT_CSS = "ManualSearchBar MatchCount { width: 22; height: 1; background: $surface; }"

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(
            BarLabel("/"),
            LineInput(
                enter_action="next_match(1)",
                escape_action="close_search",
                placeholder="Search this page; Enter goes to the next match",
                max_length=200,
            ),
        )
        self.match_count = MatchCount(glyphs)
        self.display = False

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.match_count


class ManualScreen(TitledScreen):
    """One page at a time of `pages`, Markdown texts by name; the first one is the contents."""

    DEFAULT_CSS = """
    ManualScreen {
        #page { height: 1fr; align: center top; padding: 0 1; }
        TurnText { max-width: 100; }
    }
    """
    AUTO_FOCUS = "TurnText"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket,right", "turn_page(1)"),
        Binding("left_square_bracket,left", "turn_page(-1)"),
        Binding("question_mark", "show_page(0)"),
        *(Binding(str(number), f"show_page({number})") for number in range(10)),
        Binding("slash", "search"),
        Binding("n", "next_match(1)"),
        Binding("N", "next_match(-1)"),
        Binding("escape", "close_search"),
        Binding("space", "scroll_page(1)"),
        Binding("b", "scroll_page(-1)"),
    ]

    def __init__(self, pages: Mapping[str, str], page: str, glyphs: Glyphs) -> None:
        super().__init__("debate-tui manual", glyphs)
        self._pages = pages
        self._names = tuple(pages)
        self._index = self._names.index(page)
        self._match = -1
        self._text = TurnText(ASCII_SYMBOLS if glyphs.is_ascii else UNICODE_SYMBOLS)
        self._search_bar = ManualSearchBar(glyphs)
        self._sought = ""

    def compose(self) -> ComposeResult:
        yield self._title_bar
        with Horizontal(id="page"):
            yield self._text
        yield self._search_bar
        yield self._notice_bar
        yield self._footer

    def on_mount(self) -> None:
        self._show_page()

    def _show_page(self) -> None:
        name = self._names[self._index]
        self._text.clear()
        self._text.page.append_text(self._pages[name])
        self._text.flush()
        self._text.action_top()
        self._title_bar.update_status(name)
        self._show_hints()

    def _show_hints(self) -> None:
        if not self._search_bar.display:
            self._footer.set_hints(_PAGE_HINTS)
        elif self._is_typing:
            self._footer.set_hints(_SEARCH_HINTS)
        else:
            self._footer.set_hints(_MATCH_HINTS)

    @property
    def _is_typing(self) -> bool:
        return self.focused is self._search_bar.input

    # Keys

    def action_turn_page(self, steps: int) -> None:
        """Show the next or the previous page; after the last one, the contents."""
        self.action_show_page((self._index + steps) % len(self._names))

    def action_show_page(self, index: int) -> None:
        """Show a page by its number in the contents; 0 is the contents."""
        if index < len(self._names):
            self.action_close_search()
            self._index = index
            self._show_page()

    def action_scroll_page(self, pages: int) -> None:
        """Scroll by screens."""
        self._text.action_page(pages)

    def action_search(self) -> None:
        """Open the search bar, or return to it."""
        self._search_bar.display = True
        self.set_focus(self._search_bar.input)

    def action_next_match(self, steps: int) -> None:
        """Scroll to the next match (`steps` of 1) or to the previous one (−1)."""
        self._find(self._search_bar.input.value)  # keys arrive before the message about the changed text
        self.set_focus(self._text)
        matches = self._text.page_search.matches
        if matches:
            self._match = (self._match + steps) % len(matches) if self._match >= 0 else 0
            self._text.show_match(self._match)
        self._show_match_count()

    def action_close_search(self) -> None:
        """Close the search bar and remove the highlights."""
        self._search_bar.display = False
        self._search_bar.input.value = ""
        self._find("")
        self.set_focus(self._text)
        self._show_hints()

    # Search

    def on_input_changed(self, message: Input.Changed) -> None:
        self._find(message.value)

    def on_descendant_focus(self) -> None:
        self._show_hints()

    def on_turn_text_search_progress(self, _: TurnText.SearchProgress) -> None:
        self._show_match_count()

    def _find(self, text: str) -> None:
        if text != self._sought:
            self._sought = text
            self._match = -1
            self._text.search(text)
            self._show_match_count()

    def _show_match_count(self) -> None:
        search = self._text.page_search
        position = SearchPosition(self._match + 1, len(search.matches), not search.is_scanning)
        self._search_bar.match_count.update(position if search.active else None)
