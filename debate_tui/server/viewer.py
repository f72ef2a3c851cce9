"""Somebody who watches a debate: a place in it, and what to be told next."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final, Literal

from debate_tui.domain.errors import DebateError
from debate_tui.server.place import Place, parse
from debate_tui.server.rendition import LAG, Page
from debate_tui.server.wire import frames, joined, message, portions, rest, retry, tell

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from debate_tui.server.channel import Channel
    from debate_tui.server.rendition import Burst, Push, Rendition
    from debate_tui.server.wire import Manner, Piece, Told

    Pieces = tuple[Piece, ...]

RETRY_MS: Final = (1000, 3000)
"""The wait before a new connection, different for each client so that they do not all return at once."""

GOODBYE_MS: Final = (500, 4000)
"""The same where the server itself says goodbye."""

PATIENCE_S: Final = 2.0
"""How long to wait for events a client says it has seen, which another server may have been told of first."""

Reset = Literal["epoch", "history", "lag"]


class Viewer:
    """What one connection is told, from first to last; `resets` counts how often it had to begin anew.

    `place` is where it was before. Without one it begins behind the event `after`, or with a snapshot.
    """

    def __init__(
        self, channel: Channel, manner: Manner, *, place: str = "", after: int | None = None
    ) -> None:
        self._channel = channel
        self._manner = manner
        self._given = place
        self._after = after
        self._place: Place | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._pushed: tuple[Rendition, asyncio.Future[Burst | None]] | None = None
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

    async def told(self, push: Push | None = None) -> AsyncGenerator[Pieces]:
        """Everything to be sent, as it comes; ends with the debate.

        With `push`, what comes while the client keeps up goes there instead. What is given for want of
        keeping up is nothing, to be sent when that is possible again.
        """
        channel, manner = self._channel, self._manner
        rendition = channel.rendition(manner)
        rendition.viewers += 1
        try:
            self._place = await self._first_place(rendition)
            if manner.transport == "sse":
                yield (retry(random.randint(*RETRY_MS), self._place),)  # noqa: S311
            if self._place is None:
                yield self._anew(rendition, "epoch" if self._given else None)
            while not self._gone:
                while pieces := await self._missing(rendition):
                    yield pieces
                number, heard = self._behind(rendition)
                while number >= rendition.first and not self._gone:
                    if number < rendition.next:
                        number, bursts = rendition.since(number)
                        heard, self._place = bursts[-1].end, bursts[-1].place
                        yield bursts[0].pieces if len(bursts) == 1 else _flat(bursts)
                    elif rendition.ended or self.dismissed:
                        if not rendition.ended:
                            yield self._goodbye()
                        return
                    elif push is None:
                        await self._news(rendition)
                    else:
                        if (burst := await self._keep_up(rendition, push)) is not None:
                            number, heard, self._place = burst.number + 1, burst.end, burst.place
                        yield ()
                if not self._gone and rendition.size - heard > LAG:
                    yield self._anew(rendition, "lag")
        finally:
            rendition.viewers -= 1
            channel.release(rendition)

    async def _first_place(self, rendition: Rendition) -> Place | None:
        """Where to begin; `None` for a snapshot, which anything that is not known exactly gets."""
        channel = self._channel
        if not self._given:
            return None if self._after is None else Place(channel.epoch, min(self._after, channel.seq))
        place = parse(self._given)
        if place is None or place.epoch != channel.epoch:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (channel.knows(place) or channel.over):
                    await self._news(rendition)
        except TimeoutError:
            return None
        return place if channel.knows(place) else None

    async def _missing(self, rendition: Rendition) -> Pieces:
        """The next page of what lies between the viewer's place and the bursts to come; empty for nothing."""
        try:
            # Who is sent away may ask for what is missing elsewhere; an end is told while that is possible.
            while not self._gone and (rendition.ended or not self.dismissed):
                place = self._place
                assert place is not None
                if rendition.behind(place) is not None:
                    return ()
                if place.base > rendition.told:
                    await self._news(rendition)
                    continue
                upto = rendition.reach(place)
                if (page := rendition.page(place, upto)) is None:
                    page = await self._page(place, upto)
                    rendition.keep(place, upto, page)
                self._place = page.place
                if page.pieces:
                    return page.pieces
        except DebateError:
            return self._anew(rendition, "history")
        return ()

    async def _page(self, place: Place, upto: int) -> Page:
        channel, manner = self._channel, self._manner
        if place.run is not None:
            told: Sequence[Told] = rest(await channel.between(*place.run), place, manner)
            then = Place(channel.epoch, place.run[1])
        else:
            events = await channel.read(place.seq, upto)
            told = tell(events, manner)
            then = Place(channel.epoch, events[-1].seq)
            parts = list(portions(told))
            if len(parts) > 1:
                told = parts[0]
                then = told[-1].place(channel.epoch)
        return Page(frames(told, channel.epoch, manner), then)

    async def _news(self, rendition: Rendition) -> None:
        self._waiter = rendition.news()
        if not (self._gone or self.dismissed):
            await self._waiter

    async def _keep_up(self, rendition: Rendition, push: Push) -> Burst | None:
        """Be pushed to until something else is to be done; returns the last burst that was, if any."""
        waiter = rendition.keep_up(push)
        self._pushed = (rendition, waiter)
        try:
            return await waiter
        finally:
            self._pushed = None
            rendition.leave(waiter)

    def _wake(self) -> None:
        if self._pushed is not None and not self._pushed[1].done():
            self._pushed[1].set_result(self._pushed[0].pushed)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _behind(self, rendition: Rendition) -> tuple[int, int]:
        """Where among the bursts to go on; beyond all of them for who has gone or is sent away."""
        assert self._place is not None
        return rendition.behind(self._place) or (rendition.next, rendition.size)

    def _anew(self, rendition: Rendition, reason: Reset | None) -> Pieces:
        """The debate as it stands, for want of a place to go on from; and why, if there was one."""
        manner = self._manner
        self._place, snapshot = rendition.snapshot()
        said = [snapshot]
        if reason is not None:
            self.resets += 1
            said.insert(0, message("reset", b'{"type":"reset","reason":"%s"}' % reason.encode(), manner))
        return joined(said, manner)

    def _goodbye(self) -> Pieces:
        manner, pause = self._manner, random.randint(*GOODBYE_MS)  # noqa: S311
        said = [message("goodbye", b'{"type":"goodbye","retry":%d}' % pause, manner)]
        if manner.transport == "sse":
            said.insert(0, retry(pause, None))
        return joined(said, manner)


def _flat(bursts: Sequence[Burst]) -> Pieces:
    return tuple(piece for burst in bursts for piece in burst.pieces)
