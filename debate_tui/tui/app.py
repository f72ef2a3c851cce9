"""The full-screen app: one debate log on screen."""

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

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.frame_clock import DisplayMode
    from debate_tui.display.pane_feed import PaneItem
    from debate_tui.display.statistics import Statistics
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.base_app import Key
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.screens.start import StartScreen


class BaseDebateApp(BaseApp[None]):
    """Has room for one debate, which `build_debate_screen` makes the screen for."""

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
        commands: Commands | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        on_ready: Callable[[], None] | None = None,
        on_mode: Callable[[DisplayMode], None] | None = None,
        screen: Callable[..., DebateScreen] = DebateScreen,
    ) -> DebateScreen:
        """The screen for a debate log, or for one that `attach_log` brings.

        It fills and drains `buffer` by itself; whoever reads sources only waits for its `room`. `on_ready` is
        called once, when the first frame is painted: the time to start the session. `on_mode` is told what
        the user chose, to be remembered. `statistics` are those of a debate that is held here, fed by whoever
        holds it; any other log is measured as it is followed. `screen` makes the screen.
        """
        self._ready_callback = on_ready
        self._debate_screen = screen(
            log,
            buffer,
            commands,
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
        """Handle input before text; called from the event loop as soon as there is any."""
        if self._debate_screen is not None:
            self._debate_screen.frame_loop.start_input()

    def _finish_key(self, key: Key) -> None:
        super()._finish_key(key)
        if self._current_key is None and self._debate_screen is not None:
            self.call_after_refresh(self._debate_screen.frame_loop.finish_input)

    async def attach_log(self, log: ReadableLog) -> None:
        """Show this debate on a screen that was made without one; callable from any task."""
        if self._debate_screen is not None:
            await self._debate_screen.attach_log(log)

    def on_load(self) -> None:
        """Nothing built until the first frame is garbage."""
        self._gc_scheduler.disable()

    def on_unmount(self) -> None:
        """However this ends, garbage is collected again."""
        self._gc_scheduler.restore()

    def warn(self, text: str) -> None:
        """Say above the footer what is wrong beside the debate; callable from the event loop, at any time."""
        if self._debate_screen is not None:
            self.call_later(self._debate_screen.warn, text)

    def show_wait_notice(self, reason: str, progress: str = "") -> None:
        """Say above the footer what the debate waits for; nothing, once it waits no more."""
        if self._debate_screen is not None:
            self.call_later(self._debate_screen.show_wait_notice, reason, progress)

    async def action_quit(self) -> None:
        """Show what is pending, and leave at once."""
        if self._debate_screen is not None:
            self._debate_screen.flush_all()
        self.exit()

    def _pending_writes(self) -> int:
        return self._driver.pending_writes if isinstance(self._driver, TerminalDriver) else 0

    def _slow_writes(self) -> int:
        return self._driver.slow_writes if isinstance(self._driver, TerminalDriver) else 0

    def _start_after_first_frame(self) -> None:
        """The debate's first frame is painted: go, and do what could wait until now."""
        if self._ready_callback is not None:
            self._ready_callback()
        self._run_deferred_startup()

    def _run_deferred_startup(self) -> None:
        """Do what could wait until there is something to look at."""
        from debate_tui.display.markdown.document import preload

        self.load_themes()
        self._gc_scheduler.enable_without_full_collections()
        self.run_worker(preload, thread=True, name="warm lexers")


class DebateApp(BaseDebateApp):
    """Shows a debate log until the user quits or `exit` is called; see `BaseDebateApp.build_debate_screen`.

    `on_theme` is told which theme the user chose, to be remembered.
    """

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[PaneItem],
        commands: Commands | None,
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
            commands,
            options,
            statistics=statistics,
            on_ready=on_ready,
            on_mode=on_mode,
            screen=screen,
        )

    def get_default_screen(self) -> DebateScreen:
        """The debate is all there is."""
        return self._initial_screen


def _ignore_choice(_: object) -> None:
    """Who is told when nobody asked to be."""


# The app that begins with the start screen, and becomes the debate that is begun there.


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
