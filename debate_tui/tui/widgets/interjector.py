"""The line in which the moderator speaks to one debater or to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from debate_tui.tui.glyphs import Glyphs

MAX_CHARACTERS = 2000


class Recipient(Lines):
    """Whom it is put to."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.name_shown = "all"

    def rows(self, width: int) -> tuple[Row, ...]:
        """A mark and a name."""
        return (Row((Piece(f"{self._glyphs.interjection} to {self.name_shown}", Tone.FOCUS, bold=True),)),)


class Interjector(Horizontal):
    """Tab chooses to whom; on the screen's actions ``say`` and ``back``, its owner removes the line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "next_recipient", priority=True)]

    DEFAULT_CSS = """
    Interjector {
        height: 1;
        background: $surface;
        Recipient { width: 20; }
    }
    """

    def __init__(self, names: Mapping[str, str], glyphs: Glyphs) -> None:
        super().__init__()
        self._names = names
        self._choices: list[str | None] = [None, *names]
        self.to: str | None = None
        """The debater it is put to; `None` for all."""
        self._recipient = Recipient(glyphs)
        self._input = Entry(
            enter="say",
            escape="back",
            placeholder="A question or remark, put to them at their next turn. Tab: to whom. Esc: close",
            max_length=MAX_CHARACTERS,
        )

    def compose(self) -> ComposeResult:
        """Recipient and text."""
        yield self._recipient
        yield self._input

    def on_mount(self) -> None:
        """Take the keys."""
        self.screen.set_focus(self._input)

    def action_next_recipient(self) -> None:
        """To the next debater, and round again to all."""
        self.to = self._choices[(self._choices.index(self.to) + 1) % len(self._choices)]
        self._recipient.name_shown = "all" if self.to is None else self._names[self.to]
        self._recipient.sync()

    @property
    def text(self) -> str:
        """What was typed."""
        return self._input.text
