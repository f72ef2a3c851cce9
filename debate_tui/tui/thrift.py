"""A terminal that takes its bytes slowly is spared: panes scroll by much at once, and in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.widgets.prose import TurnText

THROTTLE_SECONDS = 2.0
"""How long a slow terminal is spared."""

SLOW_WRITE_WINDOW_SECONDS = 1.0
"""Two slow writes within this time are no hiccup."""

SCROLL_FRACTION = 3
"""Of a pane's height, the part by which it scrolls at once: until that is filled, only new lines are sent."""


class ScrollThrottle:
    """Says how far each pane may scroll in the next frame.

    To scroll is to paint all of a pane. On a slow terminal one does so in a frame, so that no frame takes
    long and what a key does is not far behind one; the others have their turn in the next.
    """

    def __init__(self) -> None:
        self._seen_slow_writes = 0
        self._last_slow_write = self._throttled_until = float("-inf")
        self._scrolling_pane = 0

    def update(self, now: float, slow_writes: int) -> None:
        """Take note of how many writes the terminal was slow to take by now."""
        more = slow_writes - self._seen_slow_writes
        if more > 1 or (more and now - self._last_slow_write <= SLOW_WRITE_WINDOW_SECONDS):
            self._throttled_until = now + THROTTLE_SECONDS
        if more:
            self._seen_slow_writes, self._last_slow_write = slow_writes, now

    def limit_scrolling(self, turn_texts: Sequence[TurnText], now: float, *, streaming: bool) -> None:
        """Let them scroll; when nothing streams any more, all may, as no other frame may follow."""
        self._scrolling_pane = (self._scrolling_pane + 1) % len(turn_texts)
        for place, prose in enumerate(turn_texts):
            if now >= self._throttled_until or not streaming:
                prose.scroll_step = 1
            elif place == self._scrolling_pane:
                prose.scroll_step = max(1, prose.size.height // SCROLL_FRACTION)
            else:
                prose.scroll_step = 0
