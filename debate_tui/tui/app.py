"""The full-screen apps that show a debate log."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from debate_tui.tui.base_app import BaseApp
from debate_tui.tui.frame_loop import GcScheduler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.actions import ActionParseResult
    from textual.dom import DOMNode
    from textual.screen import Screen

    from debate_tui.tui.base_app import Key
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.screens.debate import DebateScreen
    from debate_tui.tui.screens.start import StartScreen


class BaseDebateApp(BaseApp[None]):
    """Base class for apps that show one debate, sooner or later."""

    def __init__(
        self, options: ScreenOptions, first_screen: Screen[None], debate: DebateScreen | None = None
    ) -> None:
        super().__init__(options, first_screen)
        self._gc_scheduler = GcScheduler()
        self._debate_screen = debate

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """See `App.run_action`; the debate screen's controllers are namespaces, as in ``search.open``."""
        if namespaces is None and self._debate_screen is not None:
            # Of a namespace, Textual only uses `check_action` and the methods for actions.
            namespaces = cast("Mapping[str, DOMNode]", self._debate_screen.controllers)
        return await super().run_action(action, default_namespace, namespaces)

    def start_input(self) -> None:
        """Process input before text; called from the event loop as soon as input arrives."""
        if self._debate_screen is not None:
            self._debate_screen.debate_display.frame_loop.start_input()

    def _finish_key(self, key: Key) -> None:
        super()._finish_key(key)
        if self._current_key is None and self._debate_screen is not None:
            self.call_after_refresh(self._debate_screen.debate_display.frame_loop.finish_input)

    def on_load(self) -> None:
        """Turn garbage collection off: nothing built before the first frame is garbage."""
        self._gc_scheduler.disable()

    def on_unmount(self) -> None:
        """Turn garbage collection back on, however the app ends."""
        self._gc_scheduler.restore()

    def warn(self, text: str) -> None:
        if self._debate_screen is not None:
            self._debate_screen.warn(text)

    async def action_quit(self) -> None:
        """Paint all pending text and exit immediately."""
        if self._debate_screen is not None:
            self._debate_screen.debate_display.flush_all()
        self.exit()

    def _run_deferred_startup(self) -> None:
        """Run the startup work that can wait until the first frame is painted."""
        from debate_tui.display.markdown.document import preload

        self.load_themes()
        self._gc_scheduler.enable_without_full_collections()
        self.run_worker(preload, thread=True, name="warm lexers")


class DebateApp(BaseDebateApp):
    """An app that shows one debate until the user quits or `exit` is called."""

    def __init__(self, debate: DebateScreen) -> None:
        super().__init__(debate.view.options, debate, debate)

    def on_debate_screen_ready(self) -> None:
        """Run the deferred startup work after the session has been started."""
        self._run_deferred_startup()


class StartApp(BaseDebateApp):
    """An app that shows `start` until `show_debate` replaces it with a debate.

    It is one app rather than two, so that the terminal does not flash in between.
    """

    def __init__(self, start: StartScreen, options: ScreenOptions) -> None:
        super().__init__(options, start)
        self._start_screen = start

    def show_debate(self, debate: DebateScreen) -> None:
        """Show a debate from now on; can be called from any task of the event loop.

        The start screen stays below the debate. Replacing one screen with another would leave a moment
        without any, and would delay the debate's first frame.
        """
        self._debate_screen = debate
        self.call_later(self._start_screen.set_focus, None)
        self.call_later(self.push_screen, debate)

    def on_ready(self) -> None:
        """Run the deferred startup work after the first frame is painted."""
        self._run_deferred_startup()

    def on_debate_screen_ready(self) -> None:
        """Exempt the debate's objects from garbage collection, too."""
        self._gc_scheduler.enable_without_full_collections()

    def warn(self, text: str) -> None:
        if self._debate_screen is None:
            self.call_later(self._start_screen.warn, text)
        else:
            super().warn(text)
