"""A card: a few rows in the middle of the screen, over the running debate."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

from debate_tui.tui.tones import Tone
from debate_tui.tui.uncoloured import DimmedScreen
from debate_tui.tui.widgets.line import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs

MARGIN = 3

Result = TypeVar("Result")


class Card(TextRows):
    """Rows under a title, with a blank line above and below; as wide as its widest row."""

    DEFAULT_CSS = "Card { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(self, title: str, rows: Sequence[Row], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._rows = (Row(), Row((Piece(title, Tone.FOCUS, bold=True),)), Row(), *rows, Row())
        self.styles.width = max(pieces_width((*row.left, *row.right)) for row in self._rows) + 2 * MARGIN
        self.styles.height = len(self._rows)

    def rows(self, width: int) -> tuple[Row, ...]:
        """The rows, whatever the width."""
        return self._rows


class OverlayScreen(ModalScreen[Result]):
    """A screen that lets the debate shine through."""

    DEFAULT_CSS = "OverlayScreen { align: center middle; background: $background 60%; }"

    def render(self) -> RenderableType:
        """See `Screen.render`."""
        below = super().render()
        if self.app.no_color and isinstance(below, BackgroundScreen):
            return DimmedScreen(below.screen, below.color)
        return below

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close, once: a key that was pressed twice comes again when the screen has gone already."""
        return super().dismiss(result) if self.is_current else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


class CardScreen(OverlayScreen[None]):
    """Shows a card until a key or a click outside of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,space,question_mark,f1", "dismiss_card"),
    ]

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def compose(self) -> ComposeResult:
        """The card alone."""
        yield self._card

    def action_dismiss_card(self) -> None:
        """Back to the debate."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """A click beside the card closes it."""
        if event.widget is self:
            self.dismiss(None)
