"""Trouble: the whole of what is wrong with one stream, on a card."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.card import Card, CardScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row

if TYPE_CHECKING:
    from debate_tui.domain.stream import FaultReport
    from debate_tui.tui.glyphs import Glyphs

FAULT_WIDTH = 64


class FaultScreen(CardScreen):
    """Opened with Enter on a pane whose stream has a fault."""

    def __init__(self, name: str, fault: FaultReport, glyphs: Glyphs) -> None:
        status = f", HTTP status {fault.status}" if fault.status is not None else ""
        kind = Row((Piece(f"{fault.kind.value.replace('_', ' ')}{status}", Tone.FAILED),))
        text = [Row((Piece(line),)) for line in textwrap.wrap(one_line(fault.message, 4000), FAULT_WIDTH)]
        super().__init__(Card(f"{name}: what went wrong", [kind, Row(), *text], glyphs))
