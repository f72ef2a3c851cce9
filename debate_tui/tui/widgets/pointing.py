"""A list in which one thing is pointed at, by keys or by the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.tui.widgets.line import Lines

if TYPE_CHECKING:
    from textual.events import MouseScrollDown, MouseScrollUp, Resize


class Pointing(Lines, can_focus=True):
    """A subclass says how many there are (`count`) and fit (`room`), and shows them from `_top` on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)"),
        Binding("down", "move(1)"),
        Binding("pageup", "page(-1)"),
        Binding("pagedown", "page(1)"),
        Binding("home", "first"),
        Binding("end", "last"),
    ]

    class Pointed(Message):
        """Something else is pointed at."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, at: int = 0) -> None:
        super().__init__()
        self._at = at
        self._top = 0

    @property
    def count(self) -> int:
        """How many there are."""
        raise NotImplementedError

    @property
    def room(self) -> int:
        """How many fit."""
        raise NotImplementedError

    @property
    def at(self) -> int:
        """What is pointed at."""
        return self._at

    def point(self, place: int) -> None:
        """Point at the nearest there is to this, and have it in view."""
        place = max(0, min(place, self.count - 1))
        told = place != self._at
        self._at = place
        self._settle()
        if told:
            self.post_message(self.Pointed(place))

    def _settle(self) -> None:
        room = max(1, self.room)
        first = max(min(self._top, self._at), self._at - room + 1)
        self._top = max(0, min(first, self.count - room))
        self.sync()

    def action_move(self, steps: int) -> None:
        """Point further up or down."""
        self.point(self._at + steps)

    def action_page(self, pages: int) -> None:
        """Point a page further up or down."""
        self.point(self._at + pages * max(1, self.room))

    def action_first(self) -> None:
        """Point at the first."""
        self.point(0)

    def action_last(self) -> None:
        """Point at the last."""
        self.point(self.count - 1)

    def on_resize(self, _: Resize) -> None:
        """Keep in view what is pointed at."""
        self._settle()

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Point further up."""
        event.stop()
        self.point(self._at - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Point further down."""
        event.stop()
        self.point(self._at + 1)
