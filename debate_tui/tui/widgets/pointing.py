"""A list in which one thing is pointed at, by keys or by the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.tui.widgets.line import TextRows

if TYPE_CHECKING:
    from textual.events import MouseScrollDown, MouseScrollUp, Resize


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
