"""The full-screen app: one debate log on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.tui.collector import Collector
from debate_tui.tui.dressed import DressedApp
from debate_tui.tui.driver import TerminalDriver
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.display.modes import Mode
    from debate_tui.display.statistics import Statistics
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions


class StageApp(DressedApp[None]):
    """Has room for one debate, which `staged` makes the screen for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", priority=False),
    ]

    def __init__(self, options: ScreenOptions, *, on_theme: Callable[[str], None] | None = None) -> None:
        super().__init__(options, on_theme=on_theme)
        self._on_ready: Callable[[], None] | None = None
        self._collector = Collector()
        self._debate: DebateScreen | None = None

    def staged(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        on_ready: Callable[[], None] | None = None,
        on_mode: Callable[[Mode], None] | None = None,
        screen: Callable[..., DebateScreen] = DebateScreen,
    ) -> DebateScreen:
        """The screen for a debate log, or for one that `attach` brings.

        It fills and drains `buffer` by itself; whoever reads sources only waits for its `room`. `on_ready` is
        called once, when the first frame is painted: the time to start the session. `on_mode` is told what
        the user chose, to be remembered. `statistics` are those of a debate that is held here, fed by whoever
        holds it; any other log is measured as it is followed. `screen` makes the screen.
        """
        self._on_ready = on_ready
        self._debate = screen(
            log,
            buffer,
            commands,
            options,
            statistics=statistics,
            on_mode=on_mode or _nobody,
            on_ready=self._start,
            on_pause=self._collector.pause,
            unwritten=self._unwritten,
            slow_writes=self._slow_writes,
        )
        return self._debate

    async def attach(self, log: ReadableLog) -> None:
        """Show this debate on a screen that was made without one; callable from any task."""
        if self._debate is not None:
            await self._debate.attach(log)

    def on_load(self) -> None:
        """Nothing built until the first frame is garbage."""
        self._collector.start_up()

    def on_unmount(self) -> None:
        """However this ends, garbage is collected again."""
        self._collector.restore()

    def warn(self, text: str) -> None:
        """Say above the footer what is wrong beside the debate; callable from the event loop, at any time."""
        if self._debate is not None:
            self.call_later(self._debate.warn, text)

    def wait_for(self, what: str, how_far: str = "") -> None:
        """Say above the footer what the debate waits for; nothing, once it waits no more."""
        if self._debate is not None:
            self.call_later(self._debate.wait_for, what, how_far)

    async def action_quit(self) -> None:
        """Show what is pending, and leave at once."""
        if self._debate is not None:
            self._debate.drain()
        self.exit()

    def _unwritten(self) -> int:
        return self._driver.backlog if isinstance(self._driver, TerminalDriver) else 0

    def _slow_writes(self) -> int:
        return self._driver.slow_writes if isinstance(self._driver, TerminalDriver) else 0

    def _start(self) -> None:
        """The debate's first frame is painted: go, and do what could wait until now."""
        if self._on_ready is not None:
            self._on_ready()
        self._settle()

    def _settle(self) -> None:
        """Do what could wait until there is something to look at."""
        from debate_tui.display.markdown.highlight import warm

        self.load_themes()
        self._collector.settle()
        self.run_worker(warm, thread=True, name="warm lexers")


class DebateApp(StageApp):
    """Shows a debate log until the user quits or `exit` is called; see `StageApp.staged`.

    `on_theme` is told which theme the user chose, to be remembered.
    """

    def __init__(
        self,
        log: ReadableLog | None,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        *,
        statistics: Statistics | None = None,
        on_ready: Callable[[], None] | None = None,
        on_mode: Callable[[Mode], None] | None = None,
        on_theme: Callable[[str], None] | None = None,
        screen: Callable[..., DebateScreen] = DebateScreen,
    ) -> None:
        super().__init__(options, on_theme=on_theme)
        self._shown = self.staged(
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
        return self._shown


def _nobody(_: object) -> None:
    """Who is told when nobody asked to be."""
