"""The line in which a list is narrowed down to what contains some words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Label(Lines):
    """The sign before the words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.styles.width = len(text) + 2

    def rows(self, width: int) -> tuple[Row, ...]:
        """The sign."""
        return (Row((Piece(self._text, Tone.FOCUS, bold=True),)),)


class Filter(Horizontal):
    """What is typed is heard as `Input.Changed`."""

    DEFAULT_CSS = """
    Filter {
        height: 1;
        background: $surface;
        Label { height: 1; background: $surface; }
    }
    """

    def __init__(self, words: str = "") -> None:
        super().__init__()
        self._words = words
        self.input = Entry(
            enter="replay", escape="back", placeholder="words of the topic, a name, a model", max_length=200
        )

    def compose(self) -> ComposeResult:
        """Sign and words, those from the beginning among them."""
        self.input.value = self._words
        yield Label("/")
        yield self.input
