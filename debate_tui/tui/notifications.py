"""Signals outside the screen: the window's title, and a bell or a desktop notification."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from debate_tui.domain.events import STEP_PAUSE, DebateFinished, DebatePaused, DebateResumed
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import describe_debate_end
from debate_tui.tui.driver import terminal_driver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from debate_tui.domain.events import Event
    from debate_tui.tui.screen_options import Notification
    from debate_tui.tui.screens.debate_view import DebateView

PROGRAM = "debate-tui"

MAX_TITLE_CHARACTERS = 80
"""Maximum length of a window's title."""

_BELL = "\a"
_URXVT_NOTIFICATIONS = ("rxvt", "foot")
"""Terminals, by the start of TERM, that take OSC 777 and not OSC 9."""


class Notifier:
    """Signals when a debate that runs here ends or needs the user; nothing without a terminal."""

    def __init__(self, view: DebateView) -> None:
        self._view = view
        self._has_ended = self._has_title = False

    def apply(self, event: Event) -> None:
        """Apply an event that concerns the debate as a whole, in log order."""
        if self._view.handle is None:
            return
        match event:
            case DebateFinished() if not self._has_ended:
                self._has_ended = True
                self._signal(describe_debate_end(event.reason), self._view.glyphs.done)
            case DebatePaused(debater=str(debater)) if event.reason != "user":
                name = self._view.debater_name(debater)
                self._signal(f"{name} cannot continue: decide what to do.", self._view.glyphs.failed)
            case DebatePaused(reason=reason) if reason == STEP_PAUSE:
                self._signal("The round is over. Press Space for the next one.", self._view.glyphs.paused)
            case DebateResumed() if self._has_title:
                self._has_ended = False
                self.clear()
            case _:
                pass

    def call_to_write(self, name: str) -> None:
        """Signal that the user is to write this debater's turn."""
        self._signal(f"Your turn: write for {name}.", self._view.glyphs.interjection)

    def clear(self) -> None:
        """Remove the mark from the window's title."""
        self._set_title("")

    def _signal(self, text: str, mark: str) -> None:
        self._set_title(mark)
        sequence = notification(text, self._view.options.notify, os.environ)
        if sequence and (driver := terminal_driver(self._view.screen.app)) is not None:
            driver.write(sequence)

    def _set_title(self, mark: str) -> None:
        topic = one_line(self._view.transcript.topic or self._view.options.topic, MAX_TITLE_CHARACTERS)
        if (driver := terminal_driver(self._view.screen.app)) is not None:
            self._has_title = True
            driver.set_title(f"{mark} {topic} {self._view.glyphs.missing_value} {PROGRAM}".strip())


def notification(text: str, kind: Notification, environment: Mapping[str, str]) -> str:
    """Return the characters that make the terminal notify its user; empty if `kind` is ``off``.

    OSC 9 is iTerm2's notification, which most terminals have taken over, OSC 777 that of urxvt. A terminal
    that knows both would show two, so only one is sent. tmux passes it on if it is allowed to.
    """
    if kind == "off":
        return ""
    if kind == "bell":
        return _BELL
    text = one_line(text)
    takes_777 = environment.get("TERM", "").startswith(_URXVT_NOTIFICATIONS) or "VTE_VERSION" in environment
    command = f"777;notify;{PROGRAM};{text}" if takes_777 else f"9;{PROGRAM}: {text}"
    sequence = f"\x1b]{command}{_BELL}"
    if "TMUX" in environment:
        escaped = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{escaped}\x1b\\"
    return sequence
