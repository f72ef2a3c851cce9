"""A debate told in one manner: every byte is made once, however many listen."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from debate_tui.display.json_lines import harmless
from debate_tui.server.place import Place, parse
from debate_tui.server.wire import COMMENT, PORTION, Manner, Piece, frames, message, portions, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.server.channel import Channel

    Push = Callable[[tuple[Piece, ...]], bool]
    """Sends at once, without waiting; says whether the client keeps up."""

LAG: Final = 1 << 20
"""Bytes a viewer may be behind; whoever is behind more is reset."""

KEPT: Final = 1 << 17
"""Bytes of bursts that are kept: whoever is behind more, but not too much, is told from the events again."""

PAGES: Final = 8
"""How many stretches of what lies before the bursts are kept as they were told: many return to one place."""

SAME_S: Final = 1.0
"""How old the snapshot may be that somebody is given: many who come at once get the same."""

SILENCE_S: Final = 15.0
"""How long nothing is sent before a comment is."""


class Burst(Struct, frozen=True):
    """What is sent at one time; `end` counts the bytes up to and with it, `place` is where viewers are then.

    Bursts are numbered. Text messages count characters.
    """

    number: int
    pieces: tuple[Piece, ...]
    size: int
    end: int
    place: Place


class Page(NamedTuple):
    """A stretch of the log as it is sent, and where viewers are then."""

    pieces: tuple[Piece, ...]
    place: Place


class Rendition:
    """The recent bursts of a debate in one manner; viewers keep nothing but their place among them.

    `first` is the oldest burst still here, `next` the one to come; `size` counts the bytes of all there ever
    were. All events up to `told` are in bursts before `next`. Whoever keeps up has been given all up to
    `pushed`. After the last viewer has gone, `Channel.release` closes it.
    """

    def __init__(self, channel: Channel, manner: Manner) -> None:
        self.manner = manner
        self.told = channel.seq
        self.first = 0
        self.size = 0
        self.ended = channel.over
        self.viewers = 0
        self.pushed: Burst | None = None
        self._channel = channel
        self._bursts: deque[Burst] = deque()
        self._kept = 0
        self._start = (Place(channel.epoch, self.told), 0)
        self._pages: dict[tuple[Place, int], Page] = {}
        self._fresh: list[Burst] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._keeping_up: dict[asyncio.Future[Burst | None], Push] = {}
        self._loop = asyncio.get_running_loop()
        self._flushed_at = 0.0
        self._snapshot: tuple[float, Place, bytes] | None = None
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

    def behind(self, place: Place) -> tuple[int, int] | None:
        """Where among the bursts to go on, as a number and a size, for who is where one of them ended."""
        if place.seq == self.told and place.run is None:
            return self.next, self.size
        for burst in reversed(self._bursts):
            if burst.place == place:
                return burst.number + 1, burst.end
        start, size = self._start
        return (self.first, size) if place == start else None

    def reach(self, place: Place) -> int:
        """Up to which event somebody at this place is to be told, to be among the bursts then."""
        start, _ = self._start
        return start.seq if start.run is None and place.base < start.seq else self.told

    def page(self, place: Place, upto: int) -> Page | None:
        """What was told before to somebody at this place."""
        return self._pages.get((place, upto))

    def keep(self, place: Place, upto: int, page: Page) -> None:
        """Keep this for others who come to the same place."""
        while len(self._pages) >= PAGES:
            del self._pages[next(iter(self._pages))]
        self._pages[place, upto] = page

    def snapshot(self) -> tuple[Place, bytes]:
        """The debate as it stands, framed, and where to go on: among the bursts to come, if that is possible.

        It is not made for everybody anew, but may be as old as `SAME_S`.
        """
        now = self._loop.time()
        known = self._snapshot
        if known is None or now > known[0] + SAME_S or self.behind(known[1]) is None:
            if self.told < self._channel.seq:
                self.flush()
            snapshot = self._channel.snapshot(self.manner.debater)
            place = parse(snapshot.id)
            assert place is not None
            body = harmless(msgspec.json.encode(snapshot))
            known = self._snapshot = (now, place, message("snapshot", body, self.manner, place))
        return known[1:]

    def news(self) -> asyncio.Future[None]:
        """Done with the next burst, or the end."""
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        return waiter

    def keep_up(self, push: Push) -> asyncio.Future[Burst | None]:
        """Have all bursts from `next` on pushed, which costs much less than to be woken for each.

        Done at the end, and once the client no longer keeps up, with the last burst it was given. To be
        called off by `leave`; whoever completes it gives it `pushed`.
        """
        waiter = self._loop.create_future()
        self._keeping_up[waiter] = push
        return waiter

    def leave(self, waiter: asyncio.Future[Burst | None]) -> None:
        """Push nothing more; see `keep_up`."""
        self._keeping_up.pop(waiter, None)

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
        """Push what is new to all who keep up, and let all others who wait look again."""
        fresh, self._fresh = self._fresh, []
        if fresh:
            self.pushed = fresh[-1]
        for waiter, push in self._keeping_up.items():
            for burst in fresh:
                if waiter.done():
                    break
                if not push(burst.pieces):
                    waiter.set_result(burst)
        waiting, self._waiting = self._waiting, []
        for other in waiting:
            if not other.done():
                other.set_result(None)

    def end(self) -> None:
        """Tell what is left; nothing more comes."""
        self.flush()
        self.ended = True
        self.wake()
        self._let_go()

    def close(self) -> None:
        """Let go of the timers."""
        for timer in (self._flush, self._quiet):
            if timer is not None:
                timer.cancel()

    def _add(self, pieces: tuple[Piece, ...], place: Place) -> None:
        size = sum(map(len, pieces))
        self.size += size
        self._kept += size
        burst = Burst(self.next, pieces, size, self.size, place)
        self._bursts.append(burst)
        self._fresh.append(burst)
        while self._kept - self._bursts[0].size > KEPT:
            gone = self._bursts.popleft()
            self._kept -= gone.size
            self._start = (gone.place, gone.end)
            self.first += 1

    def _forget(self) -> None:
        self.first = self.next + 1
        self.size += LAG
        self._bursts.clear()
        self._kept = 0
        self._start = (Place(self._channel.epoch, self.told), self.size)
        self._let_go()

    def _let_go(self) -> None:
        """Push nothing more to anybody."""
        for waiter in self._keeping_up:
            if not waiter.done():
                waiter.set_result(self.pushed)

    def _comment(self) -> None:
        silent = self._loop.time() - self._flushed_at
        if silent >= SILENCE_S:
            self._add((COMMENT,), Place(self._channel.epoch, self.told))
            self.wake()
            silent = 0.0
        self._quiet = self._loop.call_later(SILENCE_S - silent, self._comment)
