"""The line in which a list is narrowed down to what contains some words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import LineInput
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from textual.app import ComposeResult


class FilterLabel(TextRows):
    """The sign before the words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.styles.width = len(text) + 2

    def rows(self, width: int) -> tuple[Row, ...]:
        """The sign."""
        return (Row((Piece(self._text, Tone.FOCUS, bold=True),)),)


class FilterBar(Horizontal):
    """What is typed is heard as `Input.DirtyRows`."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        background: $surface;
        FilterLabel { height: 1; background: $surface; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self._initial_text = text
        self.input = LineInput(
            enter_action="replay",
            escape_action="back",
            placeholder="words of the topic, a name, a model",
            max_length=200,
        )

    def compose(self) -> ComposeResult:
        """Sign and words, those from the beginning among them."""
        self.input.value = self._initial_text
        yield FilterLabel("/")
        yield self.input
