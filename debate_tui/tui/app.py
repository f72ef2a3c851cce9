"""The full-screen app: one debate log on screen."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from debate_tui.tui import themes
from debate_tui.tui.screens.debate import DebateScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.display.buffer import SharedBuffer
    from debate_tui.display.feed import Item
    from debate_tui.display.modes import Mode
    from debate_tui.record.log import DebateLog
    from debate_tui.tui.commands import Commands
    from debate_tui.tui.options import ScreenOptions


class DebateApp(App[None]):
    """Shows a debate log until the user quits or `exit` is called.

    It fills and drains `buffer` by itself; whoever reads sources only waits for its `room`. `on_ready` is
    called once, when the first frame is painted: the time to start the session. `on_mode` and `on_theme`
    are told what the user chose, to be remembered.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", priority=False),
    ]

    def __init__(
        self,
        log: DebateLog,
        buffer: SharedBuffer[Item],
        commands: Commands | None,
        options: ScreenOptions,
        *,
        on_ready: Callable[[], None] | None = None,
        on_mode: Callable[[Mode], None] | None = None,
        on_theme: Callable[[str], None] | None = None,
    ) -> None:
        self._shelf = themes.load(themes.shipped_folder(), options.user_themes)
        super().__init__()
        self._options = options
        self._on_ready = on_ready
        self._on_theme = on_theme
        self._debate = DebateScreen(
            log, buffer, commands, options, on_mode=on_mode or _nobody, on_ready=self._start
        )
        for theme in self._shelf.themes:
            self.register_theme(theme)

    def get_default_screen(self) -> DebateScreen:
        """The debate is all there is."""
        return self._debate

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the program's own tones to themes that have none."""
        return themes.defaults(self.current_theme)

    def on_mount(self) -> None:
        """Put on the theme that was asked for."""
        wanted = self._options.theme or themes.DEFAULT_THEME
        if wanted in self.available_themes:
            self.theme = wanted
        elif themes.DEFAULT_THEME in self.available_themes:
            self.theme = themes.DEFAULT_THEME

    async def action_quit(self) -> None:
        """Show what is pending, and leave at once."""
        self._debate.drain()
        self.exit()

    def _start(self) -> None:
        """The first frame is painted: nothing built so far needs to be looked at by the collector again."""
        gc.collect()
        gc.freeze()
        if self._on_ready is not None:
            self._on_ready()


def _nobody(_: object) -> None:
    """Who is told when nobody asked to be."""
