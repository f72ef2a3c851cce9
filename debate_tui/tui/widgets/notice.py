"""Notices: a few lines above the footer that stay until there is nothing to say."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from debate_tui.tui.glyphs import Glyphs

MAX_ROWS_PER_NOTICE = 2
"""Of one notice."""
MAX_NOTICE_ROWS = 3


class NoticeBar(TextRows):
    """Hidden while it says nothing; as high as what it says, which is settled with the panes' arrangement."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._text = ""
        self.display = False

    def update(self, text: str, width: int) -> None:
        """Say this from now on, on a screen of `width` cells; each line of `text` is a notice of its own.

        Where there is no room for all of all of them, the first ones have it.
        """
        self._text = self._glyphs.displayable(text)
        self.display = bool(text)
        self.styles.height = len(self.rows(width - 2 * self.inset)) or 1
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """The notices, wrapped; what may be an address is never parted at a hyphen."""
        notices = self._text.splitlines()
        spare = MAX_NOTICE_ROWS - len(notices)
        rows: list[Row] = []
        for notice in notices:
            lines = textwrap.wrap(
                notice,
                max(width, 10),
                max_lines=max(1, min(MAX_ROWS_PER_NOTICE, 1 + spare)),
                placeholder=f" {self.ellipsis}",
                break_on_hyphens=False,
            )
            spare -= len(lines) - 1
            rows += [Row((Piece(line, Tone.QUIET),)) for line in lines]
        return tuple(rows)
