"""Where in a page the reader is: following its end, or somewhere above and staying there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debate_tui.display.markdown import Page


class Viewport:
    """A window of `height` lines on a page, which begins with line `top`.

    While `following`, it moves with the end of the page, by `scroll_step` lines at once: with more than one
    it may look beyond the end, at blank rows that are filled before it moves again, and with none it stays
    for now, though what follows is out of view. `seen_lines` is how many lines from the top have been in
    view.
    """

    def __init__(self, page: Page) -> None:
        self.top = 0
        self.height = 0
        self.following = True
        self.scroll_step = 1
        self.seen_lines = 0
        self._page = page

    @property
    def end(self) -> int:
        """The first line below the window."""
        return self.top + self.height

    @property
    def max_top(self) -> int:
        """The last `top` that shows nothing but the page."""
        return max(0, self._page.line_count - self.height)

    def scroll_to(self, top: int) -> None:
        """Begin with another line; at the end, follow."""
        self.top = max(0, min(top, self.max_top))
        self.following = self.top == self.max_top
        self._update_seen_lines()

    def adjust_top(self) -> None:
        """Stay within a page that has changed, and at its end while following."""
        beyond = self.top - self.max_top
        if not self.following or beyond >= (self.scroll_step or self.height):
            self.top = min(self.top, self.max_top)
        elif beyond < 0 and self.scroll_step:
            leap = max(1, min(self.scroll_step, self.height - 1))
            self.top += -(beyond // leap) * leap
        self._update_seen_lines()

    def resize(self, width: int, height: int) -> None:
        """Take another shape; the page wraps anew, and the reader stays where they are."""
        self.height = height
        if width != self._page.width:
            spot = self._page.position_at(self.top)
            self._page.resize(width)
            self.top = self._page.line_at(spot)
        self.adjust_top()

    def measure(self, seconds: float) -> bool:
        """Spend some time on counting lines out of sight; whether that was enough."""
        spot = self._page.position_at(self.top)
        done = self._page.measure(seconds)
        self.top = self._page.line_at(spot)
        self.adjust_top()
        return done

    def set_reasoning_visible(self, *, visible: bool) -> None:
        """Unfold or fold the thinking; the reader stays where they are."""
        spot = self._page.position_at(self.top)
        self._page.set_reasoning_visible(visible=visible)
        self._page.flush()
        self.top = self._page.line_at(spot)
        self.adjust_top()

    def position_row(self) -> int:
        """The row a position mark belongs in; −1 where all is in view."""
        return round(min(1, self.top / self.max_top) * (self.height - 1)) if self.max_top else -1

    def _update_seen_lines(self) -> None:
        self.seen_lines = min(max(self.seen_lines, self.end), self._page.line_count)
