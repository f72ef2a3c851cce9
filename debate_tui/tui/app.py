"""The full-screen app: one debate log on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from debate_tui.display.markdown.highlight import warm
from debate_tui.tui import themes
from debate_tui.tui.collector import Collector
from debate_tui.tui.driver import TerminalDriver
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.theme import Theme

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.display.modes import Mode
    from debate_tui.display.statistics import Statistics
    from debate_tui.record.log import ReadableLog
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions


class DebateApp(App[None]):
    """Shows a debate log until the user quits or `exit` is called.

    It fills and drains `buffer` by itself; whoever reads sources only waits for its `room`. `on_ready` is
    called once, when the first frame is painted: the time to start the session. `on_mode` and `on_theme`
    are told what the user chose, to be remembered. `statistics` are those of a debate that is held here, fed
    by whoever holds it; any other log is measured as it is followed. `screen` makes the screen.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", priority=False),
    ]

    def __init__(
        self,
        log: ReadableLog,
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
        super().__init__(driver_class=TerminalDriver)
        self._folders = (themes.shipped_folder(), options.user_themes)
        self._wanted = options.theme or themes.DEFAULT_THEME
        self._on_ready = on_ready
        self._on_theme = on_theme
        self._collector = Collector()
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
        )
        self._dress()

    def get_default_screen(self) -> DebateScreen:
        """The debate is all there is."""
        return self._debate

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the program's own tones to themes that have none."""
        return themes.defaults(self.current_theme)

    def on_load(self) -> None:
        """Nothing built until the first frame is garbage."""
        self._collector.start_up()

    def on_unmount(self) -> None:
        """However this ends, garbage is collected again."""
        self._collector.restore()

    def _dress(self) -> None:
        """Put on the theme that was asked for, before anything is drawn; the others can wait."""
        for name in (self._wanted, themes.DEFAULT_THEME):
            if (theme := themes.find(name, *self._folders)) is not None:
                self.register_theme(theme)
            if name in self.available_themes:
                self.set_reactive(App.theme, name)
                self.stylesheet.set_variables(self.get_css_variables())
                return

    def _load_themes(self) -> None:
        """Make every theme known, and name the files that are not themes."""
        shelf = themes.load(*self._folders)
        for theme in shelf.themes:
            self.register_theme(theme)
        problems = list(shelf.problems)
        if self._wanted in self.available_themes:
            self.theme = self._wanted
        else:
            problems.append(f"There is no theme `{self._wanted}`.")
        if problems:
            self._debate.warn(" ".join(problems))

    def warn(self, text: str) -> None:
        """Say above the footer what is wrong beside the debate; callable from the event loop, at any time."""
        self.call_later(self._debate.warn, text)

    def _remember(self, theme: Theme) -> None:
        if self._on_theme is not None and theme.name != self._wanted:
            self._on_theme(theme.name)

    async def action_quit(self) -> None:
        """Show what is pending, and leave at once."""
        self._debate.drain()
        self.exit()

    def _unwritten(self) -> int:
        return self._driver.backlog if isinstance(self._driver, TerminalDriver) else 0

    def _start(self) -> None:
        """The first frame is painted: go, and do what could wait until now."""
        if self._on_ready is not None:
            self._on_ready()
        self._load_themes()
        self.theme_changed_signal.subscribe(self, self._remember)
        self._collector.settle()
        self.run_worker(warm, thread=True, name="warm lexers")


def _nobody(_: object) -> None:
    """Who is told when nobody asked to be."""
