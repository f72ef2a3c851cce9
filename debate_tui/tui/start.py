"""The app that begins with the start screen, and becomes the debate that is begun there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.app import BaseDebateApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from debate_tui.tui.options import ScreenOptions
    from debate_tui.tui.screens.start import StartScreen


class StartApp(BaseDebateApp):
    """Shows `start` until `show_debate` puts a debate in its place: one app, so that nothing flashes in
    between."""

    def __init__(
        self, start: StartScreen, options: ScreenOptions, *, on_theme: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(options, on_theme=on_theme)
        self._start_screen = start

    def get_default_screen(self) -> Screen[None]:
        """What there is to begin with."""
        return self._start_screen

    def show_debate(self, debate: Screen[None]) -> None:
        """Show a debate from now on; callable from any task of the event loop.

        The start screen stays below it: while one screen is exchanged for another there is none, and a
        debate's first frame does not wait.
        """
        self.call_later(self._start_screen.set_focus, None)
        self.call_later(self.push_screen, debate)

    def on_ready(self) -> None:
        """The first frame is painted: do what could wait until now."""
        super()._run_deferred_startup()

    def _run_deferred_startup(self) -> None:
        """All but what the debate brought was settled when the start screen came."""
        self._gc_scheduler.enable_without_full_collections()

    def warn(self, text: str) -> None:
        """See `BaseApp.warn`."""
        if self._debate_screen is None:
            self.call_later(self._start_screen.warn, text)
        else:
            super().warn(text)

    def show_start_error(self, message: str) -> None:
        """Say why a debate cannot begin; callable from any task of the event loop."""
        self.call_later(self._start_screen.show_start_error, message)
