"""The shared buffer: what was received but not yet painted, for all panes together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ItemT = TypeVar("ItemT")

HIGH_WATERMARK = 64 * 1024
"""Pending characters of a pane above which its reader waits."""
LOW_WATERMARK = 32 * 1024
"""Pending characters of a pane at which its reader goes on."""
MAX_PENDING_ITEMS = 1000
"""Pending items of all panes at which they are painted before their window closes."""


class PaneBufferStatistics(Struct, frozen=True):
    """What one pane's part of the buffer has been through.

    `pending_size` is what is pending now and `peak_size` the most there ever was, in characters; `wait_count`
    is how often the pane's reader was held back, `wait_seconds` for how long in all, in seconds, a wait under
    way included.
    """

    pending_size: int
    pending_items: int
    peak_size: int
    wait_count: int
    wait_seconds: float


class BufferStatistics(Struct, frozen=True):
    """What the buffer has been through; `flushes` counts the takes that found something."""

    flushes: int
    panes: dict[str, PaneBufferStatistics]


class SharedBuffer(Generic[ItemT]):
    """A queue of paintable items for each pane, emptied for all panes in one call.

    `high_watermark` and `low_watermark` are each pane's marks, in characters: once its pending text is above
    `high_watermark`, `wait_for_room` waits until it is at or below `low_watermark`. `max_pending_items`
    pending items in all make the buffer `should_flush_early`. An item's size is the length of its text; what
    is no text has none, and is never a reason to wait.

    Everything happens on one event loop's thread, and only `wait_for_room` awaits: between a `push` and the
    `take` that returns its item, nothing can come in between, drop or reorder. `on_due_change` is called by
    `push` when what is due may have become due earlier: a pane got its first pending item, or the buffer is
    crowded. `read_delay` is how long a reader may let text pile up at its sender, in seconds; whoever paints
    sets it.
    """

    def __init__(
        self,
        panes: Iterable[str],
        *,
        high_watermark: int = HIGH_WATERMARK,
        low_watermark: int = LOW_WATERMARK,
        max_pending_items: int = MAX_PENDING_ITEMS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= low_watermark <= high_watermark:
            raise ValueError(
                f"low mark {low_watermark} and high mark {high_watermark} are the wrong way round"
            )
        self.on_due_change: Callable[[], None] = _ignore_due_change
        self.read_delay = 0.0
        self._high_watermark = high_watermark
        self._clock = clock
        self._max_pending_items = max_pending_items
        self._queues = {pane: _PaneQueue[ItemT](low_watermark) for pane in panes}
        self._oldest_arrivals: dict[str, float] = {}
        self._pending_items = 0
        self._flushes = 0
        self._closed = False
        self._reading_allowed = asyncio.Event()
        self._reading_allowed.set()
        self._held = False

    @property
    def panes(self) -> tuple[str, ...]:
        """The panes there are, in their order on screen."""
        return tuple(self._queues)

    @property
    def oldest_arrivals(self) -> Mapping[str, float]:
        """The panes with something pending, each with the arrival time of its oldest item.

        After a `take` that left something behind, the time is that of the oldest item before it.
        """
        return self._oldest_arrivals

    @property
    def pending_items(self) -> int:
        """How many items are pending in all."""
        return self._pending_items

    @property
    def should_flush_early(self) -> bool:
        """Whether so much is pending that it should be painted before its window closes."""
        return self._pending_items >= self._max_pending_items

    def push(self, pane: str, item: ItemT, size: int = 0) -> None:
        """Add an item to a pane's queue, without waiting; raises `KeyError` for an unknown pane."""
        lane = self._queues[pane]
        if self._closed:
            return
        lane.items.append((item, size))
        lane.pending_size = fill = lane.pending_size + size
        if fill > self._high_watermark:
            lane.is_full = True
        self._pending_items = chunks = self._pending_items + 1
        if pane not in self._oldest_arrivals:
            self._oldest_arrivals[pane] = self._clock()
            self.on_due_change()
        elif chunks == self._max_pending_items:
            self.on_due_change()

    def take(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> dict[str, list[ItemT]]:
        """Remove and return what is pending, of all panes or of some, as if in one instant.

        Panes with nothing pending are left out. `limit` bounds the text taken of each pane, give or take
        its last item, so that a flood cannot make one frame long; the rest stays first in line.
        """
        wanted = (
            list(self._oldest_arrivals)
            if panes is None
            else [pane for pane in panes if pane in self._oldest_arrivals]
        )
        taken: dict[str, list[ItemT]] = {}
        for pane in wanted:
            lane = self._queues[pane]
            taken[pane] = items = lane.take(limit)
            self._pending_items -= len(items)
            if not lane.items:
                del self._oldest_arrivals[pane]
        self._flushes += bool(taken)
        return taken

    def has_room(self, pane: str) -> bool:
        """Whether the pane's reader may go on without waiting; true for a pane that is not shown here."""
        lane = self._queues.get(pane)
        return lane is None or self._closed or not (lane.is_full or self._held)

    async def wait_for_room(self, pane: str) -> None:
        """Wait until there is room for more of the pane's text; at once if there is, or after `close`."""
        while not self.has_room(pane):
            if self._queues[pane].is_full:
                await self._queues[pane].wait_until_drained(self._clock)
            else:
                await self._reading_allowed.wait()

    def hold_readers(self) -> None:
        """Make all readers wait until `release_readers`, because something else comes first."""
        self._held = True
        self._reading_allowed.clear()

    def release_readers(self) -> None:
        """Let the readers continue."""
        self._held = False
        self._reading_allowed.set()

    def close(self) -> None:
        """Nobody paints any more: what is pending is dropped, and nobody waits for room, now or later."""
        self.take()
        self._closed = True
        self.release_readers()
        for lane in self._queues.values():
            lane.wake_waiters()

    def statistics(self) -> BufferStatistics:
        """The figures for the stream statistics overlay."""
        now = self._clock()
        return BufferStatistics(
            self._flushes, {pane: lane.statistics(now) for pane, lane in self._queues.items()}
        )


class _PaneQueue(Generic[ItemT]):
    """One pane's queue and its gate."""

    __slots__ = (
        "_low_watermark",
        "_peak_size",
        "_wait_count",
        "_wait_seconds",
        "_waiters",
        "is_full",
        "items",
        "pending_size",
    )

    def __init__(self, low_watermark: int) -> None:
        self.items: deque[tuple[ItemT, int]] = deque()
        self.pending_size = 0
        self.is_full = False
        self._low_watermark = low_watermark
        self._peak_size = 0
        self._wait_count = 0
        self._wait_seconds = 0.0
        self._waiters: dict[asyncio.Future[None], float] = {}

    def take(self, limit: int | None) -> list[ItemT]:
        self._peak_size = max(self._peak_size, self.pending_size)
        if limit is None or self.pending_size <= limit:
            items = [item for item, _ in self.items]
            self.items.clear()
            self.pending_size = 0
        else:
            items = self._take_some(limit)
        if self.pending_size <= self._low_watermark:
            self.is_full = False
            self.wake_waiters()
        return items

    async def wait_until_drained(self, clock: Callable[[], float]) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._wait_count += 1
        self._waiters[waiter] = began = clock()
        try:
            await waiter
        finally:
            self._waiters.pop(waiter, None)
            self._wait_seconds += clock() - began

    def wake_waiters(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def statistics(self, now: float) -> PaneBufferStatistics:
        return PaneBufferStatistics(
            pending_size=self.pending_size,
            pending_items=len(self.items),
            peak_size=max(self._peak_size, self.pending_size),
            wait_count=self._wait_count,
            wait_seconds=self._wait_seconds + sum(now - began for began in self._waiters.values()),
        )

    def _take_some(self, limit: int) -> list[ItemT]:
        items: list[ItemT] = []
        left = limit
        while self.items and left > 0:
            item, size = self.items.popleft()
            items.append(item)
            self.pending_size -= size
            left -= size
        return items


def _ignore_due_change() -> None:
    """Who is woken before somebody asks to be."""
