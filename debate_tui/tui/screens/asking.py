"""Asks for a line of text, over a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from debate_tui.domain.errors import DebateError
from debate_tui.tui.screens.card import MARGIN, OverlayScreen
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import LineInput
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.events import Click

    from debate_tui.tui.glyphs import Glyphs

INPUT_DIALOG_WIDTH = 72
MAX_INPUT_CHARACTERS = 1000


class _StaticRows(TextRows):
    inset = MARGIN

    def __init__(self, rows: Sequence[Row], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._rows = tuple(rows)
        self.styles.height = len(self._rows)

    def set_rows(self, rows: Sequence[Row]) -> None:
        self._rows = tuple(rows)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        return self._rows


class InputScreen(OverlayScreen[str | None]):
    """Its result is what was typed, `None` if the screen was only closed.

    `check` raises `DebateError` for what cannot be taken; why is said, and asked again. `text` stands there
    from the beginning; `max_characters` is how many characters there may be.
    """

    DEFAULT_CSS = f"""
    InputScreen > Vertical {{
        width: {INPUT_DIALOG_WIDTH};
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
        max_characters: int = MAX_INPUT_CHARACTERS,
    ) -> None:
        super().__init__()
        self._check = check
        self._input = LineInput(
            text,
            enter_action="accept",
            escape_action="close",
            max_length=max_characters,
            select_on_focus=False,
        )
        told = [Row((Piece(example, Tone.QUIET),)) for example in examples]
        self._heading_rows = _StaticRows((Row(), Row((Piece(title, Tone.FOCUS, bold=True),)), Row()), glyphs)
        self._example_rows = _StaticRows((Row(), *told, Row()), glyphs)
        self._error_rows = _StaticRows((Row(), Row()), glyphs)

    def compose(self) -> ComposeResult:
        """Title, line, examples."""
        self._error_rows.display = False
        with Vertical():
            yield self._heading_rows
            yield self._input
            yield self._error_rows
            yield self._example_rows

    def on_mount(self) -> None:
        """Take the keys."""
        self.set_focus(self._input)

    def action_accept(self) -> None:
        """That is it, if it can be taken."""
        text = self._input.text
        try:
            self._check(text)
        except DebateError as error:
            self._error_rows.display = True
            self._error_rows.set_rows(
                [Row((Piece(line, Tone.FAILED),)) for line in (error.message, error.hint)]
            )
        else:
            self.dismiss(text)

    def action_close(self) -> None:
        """Say nothing."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """A click beside the card closes it."""
        if event.widget is self:
            self.dismiss(None)
