"""The shared buffer: what was received but not yet painted, for all panes together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Item = TypeVar("Item")

HIGH = 64 * 1024
"""Pending characters of a pane above which its reader waits."""
LOW = 32 * 1024
"""Pending characters of a pane at which its reader goes on."""
MAX_CHUNKS = 1000
"""Pending items of all panes at which they are painted before their window closes."""


class LaneStatistics(Struct, frozen=True):
    """What one pane's part of the buffer has been through.

    `fill` is what is pending now and `peak` the most there ever was, in characters; `waits` is how often
    the pane's reader was held back, `waited` for how long in all, in seconds, a wait under way included.
    """

    fill: int
    chunks: int
    peak: int
    waits: int
    waited: float


class Statistics(Struct, frozen=True):
    """What the buffer has been through; `flushes` counts the takes that found something."""

    flushes: int
    panes: dict[str, LaneStatistics]


class SharedBuffer(Generic[Item]):
    """A queue of paintable items for each pane, emptied for all panes in one call.

    `high` and `low` are each pane's marks, in characters: once its pending text is above `high`, `room`
    waits until it is at or below `low`. `max_chunks` pending items in all make the buffer `crowded`. An
    item's size is the length of its text; what is no text has none, and is never a reason to wait.

    Everything happens on one event loop's thread, and only `room` awaits: between a `push` and the `take`
    that returns its item, nothing can come in between, drop or reorder. `woken` is called by `push` when
    what is due may have become due earlier: a pane got its first pending item, or the buffer is crowded.
    `patience` is how long a reader may let text pile up at its sender, in seconds; whoever paints sets it.
    """

    def __init__(
        self,
        panes: Iterable[str],
        *,
        high: int = HIGH,
        low: int = LOW,
        max_chunks: int = MAX_CHUNKS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= low <= high:
            raise ValueError(f"low mark {low} and high mark {high} are the wrong way round")
        self.woken: Callable[[], None] = _nobody
        self.patience = 0.0
        self._high = high
        self._clock = clock
        self._max_chunks = max_chunks
        self._lanes = {pane: _Lane[Item](low) for pane in panes}
        self._since: dict[str, float] = {}
        self._chunks = 0
        self._flushes = 0
        self._closed = False

    @property
    def panes(self) -> tuple[str, ...]:
        """The panes there are, in their order on screen."""
        return tuple(self._lanes)

    @property
    def pending(self) -> Mapping[str, float]:
        """The panes with something pending, each with the arrival time of its oldest item.

        After a `take` that left something behind, the time is that of the oldest item before it.
        """
        return self._since

    @property
    def chunks(self) -> int:
        """How many items are pending in all."""
        return self._chunks

    @property
    def crowded(self) -> bool:
        """Whether so much is pending that it should be painted before its window closes."""
        return self._chunks >= self._max_chunks

    def push(self, pane: str, item: Item, size: int = 0) -> None:
        """Add an item to a pane's queue, without waiting; raises `KeyError` for an unknown pane."""
        lane = self._lanes[pane]
        if self._closed:
            return
        lane.items.append((item, size))
        lane.fill = fill = lane.fill + size
        if fill > self._high:
            lane.full = True
        self._chunks = chunks = self._chunks + 1
        if pane not in self._since:
            self._since[pane] = self._clock()
            self.woken()
        elif chunks == self._max_chunks:
            self.woken()

    def take(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> dict[str, list[Item]]:
        """Remove and return what is pending, of all panes or of some, as if in one instant.

        Panes with nothing pending are left out. `limit` bounds the text taken of each pane, give or take
        its last item, so that a flood cannot make one frame long; the rest stays first in line.
        """
        wanted = list(self._since) if panes is None else [pane for pane in panes if pane in self._since]
        taken: dict[str, list[Item]] = {}
        for pane in wanted:
            lane = self._lanes[pane]
            taken[pane] = items = lane.take(limit)
            self._chunks -= len(items)
            if not lane.items:
                del self._since[pane]
        self._flushes += bool(taken)
        return taken

    def has_room(self, pane: str) -> bool:
        """Whether the pane's reader may go on without waiting; true for a pane that is not shown here."""
        lane = self._lanes.get(pane)
        return lane is None or self._closed or not lane.full

    async def room(self, pane: str) -> None:
        """Wait until there is room for more of the pane's text; at once if there is, or after `close`."""
        while not self.has_room(pane):
            await self._lanes[pane].drained(self._clock)

    def close(self) -> None:
        """Nobody paints any more: what is pending is dropped, and nobody waits for room, now or later."""
        self.take()
        self._closed = True
        for lane in self._lanes.values():
            lane.release()

    def statistics(self) -> Statistics:
        """The figures for the stream statistics overlay."""
        now = self._clock()
        return Statistics(self._flushes, {pane: lane.statistics(now) for pane, lane in self._lanes.items()})


class _Lane(Generic[Item]):
    """One pane's queue and its gate."""

    __slots__ = ("_low", "_peak", "_waited", "_waiters", "_waits", "fill", "full", "items")

    def __init__(self, low: int) -> None:
        self.items: deque[tuple[Item, int]] = deque()
        self.fill = 0
        self.full = False
        self._low = low
        self._peak = 0
        self._waits = 0
        self._waited = 0.0
        self._waiters: dict[asyncio.Future[None], float] = {}

    def take(self, limit: int | None) -> list[Item]:
        self._peak = max(self._peak, self.fill)
        if limit is None or self.fill <= limit:
            items = [item for item, _ in self.items]
            self.items.clear()
            self.fill = 0
        else:
            items = self._take_some(limit)
        if self.fill <= self._low:
            self.full = False
            self.release()
        return items

    async def drained(self, clock: Callable[[], float]) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waits += 1
        self._waiters[waiter] = began = clock()
        try:
            await waiter
        finally:
            self._waiters.pop(waiter, None)
            self._waited += clock() - began

    def release(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def statistics(self, now: float) -> LaneStatistics:
        return LaneStatistics(
            fill=self.fill,
            chunks=len(self.items),
            peak=max(self._peak, self.fill),
            waits=self._waits,
            waited=self._waited + sum(now - began for began in self._waiters.values()),
        )

    def _take_some(self, limit: int) -> list[Item]:
        items: list[Item] = []
        left = limit
        while self.items and left > 0:
            item, size = self.items.popleft()
            items.append(item)
            self.fill -= size
            left -= size
        return items


def _nobody() -> None:
    """Who is woken before somebody asks to be."""
