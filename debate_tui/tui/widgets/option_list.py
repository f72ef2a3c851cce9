"""Lists with a highlighted item, selected with keys or the mouse."""

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
    """Base class for lists with a highlighted item.

    Subclasses define how many items there are (`count`) and how many fit (`visible_count`), and show them
    from `_first_visible` on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)"),
        Binding("down", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home", "first"),
        Binding("end", "last"),
    ]

    class Highlighted(Message):
        """Posted when the highlight moves to another item."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, highlighted: int = 0) -> None:
        super().__init__()
        self._highlighted = highlighted
        self._first_visible = 0

    @property
    def count(self) -> int:
        """Number of items."""
        raise NotImplementedError

    @property
    def visible_count(self) -> int:
        """Number of items that fit."""
        raise NotImplementedError

    @property
    def highlighted(self) -> int:
        """Index of the highlighted item."""
        return self._highlighted

    def highlight(self, index: int) -> None:
        """Highlight the item at this index, or the nearest one, and scroll it into view."""
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
        """Move the highlight up or down by a number of items."""
        self.highlight(self._highlighted + steps)

    def action_page(self, pages: int) -> None:
        """Move the highlight up or down by a number of pages."""
        self.highlight(self._highlighted + pages * max(1, self.visible_count))

    def action_first(self) -> None:
        """Highlight the first item."""
        self.highlight(0)

    def action_last(self) -> None:
        """Highlight the last item."""
        self.highlight(self.count - 1)

    def on_resize(self, _: Resize) -> None:
        """Keep the highlighted item in view."""
        self._scroll_to_highlighted()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move the highlight up."""
        event.stop()
        self.highlight(self._highlighted - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move the highlight down."""
        event.stop()
        self.highlight(self._highlighted + 1)


# A menu: choose an item with arrow keys, letters or the mouse.


MENU_MARGIN = 3
ROWS_ABOVE_ITEMS = 3
"""Rows above the first item: blank, title, blank."""

ROWS_BELOW_ITEMS = 1


class MenuItem(NamedTuple):
    """A label, an optional letter that chooses the item directly, and optional details."""

    label: str
    key: str = ""
    detail: tuple[Piece, ...] = ()
    tone: Tone = Tone.TEXT


class Menu(SelectableList):
    """Items under a title; if they do not all fit, those around the highlighted one are shown."""

    DEFAULT_CSS = "Menu { background: $panel; max-width: 100%; max-height: 100%; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+tab", "move(-1)"),
        Binding("tab", "move(1)"),
        Binding("enter,space", "choose"),
    ]
    inset = MENU_MARGIN

    class Selected(Message):
        """Posted when an item is chosen."""

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
        """Number of items."""
        return len(self._items)

    @property
    def visible_count(self) -> int:
        """Number of items that fit."""
        return self.size.height - ROWS_ABOVE_ITEMS - ROWS_BELOW_ITEMS

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the title and the visible items."""
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
        """Move the highlight up or down, wrapping around at either end."""
        self.highlight((self._highlighted + steps) % self.count)

    def action_choose(self) -> None:
        """Choose the highlighted item."""
        self.post_message(self.Selected(self._highlighted))

    def on_key(self, event: Key) -> None:
        """Choose the item with this letter."""
        for place, choice in enumerate(self._items):
            if choice.key and event.character == choice.key:
                event.stop()
                self.highlight(place)
                self.action_choose()

    def on_click(self, event: Click) -> None:
        """Choose the clicked item."""
        event.stop()
        place = self._first_visible + event.y - ROWS_ABOVE_ITEMS
        if event.y >= ROWS_ABOVE_ITEMS and place < min(self.count, self._first_visible + self.visible_count):
            self.highlight(place)
            self.action_choose()


def _drawable_item(item: MenuItem, glyphs: Glyphs) -> MenuItem:
    """Return an item as it will be drawn, so that its measured width is right."""
    detail = tuple(piece._replace(text=glyphs.displayable(piece.text)) for piece in item.detail)
    return item._replace(label=glyphs.displayable(item.label), detail=detail)
