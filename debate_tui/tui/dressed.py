"""What all full-screen apps have in common: their terminal, and the theme they wear."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.binding import Binding, BindingType

from debate_tui.tui import themes
from debate_tui.tui.driver import TerminalDriver
from debate_tui.tui.glyphs import ASCII, UNICODE
from debate_tui.tui.keyboard import KeyboardApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.theme import Theme

    from debate_tui.tui.options import ScreenOptions

Result = TypeVar("Result")

LOOK_SECONDS = 1.0
"""How often the user's themes are looked at."""


class DressedApp(KeyboardApp[Result]):
    """Wears the theme of the options from the first frame on; `load_themes` makes the others known.

    From then on ``T`` tries on others, and the user's own are read again whenever their files change.
    `on_theme` is told which theme the user chose, to be remembered. A subclass shows what `warn` says.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", "themes"),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, options: ScreenOptions, *, on_theme: Callable[[str], None] | None = None) -> None:
        self._dressed = False
        super().__init__(driver_class=TerminalDriver)
        self._disable_notifications = True  # nothing is ever said by a toast: no screen needs a rack for them
        if self.no_color:  # Textual has taken it out of the environment, where the next screen looks for it
            os.environ["NO_COLOR"] = "1"
            from debate_tui.tui.uncoloured import Uncoloured

            self._filters = [Uncoloured()]
        self._glyphs = ASCII if options.ascii else UNICODE
        self._folders = (themes.shipped_folder(), options.user_themes)
        self._wanted = options.theme or themes.DEFAULT_THEME
        self._on_theme = on_theme
        self._own: tuple[str, ...] = ()
        self._problems = ""
        self._dress()

    async def run_async(self, **more: Any) -> Result | None:
        """See `App.run_async`; what nobody foresaw is raised, once the screen is given back."""
        result = await super().run_async(**more)
        if self._exception is not None:
            raise self._exception
        return result

    def _fatal_error(self) -> None:
        """Leave the screen. Textual (8.2) would print a traceback with everything that was in memory."""
        self._close_messages_no_wait()

    def get_css_variables(self) -> dict[str, str]:
        """Those of the theme that is worn; of the one that Textual begins with, nothing is ever seen."""
        return super().get_css_variables() if self._dressed else {}

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give the program's own tones to themes that have none."""
        return themes.defaults(self.current_theme)

    def load_themes(self) -> None:
        """Make every theme known, name the files that are not themes, and watch the user's."""
        seen = themes.changed(self._folders[1])
        self._put_up(themes.load(*self._folders))
        if self._folders[1] is not None:
            self.run_worker(self._follow_themes(seen), name="themes")

    def warn(self, text: str) -> None:
        """Say what is wrong with the program's own files; nothing, once it is put right."""
        raise NotImplementedError

    def action_themes(self) -> None:
        """Try on other themes."""
        from debate_tui.tui.screens.themes import ThemeScreen

        worn, choices = self.theme, self._choices()

        def keep(place: int | None) -> None:
            self.theme = worn if place is None else choices[place].name
            if place is not None and self._on_theme is not None:
                self._on_theme(self.theme)

        self.push_screen(ThemeScreen(choices, worn, self._glyphs), keep)

    def _choices(self) -> list[Theme]:
        """The project's and the user's themes, then Textual's."""
        known = self.available_themes
        return [
            *(known[name] for name in self._own),
            *(theme for name, theme in known.items() if name not in self._own),
        ]

    async def _follow_themes(self, seen: tuple[tuple[str, int, int], ...]) -> None:
        """Read the themes again whenever a file of the user's is different."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = await asyncio.to_thread(themes.changed, self._folders[1])
            if now != seen:
                seen = now
                self._put_up(await asyncio.to_thread(themes.load, *self._folders))

    def _put_up(self, shelf: themes.Shelf) -> None:
        """Offer these themes, and wear what is meant by the name of the one worn."""
        names = tuple(theme.name for theme in shelf.themes)
        worn = self.current_theme
        for theme in shelf.themes:
            self.register_theme(theme)
        for name in set(self._own) - set(names):
            self.unregister_theme(name)
        first, self._own = not self._own, names
        problems = list(shelf.problems)
        wanted = self._wanted if first else worn.name
        if wanted not in self.available_themes:
            problems.append(f"There is no theme `{wanted}`.")
            wanted = themes.DEFAULT_THEME
        if wanted != worn.name:
            self.theme = wanted
        elif self.current_theme != worn:
            self.mutate_reactive(DressedApp.theme)
        said, self._problems = self._problems, " ".join(problems)
        if self._problems != said:
            self.warn(self._problems)

    def _dress(self) -> None:
        """Put on the theme that was asked for, before anything is drawn; the others can wait."""
        self._dressed = True
        for name in (self._wanted, themes.DEFAULT_THEME):
            if (theme := themes.find(name, *self._folders)) is not None:
                self.register_theme(theme)
            if name in self.available_themes:
                self.set_reactive(DressedApp.theme, name)
                self.stylesheet.set_variables(self.get_css_variables())
                return
