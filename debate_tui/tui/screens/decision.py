"""The decision: a fault that no waiting mends holds the debate, and somebody has to say how to go on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from debate_tui.domain.events import DebatePaused, DebateResumed
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.commands import Choice
from debate_tui.tui.screens.card import Card
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from debate_tui.tui.commands import Commands
    from debate_tui.tui.glyphs import Glyphs

WIDTH = 60


class Decisions:
    """The debaters somebody has to decide about, each asked about once and again on demand."""

    def __init__(self, screen: Screen[None], commands: Commands | None, glyphs: Glyphs) -> None:
        self._screen = screen
        self._commands = commands
        self._glyphs = glyphs
        self._reasons: dict[str, str] = {}

    def take(self, event: DebatePaused | DebateResumed, name: str) -> None:
        """Ask when a fault holds the debate, and stop asking when it was decided."""
        if event.debater is None or event.reason == "user" or self._commands is None:
            return
        if isinstance(event, DebatePaused):
            self._reasons[event.debater] = event.reason
            self.ask(event.debater, name)
        else:
            self._reasons.pop(event.debater, None)
            current = self._screen.app.screen
            if isinstance(current, DecisionScreen) and current.debater == event.debater:
                current.dismiss(None)

    def ask(self, debater: str, name: str) -> bool:
        """Ask again; says whether there is anything to decide about this debater."""
        if debater not in self._reasons:
            return False

        def decided(choice: Choice | None) -> None:
            if choice is not None and self._commands is not None:
                self._commands.decide(debater, choice)

        screen = DecisionScreen(debater, name, self._reasons[debater], self._glyphs)
        self._screen.app.push_screen(screen, decided)
        return True


class DecisionScreen(ModalScreen[Choice | None]):
    """Names the debater and what is wrong; its result is the choice, `None` if it was only closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,enter", "choose('fix')"),
        Binding("w", "choose('remove')"),
        Binding("e", "choose('end')"),
        Binding("escape", "close"),
        Binding("q,ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(self, debater: str, name: str, reason: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.debater = debater
        why = [Row((Piece(line, Tone.FAILED),)) for line in textwrap.wrap(one_line(reason, 1000), WIDTH)]
        choices = [
            _choice("r", "try again, once it is put right"),
            _choice("w", f"go on without {name}"),
            _choice("e", "end the debate"),
            _choice("esc", "look at the debate first; enter comes back here"),
        ]
        held = Row((Piece("Everything is held until you choose.", Tone.QUIET),))
        self._card = Card(f"{name} cannot go on", [*why, Row(), held, Row(), *choices], glyphs)

    def compose(self) -> ComposeResult:
        """The card alone."""
        yield self._card

    def action_choose(self, choice: Choice) -> None:
        """Go on this way."""
        self.dismiss(choice)

    def action_close(self) -> None:
        """Decide later."""
        self.dismiss(None)


def _choice(key: str, does: str) -> Row:
    return Row((Piece(key.ljust(6), Tone.FOCUS, bold=True), Piece(does)))
