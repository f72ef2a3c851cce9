"""A line in which the moderator answers a question: a label and what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.line import Lines, Piece, Row, width_of

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from debate_tui.tui.glyphs import Glyphs

MAX_CHARACTERS = 2000


class Label(Lines):
    """What is asked."""

    def __init__(self, text: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._piece = Piece(f"{glyphs.interjection} {text}", Tone.FOCUS, bold=True)
        self.styles.width = width_of((self._piece,)) + 2 * self.inset

    def rows(self, width: int) -> tuple[Row, ...]:
        """A mark and the question."""
        return (Row((self._piece,)),)


class Question(Horizontal):
    """On the screen's actions ``answer`` and ``back``, its owner removes the line, or has it tried again."""

    DEFAULT_CSS = """
    Question {
        height: 1;
        background: $surface;
    }
    """

    def __init__(self, label: str, placeholder: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._label = Label(label, glyphs)
        self._input = Entry(enter="answer", escape="back", placeholder=placeholder, max_length=MAX_CHARACTERS)

    def compose(self) -> ComposeResult:
        """Question and answer."""
        yield self._label
        yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self.screen.set_focus(self._input)

    @property
    def text(self) -> str:
        """What was typed."""
        return self._input.text
