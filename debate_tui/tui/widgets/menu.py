"""A menu: rows to choose one of, with arrow keys, letters or the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, width_of
from debate_tui.tui.widgets.pointing import Pointing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, Key

    from debate_tui.tui.glyphs import Glyphs

MARGIN = 3
ABOVE = 3
"""Rows above the first choice: blank, title, blank."""

BELOW = 1


class Choice(NamedTuple):
    """What it is called, the letter that chooses it at once, if it has one, and more about it."""

    label: str
    key: str = ""
    detail: tuple[Piece, ...] = ()
    tone: Tone = Tone.TEXT


class Menu(Pointing):
    """Choices under a title; where there is not room for all, those around the one pointed at are shown."""

    DEFAULT_CSS = "Menu { background: $panel; max-width: 100%; max-height: 100%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+tab", "move(-1)"),
        Binding("tab", "move(1)"),
        Binding("enter,space", "choose"),
    ]
    inset = MARGIN

    class Chosen(Message):
        """A choice was made."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, title: str, choices: Sequence[Choice], glyphs: Glyphs, *, at: int = 0) -> None:
        super().__init__(at)
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._heading = (Row(), Row((Piece(glyphs.typed(title), Tone.FOCUS, bold=True),)), Row())
        self._choices = choices = tuple(_typed(choice, glyphs) for choice in choices)
        self._keys = max((len(choice.key) for choice in choices), default=0)
        self._labels = max((width_of((Piece(choice.label),)) for choice in choices), default=0)
        rows = [*self._heading, *(self._row(place) for place in range(len(choices)))]
        self.styles.width = max(width_of(row.left) for row in rows) + 2 * MARGIN
        self.styles.height = ABOVE + len(choices) + BELOW

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self._choices)

    @property
    def room(self) -> int:
        """How many of them fit."""
        return self.size.height - ABOVE - BELOW

    def rows(self, width: int) -> tuple[Row, ...]:
        """Title and choices."""
        last = min(self._top + max(1, self.room), self.count)
        return (*self._heading, *(self._row(place) for place in range(self._top, last)), *[Row()] * BELOW)

    def _row(self, place: int) -> Row:
        choice = self._choices[place]
        here = place == self._at
        mark = Piece(f"{self._glyphs.interjection} " if here else "  ", Tone.FOCUS, bold=True)
        key = Piece(f"{choice.key:<{self._keys}}  " if self._keys else "", Tone.FOCUS, bold=True)
        label = Piece(choice.label, choice.tone, bold=here)
        space = Piece(" " * (self._labels - width_of((label,)) + 2)) if choice.detail else Piece("")
        return Row(tuple(piece for piece in (mark, key, label, space, *choice.detail) if piece.text))

    def action_move(self, steps: int) -> None:
        """Point further up or down, and from either end to the other."""
        self.point((self._at + steps) % self.count)

    def action_choose(self) -> None:
        """Choose what is pointed at."""
        self.post_message(self.Chosen(self._at))

    def on_key(self, event: Key) -> None:
        """Choose what has this letter."""
        for place, choice in enumerate(self._choices):
            if choice.key and event.character == choice.key:
                event.stop()
                self.point(place)
                self.action_choose()

    def on_click(self, event: Click) -> None:
        """Choose what is clicked on."""
        event.stop()
        place = self._top + event.y - ABOVE
        if event.y >= ABOVE and place < min(self.count, self._top + self.room):
            self.point(place)
            self.action_choose()


def _typed(choice: Choice, glyphs: Glyphs) -> Choice:
    """The choice as it will be drawn, so that its columns are as wide as they look."""
    detail = tuple(piece._replace(text=glyphs.typed(piece.text)) for piece in choice.detail)
    return choice._replace(label=glyphs.typed(choice.label), detail=detail)
