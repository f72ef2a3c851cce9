"""A debate told in one manner: every byte is made once, however many listen."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from debate_tui.server.wire import COMMENT, PORTION, Manner, Piece, frames, portions, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.server.channel import Channel

LAG: Final = 1 << 20
"""Bytes a viewer may be behind; whoever is behind more is reset."""

SILENCE_S: Final = 15.0
"""How long nothing is sent before a comment is."""


class Burst(Struct, frozen=True):
    """What is sent at one time, and its size in bytes (characters, for text messages)."""

    pieces: tuple[Piece, ...]
    size: int


class Rendition:
    """The recent bursts of a debate in one manner; viewers keep nothing but their place among them.

    Bursts are numbered: `first` is the oldest still here, `next` the one to come. All events up to `told`
    are in bursts before `next`. After the last viewer has gone, `Channel.release` closes it.
    """

    def __init__(self, channel: Channel, manner: Manner) -> None:
        self.manner = manner
        self.told = channel.seq
        self.first = 0
        self.ended = channel.over
        self.viewers = 0
        self._channel = channel
        self._bursts: deque[Burst] = deque()
        self._size = 0
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
        if events is None:
            # Somebody who is here since before is behind by far more than the lag allowed.
            self._forget()
        else:
            for portion in portions(tell(events, self.manner)):
                self._add(frames(portion, channel.epoch, self.manner))
        self.told = channel.seq
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

    def _add(self, pieces: tuple[Piece, ...]) -> None:
        burst = Burst(pieces, sum(map(len, pieces)))
        self._bursts.append(burst)
        self._size += burst.size
        while self._size - self._bursts[0].size > LAG:
            self._size -= self._bursts.popleft().size
            self.first += 1

    def _forget(self) -> None:
        self.first = self.next + 1
        self._bursts.clear()
        self._size = 0

    def _comment(self) -> None:
        silent = self._loop.time() - self._flushed_at
        if silent >= SILENCE_S:
            self._add((COMMENT,))
            self.wake()
            silent = 0.0
        self._quiet = self._loop.call_later(SILENCE_S - silent, self._comment)
