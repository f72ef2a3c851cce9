"""The line that asks for a vote; the debate goes on whether it is answered or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs


class VoteBar(TextRows):
    """Hidden while nothing is asked."""

    DEFAULT_CSS = "VoteBar { height: 1; background: $surface; }"

    class Opened(Message):
        """The line was clicked."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._question = ""
        self._escape_label = ""
        self.display = False

    def ask(self, question: str, escape_label: str) -> None:
        """Ask this from now on, and say what ``esc`` does instead."""
        self._question, self._escape_label = question, escape_label
        self.display = True
        self.refresh_rows()

    def hide(self) -> None:
        """Ask nothing any more."""
        self.display = False

    def rows(self, width: int) -> tuple[Row, ...]:
        """The question, and its two keys."""
        question = Piece(f"{self._glyphs.interjection} {self._question}", Tone.FOCUS)
        keys = (
            Piece("v", Tone.FOCUS, bold=True),
            Piece(" vote   ", Tone.QUIET),
            Piece("esc", Tone.FOCUS, bold=True),
            Piece(f" {self._escape_label}", Tone.QUIET),
        )
        return (Row((question,), keys),)

    def on_click(self, _: Click) -> None:
        """Vote."""
        self.post_message(self.Opened())
