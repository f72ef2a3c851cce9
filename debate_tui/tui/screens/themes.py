"""The themes, tried on as they are pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui import themes
from debate_tui.tui.screens.menu import MenuScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece
from debate_tui.tui.widgets.menu import Menu, MenuItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.theme import Theme

    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.widgets.pointing import SelectableList

SWATCH_TONES = (Tone.FOCUS, Tone.STREAMING, Tone.CONNECTED, Tone.PAUSED, Tone.RECONNECTING, Tone.FAILED)
"""The colours a theme is known by."""


class ThemeScreen(MenuScreen):
    """The app wears the theme that is pointed at; whoever opened this settles which one stays."""

    DEFAULT_CSS = "ThemeScreen { align: right middle; background: $background 0%; }"

    def __init__(self, available: Sequence[Theme], current: str, glyphs: Glyphs) -> None:
        self._names = [theme.name for theme in available]
        at = self._names.index(current) if current in self._names else 0
        super().__init__(
            Menu("Theme", [_theme_choice(theme, glyphs) for theme in available], glyphs, highlighted=at)
        )

    def on_selectable_list_highlighted(self, message: SelectableList.Highlighted) -> None:
        """Try it on."""
        self.app.theme = self._names[message.index]


def _theme_choice(theme: Theme, glyphs: Glyphs) -> MenuItem:
    colours = themes.theme_variables(theme)
    swatch = tuple(Piece(glyphs.dot, colours[tone]) for tone in SWATCH_TONES)
    return MenuItem(theme.name, detail=(*swatch, Piece("  dark" if theme.dark else "  light", Tone.QUIET)))
