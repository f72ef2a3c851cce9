"""The masthead: what a screen is about, over a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from debate_tui.tui.glyphs import Glyphs


class TitleBar(TextRows):
    """Two lines: a title, and at its right what `update_status` says; a rule."""

    DEFAULT_CSS = "TitleBar { height: 2; background: $background; }"

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._title = title
        self._rule = glyphs.thin_line
        self._status = ""

    def update_status(self, text: str) -> None:
        """Say this at the right from now on."""
        self._status = text
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Title and rule."""
        title = Row((Piece(self._title, Tone.TEXT, bold=True),), (Piece(self._status, Tone.QUIET),))
        return title, Row((Piece(self._rule * width, Tone.FAINT),))
