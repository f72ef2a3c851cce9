"""Asks for a line of text, over a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from debate_tui.domain.errors import DebateError
from debate_tui.tui.screens.card import MARGIN, Overlay
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs

WIDTH = 72
MAX_CHARACTERS = 1000


class _Words(Lines):
    inset = MARGIN

    def __init__(self, rows: Sequence[Row], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._rows = tuple(rows)
        self.styles.height = len(self._rows)

    def show(self, rows: Sequence[Row]) -> None:
        self._rows = tuple(rows)
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        return self._rows


class AskScreen(Overlay[str | None]):
    """Its result is what was typed, `None` if the screen was only closed.

    `check` raises `DebateError` for what cannot be taken; why is said, and asked again. `text` stands there
    from the beginning; `most` is how many characters there may be.
    """

    DEFAULT_CSS = f"""
    AskScreen > Vertical {{
        width: {WIDTH};
        max-width: 100%;
        height: auto;
        background: $panel;
        Input, Input:focus {{
            height: 1;
            margin: 0 {MARGIN};
            border: none;
            padding: 0 1;
            background: $surface;
        }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(
        self,
        title: str,
        examples: Sequence[str],
        glyphs: Glyphs,
        *,
        check: Callable[[str], object],
        text: str = "",
        most: int = MAX_CHARACTERS,
    ) -> None:
        super().__init__()
        self._check = check
        self._input = Entry(text, enter="take", escape="close", max_length=most, select_on_focus=False)
        told = [Row((Piece(example, Tone.QUIET),)) for example in examples]
        self._above = _Words((Row(), Row((Piece(title, Tone.FOCUS, bold=True),)), Row()), glyphs)
        self._below = _Words((Row(), *told, Row()), glyphs)
        self._wrong = _Words((Row(), Row()), glyphs)

    def compose(self) -> ComposeResult:
        """Title, line, examples."""
        self._wrong.display = False
        with Vertical():
            yield self._above
            yield self._input
            yield self._wrong
            yield self._below

    def on_mount(self) -> None:
        """Take the keys."""
        self.set_focus(self._input)

    def action_take(self) -> None:
        """That is it, if it can be taken."""
        text = self._input.text
        try:
            self._check(text)
        except DebateError as error:
            self._wrong.display = True
            self._wrong.show([Row((Piece(line, Tone.FAILED),)) for line in (error.message, error.hint)])
        else:
            self.dismiss(text)

    def action_close(self) -> None:
        """Say nothing."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """A click beside the card closes it."""
        if event.widget is self:
            self.dismiss(None)
