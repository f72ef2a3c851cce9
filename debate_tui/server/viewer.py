"""Somebody who watches a debate: a place in it, and what to be told next."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from debate_tui.display.json_lines import harmless
from debate_tui.domain.errors import DebateError
from debate_tui.server.place import Place, parse
from debate_tui.server.wire import frames, joined, message, rest, retry, tell

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from debate_tui.server.channel import Channel
    from debate_tui.server.rendition import Rendition
    from debate_tui.server.wire import Manner, Piece

    Pieces = tuple[Piece, ...]

RETRY_MS: Final = (1000, 3000)
"""The wait before a new connection, different for each client so that they do not all return at once."""

GOODBYE_MS: Final = (500, 4000)
"""The same where the server itself says goodbye."""

PATIENCE_S: Final = 2.0
"""How long to wait for events a client says it has seen, which another server may have been told of first."""

Reset = Literal["epoch", "history", "lag"]


class Viewer:
    """What one connection is told, from first to last.

    `place` is where it was before; without one it begins with a snapshot. `after` begins behind an event
    of that number instead.
    """

    def __init__(
        self, channel: Channel, manner: Manner, *, place: str = "", after: int | None = None
    ) -> None:
        self._channel = channel
        self._manner = manner
        self._given = place
        self._after = after
        self._waiter: asyncio.Future[None] | None = None
        self._gone = False
        self.dismissed = False
        self.resets = 0

    def leave(self) -> None:
        """The client has gone; nothing more is told."""
        self._gone = True
        self._wake()

    def dismiss(self) -> None:
        """The server is about to stop: what there is is told, then goodbye."""
        self.dismissed = True
        self._wake()

    async def told(self) -> AsyncGenerator[Pieces]:
        """Everything to be sent, as it comes; ends with the debate."""
        channel, manner = self._channel, self._manner
        rendition = channel.rendition(manner)
        rendition.viewers += 1
        try:
            if manner.transport == "sse":
                yield (retry(random.randint(*RETRY_MS)),)  # noqa: S311
            async for pieces in self._all(rendition):
                yield pieces
            if self.dismissed and not self._gone:
                yield self._goodbye()
        finally:
            rendition.viewers -= 1
            channel.release(rendition)

    async def _all(self, rendition: Rendition) -> AsyncGenerator[Pieces]:
        place = await self._first_place()
        if place is None:
            if self._given:
                yield self._reset("epoch")
            place, pieces = self._snapshot()
            yield pieces
        while not self._gone:
            try:
                async for pieces in self._missed(place, rendition):
                    if pieces:
                        yield pieces
            except DebateError:
                yield self._reset("history")
            else:
                async for pieces in self._live(rendition):
                    yield pieces
                if self.dismissed or rendition.ended or self._gone:
                    return
                yield self._reset("lag")
            place, pieces = self._snapshot()
            yield pieces

    async def _first_place(self) -> Place | None:
        """Where to begin; `None` for a snapshot, which anything that is not known exactly gets."""
        channel = self._channel
        if self._after is not None:
            return Place(channel.epoch, min(self._after, channel.seq))
        place = parse(self._given)
        if place is None or place.epoch != channel.epoch:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (channel.knows(place) or channel.over):
                    await self._news(channel.rendition(self._manner))
        except TimeoutError:
            return None
        return place if channel.knows(place) else None

    async def _missed(self, place: Place, rendition: Rendition) -> AsyncGenerator[Pieces]:
        """What lies between a place and the bursts to come, read in pages."""
        channel, manner = self._channel, self._manner
        if place.run is not None:
            missing = rest(await channel.between(*place.run), place, manner)
            place = Place(channel.epoch, place.run[1])
            yield frames(missing, channel.epoch, manner)
        while place.seq != rendition.told and not (self._gone or self.dismissed):
            if place.seq > rendition.told:
                await self._news(rendition)
                continue
            page = await channel.read(place.seq, rendition.told)
            place = Place(channel.epoch, page[-1].seq)
            yield frames(tell(page, manner), channel.epoch, manner)

    async def _live(self, rendition: Rendition) -> AsyncGenerator[Pieces]:
        """The bursts as they come; ends where the viewer is behind too far."""
        number = rendition.next
        while not self._gone and number >= rendition.first:
            if number < rendition.next:
                number, bursts = rendition.since(number)
                yield bursts[0].pieces if len(bursts) == 1 else tuple(p for b in bursts for p in b.pieces)
            elif rendition.ended or self.dismissed:
                return
            else:
                await self._news(rendition)

    async def _news(self, rendition: Rendition) -> None:
        self._waiter = rendition.news()
        if not (self._gone or self.dismissed):
            await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _snapshot(self) -> tuple[Place, Pieces]:
        snapshot = self._channel.snapshot(self._manner.debater)
        place = Place(self._channel.epoch, snapshot.seq)
        return place, self._said("snapshot", harmless(msgspec.json.encode(snapshot)), place)

    def _reset(self, reason: Reset) -> Pieces:
        self.resets += 1
        return self._said("reset", b'{"type":"reset","reason":"%s"}' % reason.encode())

    def _goodbye(self) -> Pieces:
        pause = random.randint(*GOODBYE_MS)  # noqa: S311
        said = self._said("goodbye", b'{"type":"goodbye","retry":%d}' % pause)
        return (retry(pause), *said) if self._manner.transport == "sse" else said

    def _said(self, type_: str, body: bytes, place: Place | None = None) -> Pieces:
        return joined([message(type_, body, self._manner, place)], self._manner)
