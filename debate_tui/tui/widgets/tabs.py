"""Tabs: every debater's name and state in one line, where only one pane fits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.message import Message

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.widgets.pane import Pane

MAX_TAB_NAME_CHARACTERS = 16


class PaneTabs(TextRows):
    """One line; the shown pane's name is bright, and a mark says where something was not read yet."""

    class Selected(Message):
        """A tab was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, panes: Sequence[Pane], glyphs: Glyphs) -> None:
        super().__init__()
        self._panes = panes
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._click_targets: list[range] = []

    def rows(self, width: int) -> tuple[Row, ...]:
        """Icon, name and unread mark of every debater."""
        now = time.monotonic()
        names = [one_line(pane.state.info.name, 40) for pane in self._panes]
        longest = max(3, min(MAX_TAB_NAME_CHARACTERS, (width - 6 * len(names)) // max(1, len(names))))
        pieces: list[Piece] = []
        self._click_targets.clear()
        x = self.inset
        for pane, name in zip(self._panes, names, strict=True):
            badge = pane.state.badge(now)
            icon: str = getattr(self._glyphs, badge.glyph_name)
            label = name if cell_len(name) <= longest else f"{name[: longest - 1]}{self._glyphs.ellipsis}"
            shown = pane.is_displayed
            mark = self._glyphs.unread if pane.has_unread else " "
            tab = [
                Piece(f"{icon} ", badge.tone),
                Piece(label, Tone.FOCUS if shown else Tone.QUIET, bold=shown),
                Piece(f" {mark} ", Tone.FOCUS),
            ]
            cells = sum(cell_len(piece.text) for piece in tab)
            self._click_targets.append(range(x, x + cells))
            x += cells
            pieces += tab
        return (Row(tuple(pieces)),)

    def on_click(self, event: Click) -> None:
        """Show the pane whose tab is under the mouse."""
        for place, cells in enumerate(self._click_targets):
            if event.x in cells:
                self.post_message(self.Selected(place))
                return
