"""The shared buffer: text received but not yet painted, for all panes together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from debate_tui.domain.events import (
    DebaterRemoved,
    DebaterReplaced,
    DebaterReturned,
    Interjection,
    PhaseStarted,
    StreamStatus,
    TurnFinished,
    TurnStarted,
    TurnSuperseded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ItemT = TypeVar("ItemT")

HIGH_WATERMARK = 64 * 1024
"""Pending characters of a pane above which its reader waits."""
LOW_WATERMARK = 32 * 1024
"""Pending characters of a pane at which its reader continues."""
MAX_PENDING_ITEMS = 1000
"""Pending items of all panes together that are painted before their window closes."""


class PaneBufferStatistics(Struct, frozen=True):
    """Statistics of one pane's part of the buffer.

    `pending_size` is what is pending now, in characters. `wait_count` is how often backpressure made the
    pane's reader wait, and `wait_seconds` how long in total, including a wait in progress.
    """

    pending_size: int
    wait_count: int
    wait_seconds: float


class SharedBuffer(Generic[ItemT]):
    """A queue of paintable items per pane, emptied for all panes in one call.

    The watermarks are per pane, in characters: once its pending text exceeds `high_watermark`,
    `wait_for_room` waits until it is at or below `low_watermark`. The buffer is `should_flush_early` once
    `max_pending_items` items are pending in total. An item's size is the length of its text; items that are
    not text have size 0 and never make a reader wait.

    Everything runs on the event loop's thread, and only `wait_for_room` awaits: nothing can be dropped or
    reordered between the `push` of an item and the `take` that returns it. `push` calls `on_due_change`
    when painting may have become due earlier: a pane got its first pending item, or `max_pending_items` was
    reached. `read_delay` is how long a reader may let text accumulate at its sender, in seconds; the
    painter sets it.
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
        self.on_due_change: Callable[[], None] = lambda: None
        self.read_delay = 0.0
        self._high_watermark = high_watermark
        self._clock = clock
        self._max_pending_items = max_pending_items
        self._queues = {pane: _PaneQueue[ItemT](low_watermark) for pane in panes}
        self._oldest_arrivals: dict[str, float] = {}
        self.pending_items = 0
        """The number of pending items in all panes."""
        self._closed = False
        self._reading_allowed = asyncio.Event()
        self._reading_allowed.set()
        self._held = False

    @property
    def panes(self) -> tuple[str, ...]:
        """The panes, in their order on screen."""
        return tuple(self._queues)

    @property
    def oldest_arrivals(self) -> Mapping[str, float]:
        """The panes with pending items, each with the arrival time of its oldest item.

        After a `take` that left items in a pane, its time is that of the oldest item before the `take`.
        """
        return self._oldest_arrivals

    @property
    def should_flush_early(self) -> bool:
        """Whether enough is pending to paint it before its window closes."""
        return self.pending_items >= self._max_pending_items

    def push(self, pane: str, item: ItemT, size: int = 0) -> None:
        """Add an item to a pane's queue, without waiting; raise `KeyError` if the pane is unknown."""
        lane = self._queues[pane]
        if self._closed:
            return
        lane.items.append((item, size))
        lane.pending_size = fill = lane.pending_size + size
        if fill > self._high_watermark:
            lane.is_full = True
        self.pending_items = chunks = self.pending_items + 1
        if pane not in self._oldest_arrivals:
            self._oldest_arrivals[pane] = self._clock()
            self.on_due_change()
        elif chunks == self._max_pending_items:
            self.on_due_change()

    def take(self, panes: Iterable[str] | None = None, *, limit: int | None = None) -> dict[str, list[ItemT]]:
        """Remove and return what is pending, of all panes or of some, in one step.

        Panes with nothing pending are omitted. `limit` bounds the text taken from each pane, give or take
        its last item, so that a flood of text cannot make one frame long; the rest stays first in line.
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
            self.pending_items -= len(items)
            if not lane.items:
                del self._oldest_arrivals[pane]
        return taken

    def has_room(self, pane: str) -> bool:
        """Return whether the pane's reader may continue without waiting.

        This is always true for a pane that is not shown here, and after `close`.
        """
        lane = self._queues.get(pane)
        return lane is None or self._closed or not (lane.is_full or self._held)

    async def wait_for_room(self, pane: str) -> None:
        """Wait until there is room for more of the pane's text; return at once after `close`."""
        while not self.has_room(pane):
            if self._queues[pane].is_full:
                await self._queues[pane].wait_until_drained(self._clock)
            else:
                await self._reading_allowed.wait()

    def hold_readers(self) -> None:
        """Make all readers wait until `release_readers`, because something else has priority."""
        self._held = True
        self._reading_allowed.clear()

    def release_readers(self) -> None:
        """Let the readers continue."""
        self._held = False
        self._reading_allowed.set()

    def close(self) -> None:
        """Drop what is pending and let all readers continue, now and later: nothing will be painted."""
        self.take()
        self._closed = True
        self.release_readers()
        for lane in self._queues.values():
            lane.wake_waiters()

    def statistics(self) -> dict[str, PaneBufferStatistics]:
        """Return the statistics of each pane."""
        now = self._clock()
        return {pane: lane.statistics(now) for pane, lane in self._queues.items()}


class _PaneQueue(Generic[ItemT]):
    """One pane's queue, with its backpressure."""

    __slots__ = (
        "_low_watermark",
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
        self._wait_count = 0
        self._wait_seconds = 0.0
        self._waiters: dict[asyncio.Future[None], float] = {}

    def take(self, limit: int | None) -> list[ItemT]:
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


# What panes receive.


class PaneText(Struct, frozen=True):
    """The next piece of a turn's text, sanitised; the first of a higher attempt is where a stream resumed."""

    turn: int
    attempt: int
    text: str
    reasoning: bool = False


PaneItem = (
    PaneText
    | PhaseStarted
    | TurnStarted
    | TurnSuperseded
    | TurnFinished
    | StreamStatus
    | DebaterRemoved
    | DebaterReplaced
    | DebaterReturned
    | Interjection
)
"""What a pane receives, in chronological order. All text in it is sanitised."""


def merge_pane_text(items: Iterable[PaneItem]) -> list[PaneItem]:
    """Join neighbouring pieces of the same text, so that each text is appended only once."""
    result: list[PaneItem] = []
    pieces: list[str] = []
    first: PaneText | None = None
    for item in items:
        if (
            first is not None
            and type(item) is PaneText
            and item.turn == first.turn
            and item.attempt == first.attempt
            and item.reasoning is first.reasoning
        ):
            pieces.append(item.text)
            continue
        if first is not None:
            result.append(_join_pane_text(first, pieces))
        if type(item) is PaneText:
            first, pieces = item, [item.text]
        else:
            first = None
            result.append(item)
    if first is not None:
        result.append(_join_pane_text(first, pieces))
    return result


def _join_pane_text(first: PaneText, pieces: list[str]) -> PaneText:
    if len(pieces) == 1:
        return first
    return PaneText(first.turn, first.attempt, "".join(pieces), first.reasoning)
