"""Slow terminals: panes scroll in turn there, by several lines at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.widgets.page_view import Viewport

THROTTLE_SECONDS = 2.0
"""Seconds to throttle scrolling after slow writes."""


SLOW_WRITE_WINDOW_SECONDS = 1.0
"""Two slow writes within this many seconds are not a coincidence."""


SCROLL_FRACTION = 3
"""Panes scroll by this fraction of their height (1/3); until it is filled, only new lines are sent."""


class ScrollThrottle:
    """A limit on how far each pane may scroll in the next frame.

    Scrolling repaints the whole pane. On a slow terminal, only one pane scrolls per frame, so that frames
    stay short and keys take effect quickly; the other panes scroll in the following frames.
    """

    def __init__(self) -> None:
        self._seen_slow_writes = 0
        self._last_slow_write = self._throttled_until = float("-inf")
        self._scrolling_pane = 0

    def update(self, now: float, slow_writes: int) -> None:
        """Record the total number of slow writes so far."""
        more = slow_writes - self._seen_slow_writes
        if more > 1 or (more and now - self._last_slow_write <= SLOW_WRITE_WINDOW_SECONDS):
            self._throttled_until = now + THROTTLE_SECONDS
        if more:
            self._seen_slow_writes, self._last_slow_write = slow_writes, now

    def limit_scrolling(self, viewports: Sequence[Viewport], now: float, *, streaming: bool) -> None:
        """Set each pane's scroll step; all may scroll once nothing streams, as no frame may follow."""
        self._scrolling_pane = (self._scrolling_pane + 1) % len(viewports)
        for place, viewport in enumerate(viewports):
            if now >= self._throttled_until or not streaming:
                viewport.scroll_step = 1
            elif place == self._scrolling_pane:
                viewport.scroll_step = max(1, viewport.height // SCROLL_FRACTION)
            else:
                viewport.scroll_step = 0
