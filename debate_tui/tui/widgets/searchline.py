"""The line in which is typed what to search for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import LineInput
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Input

    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.search import SearchPosition

MAX_SEARCH_CHARACTERS = 200


class SearchLabel(TextRows):
    """The sign before the text."""

    def rows(self, width: int) -> tuple[Row, ...]:
        """A slash."""
        return (Row((Piece("/", Tone.FOCUS, bold=True),)),)


class MatchCount(TextRows):
    """How many matches there are, and which one is shown."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._piece = Piece("")

    def update(self, progress: SearchPosition | None) -> None:
        """Show where the search stands; `None` while nothing is searched for."""
        if progress is None:
            self._piece = Piece("")
        elif not progress.total:
            self._piece = Piece("no match" if progress.is_complete else self._glyphs.ellipsis, Tone.QUIET)
        else:
            more = "" if progress.is_complete else self._glyphs.ellipsis
            shown = f"{progress.current:,} of " if progress.current else ""
            noun = "" if progress.current else " match" if progress.total == 1 else " matches"
            self._piece = Piece(f"{shown}{progress.total:,}{more}{noun}", Tone.FOCUS, bold=True)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """It, at the right."""
        return (Row((), (self._piece,)),)


class SearchBar(Horizontal):
    """Whoever hears what it says searches; `match_count` is told how that went."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,up", "screen.next_match(-1)"),
        Binding("down", "screen.next_match(1)"),
    ]

    DEFAULT_CSS = """
    SearchBar {
        height: 1;
        background: $surface;
        SearchLabel { width: 3; height: 1; background: $surface; }
        MatchCount { width: 22; height: 1; background: $surface; }
    }
    """

    class Changed(Message):
        """There is something else to search for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.match_count = MatchCount(glyphs)
        self.input = LineInput(
            enter_action="next_match(1)",
            escape_action="back",
            placeholder="words in any pane; enter goes to the next match",
            max_length=MAX_SEARCH_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """SearchLabel, text, count."""
        yield SearchLabel()
        yield self.input
        yield self.match_count

    def on_input_changed(self, message: Input.Changed) -> None:
        """Search for it."""
        message.stop()
        self.post_message(self.Changed(message.value))
