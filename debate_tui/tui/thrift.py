"""A terminal that takes its bytes slowly is spared: panes scroll by much at once, and in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.tui.widgets.prose import Prose

SPARED_SECONDS = 2.0
"""How long a slow terminal is spared."""

SOON_SECONDS = 1.0
"""Two slow writes within this time are no hiccup."""

SHARE = 3
"""Of a pane's height, the part by which it scrolls at once: until that is filled, only new lines are sent."""


class Thrift:
    """Says how far each pane may scroll in the next frame.

    To scroll is to paint all of a pane. On a slow terminal one does so in a frame, so that no frame takes
    long and what a key does is not far behind one; the others have their turn in the next.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._last = self._until = float("-inf")
        self._turn = 0

    def look(self, now: float, slow_writes: int) -> None:
        """Take note of how many writes the terminal was slow to take by now."""
        more = slow_writes - self._seen
        if more > 1 or (more and now - self._last <= SOON_SECONDS):
            self._until = now + SPARED_SECONDS
        if more:
            self._seen, self._last = slow_writes, now

    def pace(self, panes: Sequence[Prose], now: float, *, streaming: bool) -> None:
        """Let them scroll; when nothing streams any more, all may, as no other frame may follow."""
        self._turn = (self._turn + 1) % len(panes)
        for place, prose in enumerate(panes):
            if now >= self._until or not streaming:
                prose.leap = 1
            elif place == self._turn:
                prose.leap = max(1, prose.size.height // SHARE)
            else:
                prose.leap = 0
