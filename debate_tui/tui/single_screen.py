"""Apps with a single screen: history, manual and start screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from debate_tui.tui.base_app import BaseApp, Result
from debate_tui.tui.widgets.footer import Footer, NoticeBar
from debate_tui.tui.widgets.header import TitleBar

if TYPE_CHECKING:
    from debate_tui.tui.screen_options import ScreenOptions
    from debate_tui.tui.symbols import Glyphs


class TitledScreen(Screen[None]):
    """A screen with a title, notices about the program's own files, and key hints."""

    DEFAULT_CSS = """
    TitledScreen {
        layout: vertical;
        background: $background;
        color: $foreground;
        overflow: hidden;
    }
    """

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._title_bar = TitleBar(title, glyphs)
        self._notice_bar = NoticeBar(glyphs)
        self._footer = Footer(glyphs)
        self.set_class(glyphs.is_ascii, "-ascii")

    def warn(self, text: str) -> None:
        """Show a notice above the footer; an empty `text` removes it."""
        self._notice_bar.update(text, self.app.size.width)


class SingleScreenApp(BaseApp[Result]):
    """An app with a single screen."""

    def __init__(self, screen: TitledScreen, options: ScreenOptions) -> None:
        super().__init__(options, screen)
        self._screen = screen

    def on_ready(self) -> None:
        """Load the themes after the first frame is painted."""
        self.load_themes()

    def warn(self, text: str) -> None:
        self._screen.warn(text)
