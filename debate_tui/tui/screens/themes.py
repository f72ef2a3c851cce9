"""The themes, tried on as they are pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui import themes
from debate_tui.tui.screens.menu import MenuScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece
from debate_tui.tui.widgets.menu import Choice, Menu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.theme import Theme

    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.widgets.pointing import Pointing

SWATCH = (Tone.FOCUS, Tone.STREAMING, Tone.CONNECTED, Tone.PAUSED, Tone.RECONNECTING, Tone.FAILED)
"""The colours a theme is known by."""


class ThemeScreen(MenuScreen):
    """The app wears the theme that is pointed at; whoever opened this settles which one stays."""

    DEFAULT_CSS = "ThemeScreen { align: right middle; background: $background 0%; }"

    def __init__(self, choices: Sequence[Theme], worn: str, glyphs: Glyphs) -> None:
        self._names = [theme.name for theme in choices]
        at = self._names.index(worn) if worn in self._names else 0
        super().__init__(Menu("Theme", [_choice(theme, glyphs) for theme in choices], glyphs, at=at))

    def on_pointing_pointed(self, message: Pointing.Pointed) -> None:
        """Try it on."""
        self.app.theme = self._names[message.place]


def _choice(theme: Theme, glyphs: Glyphs) -> Choice:
    colours = themes.tones(theme)
    swatch = tuple(Piece(glyphs.knob, colours[tone]) for tone in SWATCH)
    return Choice(theme.name, detail=(*swatch, Piece("  dark" if theme.dark else "  light", Tone.QUIET)))
