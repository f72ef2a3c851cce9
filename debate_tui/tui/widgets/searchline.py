"""The line in which is typed what to search for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widgets import Input

    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.search import Standing

MAX_CHARACTERS = 200


class Sign(Lines):
    """The sign before the text."""

    def rows(self, width: int) -> tuple[Row, ...]:
        """A slash."""
        return (Row((Piece("/", Tone.FOCUS, bold=True),)),)


class Count(Lines):
    """How many matches there are, and which one is shown."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._piece = Piece("")

    def show(self, standing: Standing | None) -> None:
        """Show where the search stands; `None` while nothing is searched for."""
        if standing is None:
            self._piece = Piece("")
        elif not standing.total:
            self._piece = Piece("no match" if standing.done else self._glyphs.ellipsis, Tone.QUIET)
        else:
            more = "" if standing.done else self._glyphs.ellipsis
            shown = f"{standing.shown:,} of " if standing.shown else ""
            noun = "" if standing.shown else " match" if standing.total == 1 else " matches"
            self._piece = Piece(f"{shown}{standing.total:,}{more}{noun}", Tone.FOCUS, bold=True)
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """It, at the right."""
        return (Row((), (self._piece,)),)


class SearchLine(Horizontal):
    """Whoever hears what it says searches; `count` is told how that went."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+enter,up", "screen.step(-1)"),
        Binding("down", "screen.step(1)"),
    ]

    DEFAULT_CSS = """
    SearchLine {
        height: 1;
        background: $surface;
        Sign { width: 3; height: 1; background: $surface; }
        Count { width: 22; height: 1; background: $surface; }
    }
    """

    class Typed(Message):
        """There is something else to search for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.count = Count(glyphs)
        self.input = Entry(
            enter="step(1)",
            escape="back",
            placeholder="words in any pane; enter goes to the next match",
            max_length=MAX_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """Sign, text, count."""
        yield Sign()
        yield self.input
        yield self.count

    def on_input_changed(self, message: Input.Changed) -> None:
        """Search for it."""
        message.stop()
        self.post_message(self.Typed(message.value))
