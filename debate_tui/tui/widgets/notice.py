"""A notice: one line above the footer that stays until there is nothing to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from debate_tui.tui.glyphs import Glyphs


class Notice(Lines):
    """Hidden while it says nothing."""

    def __init__(self, glyphs: Glyphs, text: str = "") -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._text = text
        self.display = bool(text)

    def say(self, text: str) -> None:
        """Say this from now on; an empty text hides the line."""
        if text != self._text:
            self._text = text
            self.display = bool(text)
            self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """The text."""
        return (Row((Piece(self._text, Tone.QUIET),)),)
