"""The full-screen apps that show a debate log."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.tui.base_app import BaseApp
from debate_tui.tui.driver import TerminalDriver
from debate_tui.tui.frame_loop import GcScheduler
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from debate_tui.display.buffer import PaneItem, SharedBuffer
    from debate_tui.display.display_modes import DisplayMode
    from debate_tui.display.statistics import Statistics
    from debate_tui.record.log import ReadableLog
    from debate_tui.session.commands import CommandHandler
    from debate_tui.tui.base_app import Key
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.screens.start import StartScreen


class BaseDebateApp(BaseApp[None]):
    """Base class for apps that show one debate; `build_debate_screen` creates its screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", priority=False),
    ]

    def __init__(self, options: ScreenOptions, *, on_theme: Callable[[str], None] | None = None) -> None:
        super().__init__(options, on_theme=on_theme)
        self._ready_callback: Callable[[], None] | None = None
        self._gc_scheduler = GcScheduler()
        self._debate_screen: DebateScreen | None = None

    def build_debate_screen(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[PaneItem],
        handle: CommandHandler | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        on_ready: Callable[[], None] | None = None,
        on_mode: Callable[[DisplayMode], None] | None = None,
        screen: Callable[..., DebateScreen] = DebateScreen,
    ) -> DebateScreen:
        """Build the screen for a debate log, or for one that is attached later with `attach_log`.

        The screen fills and drains `buffer` by itself; code that reads sources only has to await its
        `wait_for_room`. `on_ready` is called once, after the first frame is painted: the time to start the
        session. `on_mode` is called with the display mode the user chooses, so that it can be saved. Pass
        `statistics` for a debate that runs in this process, whose session updates them; for any other log,
        the screen measures them as it follows the log. `screen` is the factory for the screen.
        """
        self._ready_callback = on_ready
        self._debate_screen = screen(
            log,
            buffer,
            handle,
            options,
            statistics=statistics,
            on_mode=on_mode or _ignore_choice,
            on_ready=self._start_after_first_frame,
            on_round_break=self._gc_scheduler.collect_now,
            pending_writes=self._pending_writes,
            slow_writes=self._slow_writes,
        )
        return self._debate_screen

    def start_input(self) -> None:
        """Process input before text; called from the event loop as soon as input arrives."""
        if self._debate_screen is not None:
            self._debate_screen.frame_loop.start_input()

    def _finish_key(self, key: Key) -> None:
        super()._finish_key(key)
        if self._current_key is None and self._debate_screen is not None:
            self.call_after_refresh(self._debate_screen.frame_loop.finish_input)

    async def attach_log(self, log: ReadableLog) -> None:
        """Show this debate on a screen built without a log; can be called from any task."""
        if self._debate_screen is not None:
            await self._debate_screen.attach_log(log)

    def on_load(self) -> None:
        """Turn garbage collection off: nothing built before the first frame is garbage."""
        self._gc_scheduler.disable()

    def on_unmount(self) -> None:
        """Turn garbage collection back on, however the app ends."""
        self._gc_scheduler.restore()

    def warn(self, text: str) -> None:
        """Show a warning above the footer; can be called from the event loop at any time."""
        if self._debate_screen is not None:
            self.call_later(self._debate_screen.warn, text)

    def show_wait_notice(self, reason: str, progress: str = "") -> None:
        """Show above the footer what the debate is waiting for; an empty `reason` removes the notice."""
        if self._debate_screen is not None:
            self.call_later(self._debate_screen.show_wait_notice, reason, progress)

    async def action_quit(self) -> None:
        """Paint all pending text and exit immediately."""
        if self._debate_screen is not None:
            self._debate_screen.flush_all()
        self.exit()

    def _pending_writes(self) -> int:
        return self._driver.pending_writes if isinstance(self._driver, TerminalDriver) else 0

    def _slow_writes(self) -> int:
        return self._driver.slow_writes if isinstance(self._driver, TerminalDriver) else 0

    def _start_after_first_frame(self) -> None:
        """Start the session after the debate's first frame, then run the deferred startup work."""
        if self._ready_callback is not None:
            self._ready_callback()
        self._run_deferred_startup()

    def _run_deferred_startup(self) -> None:
        """Run the startup work that can wait until the first frame is painted."""
        from debate_tui.display.markdown.document import preload

        self.load_themes()
        self._gc_scheduler.enable_without_full_collections()
        self.run_worker(preload, thread=True, name="warm lexers")


class DebateApp(BaseDebateApp):
    """An app that shows one debate log until the user quits or `exit` is called.

    See `BaseDebateApp.build_debate_screen` for the parameters. `on_theme` is called with the theme the user
    chooses, so that it can be saved.
    """

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[PaneItem],
        handle: CommandHandler | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        on_ready: Callable[[], None] | None = None,
        on_mode: Callable[[DisplayMode], None] | None = None,
        on_theme: Callable[[str], None] | None = None,
        screen: Callable[..., DebateScreen] = DebateScreen,
    ) -> None:
        super().__init__(options, on_theme=on_theme)
        self._initial_screen = self.build_debate_screen(
            log,
            buffer,
            handle,
            options,
            statistics=statistics,
            on_ready=on_ready,
            on_mode=on_mode,
            screen=screen,
        )

    def get_default_screen(self) -> DebateScreen:
        """Return the debate screen, the only one in this app."""
        return self._initial_screen


def _ignore_choice(_: object) -> None:
    """Do nothing with the chosen mode; used when no callback is given."""


# The app that opens with the start screen and then shows the debate started there.


class StartApp(BaseDebateApp):
    """An app that shows `start` until `show_debate` replaces it with a debate.

    It is one app rather than two, so that the terminal does not flash in between.
    """

    def __init__(
        self, start: StartScreen, options: ScreenOptions, *, on_theme: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(options, on_theme=on_theme)
        self._start_screen = start

    def get_default_screen(self) -> Screen[None]:
        """Return the start screen."""
        return self._start_screen

    def show_debate(self, debate: Screen[None]) -> None:
        """Show a debate from now on; can be called from any task of the event loop.

        The start screen stays below the debate. Replacing one screen with another would leave a moment
        without any, and would delay the debate's first frame.
        """
        self.call_later(self._start_screen.set_focus, None)
        self.call_later(self.push_screen, debate)

    def on_ready(self) -> None:
        """Run the deferred startup work after the first frame is painted."""
        super()._run_deferred_startup()

    def _run_deferred_startup(self) -> None:
        """Re-enable garbage collection; the rest was done when the start screen was shown."""
        self._gc_scheduler.enable_without_full_collections()

    def warn(self, text: str) -> None:
        """See `BaseApp.warn`."""
        if self._debate_screen is None:
            self.call_later(self._start_screen.warn, text)
        else:
            super().warn(text)

    def show_start_error(self, message: str) -> None:
        """Show why a debate cannot start; can be called from any task of the event loop."""
        self.call_later(self._start_screen.show_start_error, message)
