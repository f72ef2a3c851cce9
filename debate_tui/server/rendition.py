"""A debate told in one manner: every byte is made once, however many listen."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.server.place import Place
from debate_tui.server.wire import COMMENT, PORTION, Manner, Piece, frames, portions, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.server.channel import Channel

LAG: Final = 1 << 20
"""Bytes a viewer may be behind; whoever is behind more is reset."""

KEPT: Final = 1 << 17
"""Bytes of bursts that are kept: whoever is behind more, but not too much, is told from the events again."""

SILENCE_S: Final = 15.0
"""How long nothing is sent before a comment is."""


class Burst(Struct, frozen=True):
    """What is sent at one time; `end` counts the bytes up to and with it, `place` is where viewers are then.

    Text messages count characters.
    """

    pieces: tuple[Piece, ...]
    size: int
    end: int
    place: Place


class Rendition:
    """The recent bursts of a debate in one manner; viewers keep nothing but their place among them.

    Bursts are numbered: `first` is the oldest still here, `next` the one to come; `size` counts the bytes of
    all there ever were. All events up to `told` are in bursts before `next`. After the last viewer has gone,
    `Channel.release` closes it.
    """

    def __init__(self, channel: Channel, manner: Manner) -> None:
        self.manner = manner
        self.told = channel.seq
        self.first = 0
        self.size = 0
        self.ended = channel.over
        self.viewers = 0
        self._channel = channel
        self._bursts: deque[Burst] = deque()
        self._kept = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._loop = asyncio.get_running_loop()
        self._flushed_at = 0.0
        self._flush: asyncio.TimerHandle | None = None
        self._quiet = self._loop.call_later(SILENCE_S, self._comment) if manner.transport == "sse" else None

    @property
    def next(self) -> int:
        """The number of the burst to come."""
        return self.first + len(self._bursts)

    def since(self, number: int, limit: int = PORTION) -> tuple[int, Sequence[Burst]]:
        """Bursts from `number` on, one or what `limit` bytes hold, and the number to go on at."""
        taken: list[Burst] = []
        size = 0
        for place in range(number - self.first, len(self._bursts)):
            burst = self._bursts[place]
            size += burst.size
            if taken and size > limit:
                break
            taken.append(burst)
        return number + len(taken), taken

    def news(self) -> asyncio.Future[None]:
        """Done with the next burst, or the end."""
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        return waiter

    def due(self) -> None:
        """There are new events: tell them, no sooner than a batch window after those before."""
        if self._flush is None:
            due = self._flushed_at + self.manner.batch_ms / 1000
            self._flush = self._loop.call_at(due, self.flush)

    def flush(self) -> None:
        """Tell all published events now."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self._flushed_at = self._loop.time()
        channel = self._channel
        events = channel.recent(self.told, channel.seq)
        self.told = channel.seq
        place = Place(channel.epoch, channel.seq)
        if events is None:
            # Who is here since before is behind by far more than is kept anywhere in memory.
            self._forget()
            events = ()
        for portion in portions(tell(events, self.manner)):
            last = portion[-1].event.seq == events[-1].seq
            pieces = frames(portion, channel.epoch, self.manner)
            self._add(pieces, place if last else portion[-1].place(channel.epoch))
        self.wake()

    def wake(self) -> None:
        """Let all who wait look again."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def end(self) -> None:
        """Tell what is left; nothing more comes."""
        self.flush()
        self.ended = True
        self.wake()

    def close(self) -> None:
        """Let go of the timers."""
        for timer in (self._flush, self._quiet):
            if timer is not None:
                timer.cancel()

    def _add(self, pieces: tuple[Piece, ...], place: Place) -> None:
        size = sum(map(len, pieces))
        self.size += size
        self._kept += size
        self._bursts.append(Burst(pieces, size, self.size, place))
        while self._kept - self._bursts[0].size > KEPT:
            self._kept -= self._bursts.popleft().size
            self.first += 1

    def _forget(self) -> None:
        self.first = self.next + 1
        self.size += LAG
        self._bursts.clear()
        self._kept = 0

    def _comment(self) -> None:
        silent = self._loop.time() - self._flushed_at
        if silent >= SILENCE_S:
            self._add((COMMENT,), Place(self._channel.epoch, self.told))
            self.wake()
            silent = 0.0
        self._quiet = self._loop.call_later(SILENCE_S - silent, self._comment)
