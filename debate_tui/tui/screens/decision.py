"""The decision: a fault that no waiting mends holds the debate, and somebody has to say how to go on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.commands import FaultDecision
from debate_tui.tui.screens.card import Card, OverlayScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from debate_tui.tui.glyphs import Glyphs

DECISION_WIDTH = 60


class DecisionScreen(OverlayScreen[FaultDecision | None]):
    """Names the debater and what is wrong; its result is the choice, `None` if it was only closed.

    `is_pending` says whether there is anything left to decide, `replaceable` whether the debater can be given
    another source.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,enter", "choose('fix')"),
        Binding("o", "choose('replace')"),
        Binding("w", "choose('remove')"),
        Binding("e", "choose('end')"),
        Binding("escape", "close"),
        Binding("q,ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(
        self,
        name: str,
        reason: str,
        glyphs: Glyphs,
        is_pending: Callable[[], bool],
        *,
        replaceable: bool = False,
    ) -> None:
        super().__init__()
        self._is_pending = is_pending
        self._replaceable = replaceable
        why = [
            Row((Piece(line, Tone.FAILED),)) for line in textwrap.wrap(one_line(reason, 1000), DECISION_WIDTH)
        ]
        choices = [
            _key_row("r", "try again, once it is put right"),
            *((_key_row("o", "let another source speak for it"),) if replaceable else ()),
            _key_row("w", f"go on without {name}"),
            _key_row("e", "end the debate"),
            _key_row("esc", "look at the debate first; enter comes back here"),
        ]
        held = Row((Piece("Everything is held until you choose.", Tone.QUIET),))
        self._card = Card(f"{name} cannot go on", [*why, Row(), held, Row(), *choices], glyphs)

    def compose(self) -> ComposeResult:
        """The card alone."""
        yield self._card

    def on_screen_resume(self) -> None:
        """Coming back to a question that was settled meanwhile."""
        if not self._is_pending():
            self.dismiss(None)

    def action_choose(self, decision: FaultDecision) -> None:
        """Go on this way."""
        if decision != "replace" or self._replaceable:
            self.dismiss(decision)

    def action_close(self) -> None:
        """Decide later."""
        self.dismiss(None)


def _key_row(key: str, description: str) -> Row:
    return Row((Piece(key.ljust(6), Tone.FOCUS, bold=True), Piece(description)))
