"""Menus over a screen: something is chosen, or nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.domain.exports import EXPORT_TYPES, ExportType
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.card import OverlayScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece
from debate_tui.tui.widgets.menu import Menu, MenuItem

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs

_EXPORT_CHOICES: dict[ExportType, MenuItem] = {
    "md": MenuItem("Markdown", "m", (Piece("for notes and repositories", Tone.QUIET),)),
    "html": MenuItem("HTML", "h", (Piece("panes side by side, to print or send", Tone.QUIET),)),
    "json": MenuItem("JSON", "j", (Piece("every event, for programs", Tone.QUIET),)),
    "txt": MenuItem("Text", "t", (Piece("the words as written", Tone.QUIET),)),
}


class MenuScreen(OverlayScreen[int | None]):
    """Its result is the place of the choice, `None` if it was only closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(self, menu: Menu) -> None:
        super().__init__()
        self._menu = menu

    def compose(self) -> ComposeResult:
        """The menu alone."""
        yield self._menu

    def on_mount(self) -> None:
        """Give the keys to the menu."""
        self.set_focus(self._menu)

    def on_menu_selected(self, message: Menu.Selected) -> None:
        """That is it."""
        self.dismiss(message.index)

    def action_close(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """A click beside the menu closes it."""
        if event.widget is self:
            self.dismiss(None)


class ExportMenuScreen(MenuScreen):
    """What to export a debate to; `EXPORT_TYPES` has the results."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(
            Menu("Export the debate to", [_EXPORT_CHOICES[form] for form in EXPORT_TYPES], glyphs)
        )


class ConfirmDeleteScreen(MenuScreen):
    """Asks before a debate is deleted; the result is 1 for yes."""

    def __init__(self, topic: str, glyphs: Glyphs) -> None:
        choices = (MenuItem("keep it", "n"), MenuItem("delete it for good", "y", tone=Tone.FAILED))
        super().__init__(Menu(f"Delete “{one_line(topic, 48)}”?", choices, glyphs))
