"""The verdict over the debate: what judges, debaters and those who watched made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.domain.judging.summary import summarise_outcome
from debate_tui.tui.screens.card import OverlayScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, TextRows
from debate_tui.tui.widgets.verdict import VerdictRows

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
    from textual.geometry import Size

    from debate_tui.domain.transcript import Transcript
    from debate_tui.tui.glyphs import Glyphs

MAX_TEXT_WIDTH = 96
"""Cells of a line that is still read with ease."""

MARGIN = 3
MARGIN_MIN_ROWS = 30
"""Rows of a terminal from which on the card leaves some of the debate to be seen."""

WHEEL_ROWS = 3
"""Rows that a turn of the wheel scrolls."""


class VerdictCard(TextRows):
    """The verdict between a blank row and a row that says how much is below; scrolled where it is longer."""

    DEFAULT_CSS = "VerdictCard { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(self, transcript: Transcript, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._transcript = transcript
        self._glyphs = glyphs
        self._rows: tuple[Row, ...] = ()
        self._first_row = 0
        self._text_width = self._max_rows = self._min_rows = 0

    def fit_to(self, size: Size) -> None:
        """Make the most of a screen of this size."""
        roomy = size.height >= MARGIN_MIN_ROWS
        self.inset = MARGIN if roomy else 1
        width = min(size.width, MAX_TEXT_WIDTH + 2 * MARGIN)
        self.styles.width = width if roomy else size.width
        self._text_width = (width if roomy else size.width) - 2 * self.inset
        self._max_rows = size.height - (4 if roomy else 0)
        self._min_rows = 0 if roomy else size.height
        self.update_verdict()

    def update_verdict(self) -> None:
        """Lay out again what is known now, once there is a size to lay it out for."""
        if not self._text_width:
            return
        found = summarise_outcome(self._transcript)
        self._rows = VerdictRows(found, self._text_width, self._glyphs).rows() if found is not None else ()
        self.styles.height = max(min(len(self._rows) + 3, self._max_rows), self._min_rows)
        self.scroll_rows(0)

    def scroll_rows(self, rows: int) -> None:
        """Show what is further down, or up."""
        self._first_row = max(0, min(self._first_row + rows, len(self._rows) - self._visible_rows))
        self.refresh_rows()

    @property
    def page_rows(self) -> int:
        """Rows to scroll by a page."""
        return max(1, self._visible_rows - 2)

    @property
    def _visible_rows(self) -> int:
        return max(1, min(len(self._rows) + 3, self._max_rows) - 3)

    def rows(self, width: int) -> tuple[Row, ...]:
        """What is in view."""
        shown = self._rows[self._first_row : self._first_row + self._visible_rows]
        blank = [Row()] * max(0, self.size.height - len(shown) - 2)
        return (Row(), *shown, *blank, self._footer_row())

    def _footer_row(self) -> Row:
        glyphs = self._glyphs
        below = max(0, len(self._rows) - self._first_row - self._visible_rows)
        more = Piece(f"{glyphs.down} {below} more", Tone.FOCUS)
        keys = [("esc", "to the debate")]
        if self._visible_rows < len(self._rows):
            keys.append((f"{glyphs.up} {glyphs.down}", "scroll"))
        pieces: list[Piece] = []
        for key, does in keys:
            pieces += [Piece(key, Tone.FOCUS, bold=True), Piece(f" {does}   ", Tone.QUIET)]
        return Row(tuple(pieces), (more,) if below else ())


class VerdictScreen(OverlayScreen[None]):
    """Opens when a debate ends with a verdict, and with ``v``; the debate stays beneath."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,v,enter", "close"),
        Binding("down,j", "scroll(1)"),
        Binding("up,k", "scroll(-1)"),
        Binding("pagedown,space", "page(1)"),
        Binding("pageup", "page(-1)"),
        Binding("home,g", "scroll(-100000)"),
        Binding("end,G", "scroll(100000)"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(self, transcript: Transcript, glyphs: Glyphs) -> None:
        super().__init__()
        self._card = VerdictCard(transcript, glyphs)

    def compose(self) -> ComposeResult:
        """The card alone, in its size from the first frame on."""
        self._card.fit_to(self.app.size)
        yield self._card

    def update_verdict(self) -> None:
        """Somebody has decided or voted since."""
        self._card.update_verdict()

    def on_resize(self, event: Resize) -> None:
        """Use the room there is."""
        self._card.fit_to(event.size)

    def action_scroll(self, rows: int) -> None:
        """Show what is further down, or up."""
        self._card.scroll_rows(rows)

    def action_page(self, pages: int) -> None:
        """A page further down, or up."""
        self._card.scroll_rows(pages * self._card.page_rows)

    def action_close(self) -> None:
        """Back to the debate."""
        self.dismiss(None)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Further down."""
        event.stop()
        self._card.scroll_rows(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Further up."""
        event.stop()
        self._card.scroll_rows(-WHEEL_ROWS)

    def on_click(self, event: Click) -> None:
        """A click beside the card closes it."""
        if event.widget is self:
            self.dismiss(None)
