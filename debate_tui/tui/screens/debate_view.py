"""What the parts of the debate screen share: the debate, its panes, its commands, and the footer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from debate_tui.display import markdown
from debate_tui.domain.events import DebaterInfo
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.debate_state import PhaseProgress
from debate_tui.tui.pane_state import PaneState
from debate_tui.tui.styles import Tone, debater_tones
from debate_tui.tui.widgets.footer import Footer
from debate_tui.tui.widgets.pane import MAX_NAME_CHARACTERS, Pane
from debate_tui.tui.widgets.pane_grid import PaneGrid
from debate_tui.tui.widgets.turn_text import TurnText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.screen import Screen
    from textual.widget import AwaitMount

    from debate_tui.session.commands import Command, CommandHandler
    from debate_tui.tui.log_follower import LogFollower
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.widgets.footer import KeyHint
    from debate_tui.tui.widgets.input_bars import InputBar

DebateKind = Literal["debate", "replay", "watch"]
"""Whether a debate runs in this program, is replayed, or is hosted elsewhere."""

MESSAGE_SECONDS = 4.0
"""Seconds a message stays in the footer."""

_REFUSALS: dict[DebateKind, str] = {
    "debate": "This debate does not take commands here",
    "replay": "A replay does not take commands",
    "watch": "Only the host can control this debate",
}


class Controller:
    """A part of the debate screen with actions for keys and hints, named like ``search.open``."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is available now; see `DOMNode.check_action`."""
        return True


class DebateView:
    """The debate on `screen`, as several controllers need it.

    `debaters` are their ids in the order of the panes. `handle` is `None` if the debate takes no commands.
    `hints` returns the hints for the keys that do something now.
    """

    def __init__(
        self,
        screen: Screen[None],
        follower: LogFollower,
        debaters: Sequence[str],
        handle: CommandHandler | None,
        options: ScreenOptions,
        *,
        kind: DebateKind,
        hints: Callable[[], Sequence[KeyHint]],
    ) -> None:
        self.screen = screen
        self.follower = follower
        self.transcript = follower.transcript
        self.handle = handle
        self.options = options
        self.kind = kind
        self.glyphs = options.glyphs
        self.phase_progress = PhaseProgress(self.transcript, options.format)
        self.panes = PaneGrid(self._make_panes(debaters), self.glyphs, self.update_hints, self.show_message)
        self.footer = Footer(self.glyphs)
        self._hints = hints
        self._message_until = 0.0

    def _make_panes(self, debaters: Sequence[str]) -> list[Pane]:
        known = {info.id: info for info in self.options.debaters}
        tones = debater_tones(debaters)
        symbols = markdown.ASCII_SYMBOLS if self.options.ascii else markdown.UNICODE_SYMBOLS
        return [
            Pane(
                PaneState(
                    known.get(debater) or DebaterInfo(debater, debater, "", "", ""),
                    self.follower,
                    tones[debater],
                ),
                self.transcript,
                self.glyphs,
                symbols,
                self.phase_progress.turn_phase_label,
            )
            for debater in debaters
        ]

    @property
    def is_over(self) -> bool:
        """Whether the debate has ended."""
        return self.transcript.finish_reason is not None

    def debater_name(self, debater: str) -> str:
        """Return the name of a debater."""
        pane = self.panes.find(debater)
        return one_line(pane.state.info.name, MAX_NAME_CHARACTERS) if pane is not None else ""

    def show_pane(self, debater: str) -> None:
        """Make a debater's pane the current one; what the user types still goes to an open input."""
        focused = self.screen.focused
        index = next(n for n, pane in enumerate(self.panes.panes) if pane.state.id == debater)
        self.panes.select(index)
        if not isinstance(focused, TurnText):
            self.screen.set_focus(focused)

    # Commands

    def can_command(self) -> bool:
        """Return whether the debate takes commands now; if it does not, show why."""
        if self.handle is None:
            self.show_message(_REFUSALS[self.kind])
        elif self.is_over:
            self.show_message("The debate is over")
        else:
            return True
        return False

    def send(self, command: Command, done: str = "") -> None:
        """Send a command and show what it does, or why the debate takes none."""
        if self.can_command() and self.handle is not None:
            self.handle(command)
            if done:
                self.show_message(done, Tone.FINISHED)

    # Footer

    def update_hints(self) -> None:
        """Show the hints for the keys that do something now."""
        self.footer.set_hints(self._hints())

    def show_message(self, text: str, tone: Tone = Tone.TEXT, *, path: str = "") -> None:
        """Show a message and a path after it for a few seconds; an empty text removes the message."""
        self._message_until = time.monotonic() + MESSAGE_SECONDS if text else 0.0
        self.footer.show_status(text, tone, path=path)

    def expire_message(self, now: float) -> None:
        """Remove the message if it has been shown long enough."""
        if self._message_until and now >= self._message_until:
            self.show_message("")

    def open_bar(self, bar: InputBar) -> AwaitMount:
        """Mount an input bar above the footer; what is typed goes there from then on."""
        self.show_message("")
        self.update_hints()
        return self.screen.mount(bar, before=self.footer)

    def close_bar(self, bar: InputBar) -> None:
        """Return the focus to the current pane, and remove an input bar."""
        self.panes.focus_current()
        bar.remove()
        self.update_hints()
