"""Faults that pause the debate until the user decides how to continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.events import DebatePaused, DebateResumed
from debate_tui.session.commands import Decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from debate_tui.session.commands import CommandHandler, FaultDecision
    from debate_tui.tui.screens.dialogs import DecisionScreen
    from debate_tui.tui.symbols import Glyphs


class FaultDecisions:
    """The debaters that need a decision; asks once for each, and again on request.

    `on_replace` asks for another source, if debaters can switch; the decision waits until one is given.
    """

    def __init__(self, screen: Screen[None], handle: CommandHandler | None, glyphs: Glyphs) -> None:
        self._screen = screen
        self._handle = handle
        self._glyphs = glyphs
        self._reasons: dict[str, str] = {}
        self._open_dialogs: dict[str, DecisionScreen] = {}
        self.on_replace: Callable[[str], None] | None = None

    def apply(self, event: DebatePaused | DebateResumed, name: str) -> None:
        """Open a dialog when a fault pauses the debate, and close it when the decision is made."""
        if event.debater is None or event.reason == "user" or self._handle is None:
            return
        if isinstance(event, DebatePaused):
            self._reasons[event.debater] = event.reason
            self.ask(event.debater, name)
        else:
            self._reasons.pop(event.debater, None)
            if (asked := self._open_dialogs.pop(event.debater, None)) is not None and asked.is_current:
                asked.dismiss(None)

    def ask(self, debater: str, name: str) -> bool:
        """Open the dialog again; return whether this debater needs a decision."""
        if debater not in self._reasons:
            return False

        def decided(choice: FaultDecision | None) -> None:
            if choice == "replace" and self.on_replace is not None:
                self.on_replace(debater)
            elif choice is not None and self._handle is not None:
                self._handle(Decide(debater, choice))

        from debate_tui.tui.screens.dialogs import DecisionScreen

        screen = DecisionScreen(
            name,
            self._reasons[debater],
            self._glyphs,
            lambda: debater in self._reasons,
            replaceable=self.on_replace is not None,
        )
        self._open_dialogs[debater] = screen
        self._screen.app.push_screen(screen, decided)
        return True
