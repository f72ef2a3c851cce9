"""The line in which the moderator speaks to one debater or to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.entry import Entry
from debate_tui.tui.widgets.line import Lines, Piece, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.widgets import Input

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
    """Enter says it, Tab chooses to whom, Escape says nothing; whoever hears of it removes the line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_recipient", priority=True),
        Binding("escape", "close"),
    ]

    DEFAULT_CSS = """
    Interjector {
        height: 1;
        background: $surface;
        Recipient { width: 20; }
    }
    """

    class Said(Message):
        """The moderator is done; `text` is empty if nothing was said, `to` `None` for all."""

        def __init__(self, text: str, to: str | None) -> None:
            super().__init__()
            self.text = text
            self.to = to

    def __init__(self, names: Mapping[str, str], glyphs: Glyphs) -> None:
        super().__init__()
        self._names = names
        self._choices: list[str | None] = [None, *names]
        self._to: str | None = None
        self._recipient = Recipient(glyphs)
        self._input = Entry(
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
        self._to = self._choices[(self._choices.index(self._to) + 1) % len(self._choices)]
        self._recipient.name_shown = "all" if self._to is None else self._names[self._to]
        self._recipient.sync()

    def action_close(self) -> None:
        """Say nothing."""
        self._finish("")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Say it."""
        message.stop()
        self.say()

    def say(self) -> None:
        """Say what was typed."""
        self._finish(self._input.value.strip())

    def _finish(self, text: str) -> None:
        self.post_message(self.Said(text, self._to))
