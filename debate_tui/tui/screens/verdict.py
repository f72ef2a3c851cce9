"""The verdict over the debate: what judges, debaters and those who watched made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from debate_tui.domain.judgement import judgement
from debate_tui.tui.screens.card import Overlay
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row
from debate_tui.tui.widgets.verdict import VerdictRows

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
    from textual.geometry import Size

    from debate_tui.domain.transcript import Transcript
    from debate_tui.tui.glyphs import Glyphs

WIDEST = 96
"""Cells of a line that is still read with ease."""

MARGIN = 3
FREE_ROWS = 30
"""Rows of a terminal from which on the card leaves some of the debate to be seen."""

WHEEL = 3
"""Rows that a turn of the wheel scrolls."""


class VerdictCard(Lines):
    """The verdict between a blank row and a row that says how much is below; scrolled where it is longer."""

    DEFAULT_CSS = "VerdictCard { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(self, transcript: Transcript, glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._transcript = transcript
        self._glyphs = glyphs
        self._rows: tuple[Row, ...] = ()
        self._top = 0
        self._cells = self._tallest = self._least = 0

    def fit(self, size: Size) -> None:
        """Make the most of a screen of this size."""
        roomy = size.height >= FREE_ROWS
        self.inset = MARGIN if roomy else 1
        width = min(size.width, WIDEST + 2 * MARGIN)
        self.styles.width = width if roomy else size.width
        self._cells = (width if roomy else size.width) - 2 * self.inset
        self._tallest = size.height - (4 if roomy else 0)
        self._least = 0 if roomy else size.height
        self.look()

    def look(self) -> None:
        """Lay out again what is known now, once there is a size to lay it out for."""
        if not self._cells:
            return
        found = judgement(self._transcript)
        self._rows = VerdictRows(found, self._cells, self._glyphs).rows() if found is not None else ()
        self.styles.height = max(min(len(self._rows) + 3, self._tallest), self._least)
        self.scroll_by(0)

    def scroll_by(self, rows: int) -> None:
        """Show what is further down, or up."""
        self._top = max(0, min(self._top + rows, len(self._rows) - self._room))
        self.sync()

    @property
    def page(self) -> int:
        """Rows to scroll by a page."""
        return max(1, self._room - 2)

    @property
    def _room(self) -> int:
        return max(1, min(len(self._rows) + 3, self._tallest) - 3)

    def rows(self, width: int) -> tuple[Row, ...]:
        """What is in view."""
        shown = self._rows[self._top : self._top + self._room]
        blank = [Row()] * max(0, self.size.height - len(shown) - 2)
        return (Row(), *shown, *blank, self._bottom())

    def _bottom(self) -> Row:
        glyphs = self._glyphs
        below = max(0, len(self._rows) - self._top - self._room)
        more = Piece(f"{glyphs.down} {below} more", Tone.FOCUS)
        keys = [("esc", "to the debate")]
        if self._room < len(self._rows):
            keys.append((f"{glyphs.up} {glyphs.down}", "scroll"))
        pieces: list[Piece] = []
        for key, does in keys:
            pieces += [Piece(key, Tone.FOCUS, bold=True), Piece(f" {does}   ", Tone.QUIET)]
        return Row(tuple(pieces), (more,) if below else ())


class VerdictScreen(Overlay[None]):
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
        self._card.fit(self.app.size)
        yield self._card

    def look(self) -> None:
        """Somebody has decided or voted since."""
        self._card.look()

    def on_resize(self, event: Resize) -> None:
        """Use the room there is."""
        self._card.fit(event.size)

    def action_scroll(self, rows: int) -> None:
        """Show what is further down, or up."""
        self._card.scroll_by(rows)

    def action_page(self, pages: int) -> None:
        """A page further down, or up."""
        self._card.scroll_by(pages * self._card.page)

    def action_close(self) -> None:
        """Back to the debate."""
        self.dismiss(None)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Further down."""
        event.stop()
        self._card.scroll_by(WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Further up."""
        event.stop()
        self._card.scroll_by(-WHEEL)

    def on_click(self, event: Click) -> None:
        """A click beside the card closes it."""
        if event.widget is self:
            self.dismiss(None)
