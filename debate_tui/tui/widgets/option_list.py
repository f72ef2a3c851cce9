"""A list in which one thing is pointed at, by keys or by the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, pieces_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, Key, MouseScrollDown, MouseScrollUp, Resize

    from debate_tui.tui.symbols import Glyphs


class SelectableList(TextRows, can_focus=True):
    """A subclass says how many there are (`count`) and fit (`room`), and shows them from `_first_visible`
    on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)"),
        Binding("down", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home", "first"),
        Binding("end", "last"),
    ]

    class Highlighted(Message):
        """Something else is pointed at."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, highlighted: int = 0) -> None:
        super().__init__()
        self._highlighted = highlighted
        self._first_visible = 0

    @property
    def count(self) -> int:
        """How many there are."""
        raise NotImplementedError

    @property
    def visible_count(self) -> int:
        """How many fit."""
        raise NotImplementedError

    @property
    def highlighted(self) -> int:
        """What is pointed at."""
        return self._highlighted

    def highlight(self, index: int) -> None:
        """Point at the nearest there is to this, and have it in view."""
        index = max(0, min(index, self.count - 1))
        told = index != self._highlighted
        self._highlighted = index
        self._scroll_to_highlighted()
        if told:
            self.post_message(self.Highlighted(index))

    def _scroll_to_highlighted(self) -> None:
        room = max(1, self.visible_count)
        first = max(min(self._first_visible, self._highlighted), self._highlighted - room + 1)
        self._first_visible = max(0, min(first, self.count - room))
        self.refresh_rows()

    def action_move(self, steps: int) -> None:
        """Point further up or down."""
        self.highlight(self._highlighted + steps)

    def action_page(self, pages: int) -> None:
        """Point a page further up or down."""
        self.highlight(self._highlighted + pages * max(1, self.visible_count))

    def action_first(self) -> None:
        """Point at the first."""
        self.highlight(0)

    def action_last(self) -> None:
        """Point at the last."""
        self.highlight(self.count - 1)

    def on_resize(self, _: Resize) -> None:
        """Keep in view what is pointed at."""
        self._scroll_to_highlighted()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Point further up."""
        event.stop()
        self.highlight(self._highlighted - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Point further down."""
        event.stop()
        self.highlight(self._highlighted + 1)


# A menu: rows to choose one of, with arrow keys, letters or the mouse.


MENU_MARGIN = 3
ROWS_ABOVE_ITEMS = 3
"""Rows above the first choice: blank, title, blank."""

ROWS_BELOW_ITEMS = 1


class MenuItem(NamedTuple):
    """What it is called, the letter that chooses it at once, if it has one, and more about it."""

    label: str
    key: str = ""
    detail: tuple[Piece, ...] = ()
    tone: Tone = Tone.TEXT


class Menu(SelectableList):
    """Choices under a title; where there is not room for all, those around the one pointed at are shown."""

    DEFAULT_CSS = "Menu { background: $panel; max-width: 100%; max-height: 100%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+tab", "move(-1)"),
        Binding("tab", "move(1)"),
        Binding("enter,space", "choose"),
    ]
    inset = MENU_MARGIN

    class Selected(Message):
        """A choice was made."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(
        self, title: str, items: Sequence[MenuItem], glyphs: Glyphs, *, highlighted: int = 0
    ) -> None:
        super().__init__(highlighted)
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._title_rows = (Row(), Row((Piece(glyphs.displayable(title), Tone.FOCUS, bold=True),)), Row())
        self._items = items = tuple(_drawable_item(choice, glyphs) for choice in items)
        self._key_width = max((len(choice.key) for choice in items), default=0)
        self._label_width = max((pieces_width((Piece(choice.label),)) for choice in items), default=0)
        rows = [*self._title_rows, *(self._item_row(place) for place in range(len(items)))]
        self.styles.width = max(pieces_width(row.left) for row in rows) + 2 * MENU_MARGIN
        self.styles.height = ROWS_ABOVE_ITEMS + len(items) + ROWS_BELOW_ITEMS

    @property
    def count(self) -> int:
        """How many choices there are."""
        return len(self._items)

    @property
    def visible_count(self) -> int:
        """How many of them fit."""
        return self.size.height - ROWS_ABOVE_ITEMS - ROWS_BELOW_ITEMS

    def rows(self, width: int) -> tuple[Row, ...]:
        """Title and choices."""
        last = min(self._first_visible + max(1, self.visible_count), self.count)
        return (
            *self._title_rows,
            *(self._item_row(place) for place in range(self._first_visible, last)),
            *[Row()] * ROWS_BELOW_ITEMS,
        )

    def _item_row(self, index: int) -> Row:
        choice = self._items[index]
        here = index == self._highlighted
        mark = Piece(f"{self._glyphs.interjection} " if here else "  ", Tone.FOCUS, bold=True)
        key = Piece(f"{choice.key:<{self._key_width}}  " if self._key_width else "", Tone.FOCUS, bold=True)
        label = Piece(choice.label, choice.tone, bold=here)
        space = Piece(" " * (self._label_width - pieces_width((label,)) + 2)) if choice.detail else Piece("")
        return Row(tuple(piece for piece in (mark, key, label, space, *choice.detail) if piece.text))

    def action_move(self, steps: int) -> None:
        """Point further up or down, and from either end to the other."""
        self.highlight((self._highlighted + steps) % self.count)

    def action_choose(self) -> None:
        """Choose what is pointed at."""
        self.post_message(self.Selected(self._highlighted))

    def on_key(self, event: Key) -> None:
        """Choose what has this letter."""
        for place, choice in enumerate(self._items):
            if choice.key and event.character == choice.key:
                event.stop()
                self.highlight(place)
                self.action_choose()

    def on_click(self, event: Click) -> None:
        """Choose what is clicked on."""
        event.stop()
        place = self._first_visible + event.y - ROWS_ABOVE_ITEMS
        if event.y >= ROWS_ABOVE_ITEMS and place < min(self.count, self._first_visible + self.visible_count):
            self.highlight(place)
            self.action_choose()


def _drawable_item(item: MenuItem, glyphs: Glyphs) -> MenuItem:
    """The choice as it will be drawn, so that its columns are as wide as they look."""
    detail = tuple(piece._replace(text=glyphs.displayable(piece.text)) for piece in item.detail)
    return item._replace(label=glyphs.displayable(item.label), detail=detail)
