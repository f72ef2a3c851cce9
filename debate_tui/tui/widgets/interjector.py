"""The line in which the moderator speaks to one debater or to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import LineInput
from debate_tui.tui.widgets.line import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from debate_tui.tui.glyphs import Glyphs

MAX_INTERJECTION_CHARACTERS = 2000


class RecipientLabel(TextRows):
    """Whom it is put to."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.recipient_name = "all"

    def rows(self, width: int) -> tuple[Row, ...]:
        """A mark and a name."""
        return (
            Row((Piece(f"{self._glyphs.interjection} to {self.recipient_name}", Tone.FOCUS, bold=True),)),
        )


class InterjectionBar(Horizontal):
    """Tab chooses to whom; on the screen's actions ``say`` and ``back``, its owner removes the line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_recipient", priority=True)]

    DEFAULT_CSS = """
    InterjectionBar {
        height: 1;
        background: $surface;
        RecipientLabel { width: 20; }
    }
    """

    def __init__(self, debater_names: Mapping[str, str], glyphs: Glyphs) -> None:
        super().__init__()
        self._debater_names = debater_names
        self._recipients: list[str | None] = [None, *debater_names]
        self.recipient: str | None = None
        """The debater it is put to; `None` for all."""
        self._recipient_label = RecipientLabel(glyphs)
        self._input = LineInput(
            enter_action="send_interjection",
            escape_action="back",
            placeholder="A question or remark, put to them at their next turn. Tab: to whom. Esc: close",
            max_length=MAX_INTERJECTION_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """RecipientLabel and text."""
        yield self._recipient_label
        yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self.screen.set_focus(self._input)

    def action_next_recipient(self) -> None:
        """To the next debater, and round again to all."""
        self.recipient = self._recipients[
            (self._recipients.index(self.recipient) + 1) % len(self._recipients)
        ]
        self._recipient_label.recipient_name = (
            "all" if self.recipient is None else self._debater_names[self.recipient]
        )
        self._recipient_label.refresh_rows()

    @property
    def text(self) -> str:
        """What was typed."""
        return self._input.text
