"""Where in a page the reader is: following its end, or somewhere above and staying there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from debate_tui.display.markdown import Page


class Viewport:
    """A window of `height` lines on a page, which begins with line `top`.

    While `following`, it moves with the end of the page, by `leap` lines at once: with more than one it may
    look beyond the end, at blank rows that are filled before it moves again, and with none it stays for now,
    though what follows is out of view. `seen` is how many lines from the top have been in view.
    """

    def __init__(self, page: Page) -> None:
        self.top = 0
        self.height = 0
        self.following = True
        self.leap = 1
        self.seen = 0
        self._page = page

    @property
    def end(self) -> int:
        """The first line below the window."""
        return self.top + self.height

    @property
    def bottom(self) -> int:
        """The last `top` that shows nothing but the page."""
        return max(0, self._page.line_count - self.height)

    def go(self, top: int) -> None:
        """Begin with another line; at the end, follow."""
        self.top = max(0, min(top, self.bottom))
        self.following = self.top == self.bottom
        self._look()

    def keep_up(self) -> None:
        """Stay within a page that has changed, and at its end while following."""
        beyond = self.top - self.bottom
        if not self.following or beyond >= (self.leap or self.height):
            self.top = min(self.top, self.bottom)
        elif beyond < 0 and self.leap:
            leap = max(1, min(self.leap, self.height - 1))
            self.top += -(beyond // leap) * leap
        self._look()

    def resize(self, width: int, height: int) -> None:
        """Take another shape; the page wraps anew, and the reader stays where they are."""
        self.height = height
        if width != self._page.width:
            spot = self._page.spot_of(self.top)
            self._page.resize(width)
            self.top = self._page.line_of(spot)
        self.keep_up()

    def settle(self, seconds: float) -> bool:
        """Spend some time on counting lines out of sight; whether that was enough."""
        spot = self._page.spot_of(self.top)
        done = self._page.settle(seconds)
        self.top = self._page.line_of(spot)
        self.keep_up()
        return done

    def show_reasoning(self, *, shown: bool) -> None:
        """Unfold or fold the thinking; the reader stays where they are."""
        spot = self._page.spot_of(self.top)
        self._page.show_reasoning(shown=shown)
        self._page.flush()
        self.top = self._page.line_of(spot)
        self.keep_up()

    def mark(self) -> int:
        """The row a position mark belongs in; −1 where all is in view."""
        return round(min(1, self.top / self.bottom) * (self.height - 1)) if self.bottom else -1

    def _look(self) -> None:
        self.seen = min(max(self.seen, self.end), self._page.line_count)
