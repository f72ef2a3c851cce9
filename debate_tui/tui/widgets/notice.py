"""A notice: a line or two above the footer that stay until there is nothing to say."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from debate_tui.tui.glyphs import Glyphs

MOST_LINES = 2


class Notice(Lines):
    """Hidden while it says nothing; as high as what it says, which is settled with the panes' arrangement."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._text = ""
        self.display = False

    def say(self, text: str, width: int) -> None:
        """Say this from now on, on a screen of `width` cells."""
        self._text = text
        self.display = bool(text)
        self.styles.height = len(self.rows(width - 2 * self.inset)) or 1
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """The text, wrapped."""
        lines = textwrap.wrap(
            self._text, max(width, 10), max_lines=MOST_LINES, placeholder=f" {self.ellipsis}"
        )
        return tuple(Row((Piece(line, Tone.QUIET),)) for line in lines)
