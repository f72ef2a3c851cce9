"""What all full-screen apps have in common: their terminal, and the theme they wear."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from textual.app import App

from debate_tui.tui import themes
from debate_tui.tui.driver import TerminalDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.tui.options import ScreenOptions

Result = TypeVar("Result")


class DressedApp(App[Result]):
    """Wears the theme of the options from the first frame on; `load_themes` makes the others known.

    `on_theme` is told which theme the user chose, to be remembered. A subclass shows what `warn` says.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, options: ScreenOptions, *, on_theme: Callable[[str], None] | None = None) -> None:
        super().__init__(driver_class=TerminalDriver)
        if self.no_color:  # Textual has taken it out of the environment, where the next screen looks for it
            os.environ["NO_COLOR"] = "1"
        self._folders = (themes.shipped_folder(), options.user_themes)
        self._wanted = options.theme or themes.DEFAULT_THEME
        self._on_theme = on_theme
        self._dress()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the program's own tones to themes that have none."""
        return themes.defaults(self.current_theme)

    def load_themes(self) -> None:
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
            self.warn(" ".join(problems))

    def warn(self, text: str) -> None:
        """Say what is wrong with the program's own files."""
        raise NotImplementedError

    def _dress(self) -> None:
        """Put on the theme that was asked for, before anything is drawn; the others can wait."""
        for name in (self._wanted, themes.DEFAULT_THEME):
            if (theme := themes.find(name, *self._folders)) is not None:
                self.register_theme(theme)
            if name in self.available_themes:
                self.set_reactive(App.theme, name)
                self.stylesheet.set_variables(self.get_css_variables())
                return
