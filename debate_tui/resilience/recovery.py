"""Keeps a stream alive: attempts, watchdogs, waits and resumption around any source.

What comes out is one stream per turn whose text never repeats and never skips, however many connections it
took. Between the chunks it says what is going on, each time before it happens:

    connecting → connected → streaming → … → Finished
        ↑                        │ a fault that is worth a retry
        └────── reconnecting ←───┘ (published with its countdown; then the wait)

`Superseded` means that a restarted source said something else: all text so far no longer counts. A fault that
is beyond retrying is raised; `classify.action` says what it means.
"""

from __future__ import annotations

import asyncio
import math
import random as chance
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.policy import Policy
from debate_tui.domain.stream import (
    Alive,
    Chunk,
    Connected,
    Ended,
    Fault,
    FaultKind,
    FaultReport,
    Finished,
    Origin,
    Resume,
    Status,
    Superseded,
    UsageSoFar,
)
from debate_tui.resilience.accounts import Accounts
from debate_tui.resilience.backoff import Retries
from debate_tui.resilience.classify import Action, action
from debate_tui.resilience.overlap import Overlap
from debate_tui.resilience.replay import Replay
from debate_tui.resilience.seam import Joint
from debate_tui.resilience.shown import Shown
from debate_tui.resilience.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from debate_tui.domain.stream import FinishReason, Request, Source, StreamItem, StreamState, Usage
    from debate_tui.resilience.seam import Seam
    from debate_tui.resilience.watchdog import Clock

    Announce = Callable[["Announcement"], None]

Announcement = Status | Connected | Joint | Superseded | Finished | Fault
"""What a guarded stream tells whoever keeps a journal; a `Fault` is one that ended it."""


MAX_ASKED = 20
"""A server that always has more to say behind an orderly end is asked no more often: it makes it up."""


def _never() -> bool:
    return False


def _unheard(announcement: Announcement) -> None:
    return


class Guarded:
    """A source whose streams heal; itself a source.

    `held` tells whether the reader is paused: such time is not held against the sender. `clock` is the event
    loop's unless a test brings its own; `random` gives numbers from 0 to 1 for the jitter. `announce` is
    called, from the event loop, with what happens.

    A stream opened with a `Resume` goes on counting behind its attempt and joins its text to the one given.
    To try again at once, whatever the stream is doing, leave it and open it again that way.
    """

    def __init__(
        self,
        source: Source,
        policy: Policy | None = None,
        *,
        held: Callable[[], bool] = _never,
        clock: Clock | None = None,
        random: Callable[[], float] = chance.random,
        announce: Announce = _unheard,
    ) -> None:
        self._source = source
        self._policy = policy or Policy()
        self._held = held
        self._clock = clock
        self._random = random
        self._announce = announce

    @property
    def model(self) -> str:
        return self._source.model

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """Open one turn; see `Source.open`. Nothing is connected before the first item is asked for."""
        clock = self._clock or asyncio.get_running_loop()
        watchdog = Watchdog(self._policy, clock, self._held)
        retries = Retries(self._policy, self._random)
        recovery = Recovery(self._source, request, resume, watchdog, retries, clock, self._announce)
        items = recovery.items()
        try:
            yield items
        finally:
            await items.aclose()
            watchdog.close()

    async def aclose(self) -> None:
        """Let go of what the source holds beyond a turn."""
        await self._source.aclose()


class _Connection:
    """What is known of one connection of a turn."""

    __slots__ = ("flowing", "new_text", "origin", "seam")

    def __init__(self) -> None:
        self.origin = Origin.START
        self.seam: Seam | None = None
        self.new_text = False
        self.flowing = False
        """Whether chunks pass through as they come: the texts are joined, and `streaming` has been said."""


class Recovery:
    """One turn of a guarded source, over as many connections as it takes."""

    def __init__(
        self,
        source: Source,
        request: Request,
        resume: Resume | None,
        watchdog: Watchdog,
        retries: Retries,
        clock: Clock,
        announce: Announce,
    ) -> None:
        self._source = source
        self._request = request
        self._watchdog = watchdog
        self._retries = retries
        self._clock = clock
        self._announce = announce
        self._attempt = resume.attempt if resume else 0
        self._shown = Shown(resume)
        self._furthest = self._shown.length
        """The greatest length the text ever had, superseded or not."""
        self._accounts = Accounts()
        self._now = _Connection()
        self._server_wait = 0.0
        """The reconnection time the server announced, in seconds."""
        self._doubt: Ended | None = None
        """How the text ended, as far as is known, if one more connection is to tell whether it did."""
        self._asked = 0
        """How often the server was asked whether there is more."""
        self._recovering = False
        self._over = False

    async def items(self) -> AsyncGenerator[StreamItem, None]:
        """The turn; see `Guarded`."""
        watchdog = self._watchdog
        while not self._over:
            fault: Fault | None = None
            now = self._connect()
            yield self._tell(self._status("connecting"))
            try:
                async with AsyncExitStack() as connection:
                    opening = self._source.open(self._request, self._resume())
                    with watchdog:
                        stream = await connection.enter_async_context(opening)
                    while not self._over:
                        with watchdog:
                            item = await stream.__anext__()
                        if now.flowing and type(item) is Chunk:
                            watchdog.text()
                            self._shown.add(item)
                            yield item
                        else:
                            for told in self._take(item):
                                yield told
            except Fault as broken:
                fault = broken
            except StopAsyncIteration:
                fault = Fault(FaultKind.NETWORK, "The stream ended before the answer was complete.")
            if fault is not None and not self._over:
                outcome = self._after(fault)
                if outcome is not None:
                    yield outcome
                if isinstance(outcome, Status) and outcome.retry_in_ms:
                    await self._wait(outcome.retry_in_ms / 1000)

    def _connect(self) -> _Connection:
        self._attempt += 1
        self._now = _Connection()
        self._watchdog.connecting()
        return self._now

    def _resume(self) -> Resume | None:
        shown = self._shown
        if not shown.length and shown.cursor is None:
            return None
        return Resume(self._attempt - 1, shown.cursor, shown.answer, shown.reasoning)

    # What comes from the source

    def _take(self, item: StreamItem) -> Iterator[StreamItem]:
        """Deal with anything but a chunk that just passes through."""
        seam = self._now.seam
        match item:
            case Chunk():
                self._watchdog.text()
                joint = seam.feed(item) if seam else Joint((item,))
                if joint:
                    yield from self._join(joint)
            case Alive():
                self._take_sign(item)
            case Connected():
                self._take_connected(item)
                yield self._tell(self._status("connected"))
                yield self._tell(item)
            case UsageSoFar():
                self._watchdog.alive()
                yield UsageSoFar(self._accounts.so_far(item.usage))
            case Finished():
                if seam:
                    yield from self._join(seam.finish())
                if not self._over:
                    yield self._complete(item.reason, item.usage)

    def _take_sign(self, sign: Alive) -> None:
        self._watchdog.alive()
        if sign.retry_after is not None:
            self._server_wait = sign.retry_after
        if sign.cursor is None:
            return
        if self._now.seam:
            self._now.seam.meet(sign.cursor)
        else:
            self._shown.mark(sign.cursor)

    def _take_connected(self, connected: Connected) -> None:
        self._watchdog.connected()
        now, origin = self._now, connected.origin
        now.origin = origin
        self._accounts.connect(same_answer=origin is Origin.CURSOR)
        if not self._shown.length:
            return
        if origin is Origin.CONTINUATION:
            now.seam = Overlap(self._shown)
        else:
            asked = self._doubt is not None and self._doubt.vouched
            now.seam = Replay(self._shown, origin, asked=asked)

    def _join(self, joint: Joint) -> Iterator[StreamItem]:
        """Go on with what is new behind the text already shown."""
        now = self._now
        if now.seam and now.seam.settled:
            now.seam = None
            self._announce(joint)
            if now.origin is Origin.CONTINUATION:
                self._shown.cursor = None  # it belongs to an answer that nobody goes on with
        if joint.superseded:
            if self._doubt and self._doubt.vouched:
                # Asked whether there was more, the server began anew: there was not.
                yield self._complete()
                return
            self._furthest = max(self._furthest, self._shown.length)
            self._shown = Shown()
            yield self._tell(Superseded(self._attempt))
        for cursor, place in joint.passed:
            self._shown.mark(cursor, place)
        for chunk in joint.chunks:
            if not now.new_text:
                now.new_text = True
                yield self._tell(self._status("streaming"))
            self._shown.add(chunk)
            yield chunk
        now.flowing = now.new_text and now.seam is None

    def _complete(self, reason: FinishReason = "complete", usage: Usage | None = None) -> StreamItem:
        self._over = True
        return self._tell(Finished(reason, self._accounts.total(usage)))

    # What is done about faults

    def _after(self, fault: Fault) -> StreamItem | None:
        """What comes after a fault: the turn's end, a wait, or `None` to connect at once and ask for more.

        Raises the fault if nothing is to be done about it here.
        """
        grown = self._shown.length > self._furthest
        self._furthest = max(self._furthest, self._shown.length)
        if self._now.new_text:
            self._doubt = None
        doubt, what = self._doubt, action(fault)
        if what is Action.REFUSED:
            return self._complete("refused")
        if isinstance(fault, Ended):
            if doubt and self._brought_the_same():
                return self._complete()
            self._doubt = fault
            if fault.vouched and grown:
                self._asked += 1
                return None if self._asked <= MAX_ASKED else self._complete()
        vouched = doubt is not None and doubt.vouched
        if vouched and (fault.kind is FaultKind.TIMEOUT or what is Action.SKIP):
            return self._complete()
        if what is Action.RETRY:
            floor = max(self._server_wait, fault.retry_after or 0.0)
            wait = self._retries.next_wait(self._furthest, floor)
            if wait is not None:
                self._recovering = True
                return self._tell(self._status("reconnecting", fault, wait))
            if vouched:
                return self._complete()
        self._announce(fault)
        raise fault

    def _brought_the_same(self) -> bool:
        """Whether the connection that just ended was all old text, or behind a cursor no text."""
        now = self._now
        if now.new_text or not self._shown.length:
            return False
        return now.seam is None or (now.origin is Origin.CURSOR and not now.seam.holds)

    async def _wait(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(self._clock.time() + seconds, lambda: woken.set_result(None))
        try:
            await woken
        finally:
            timer.cancel()

    def _status(self, state: StreamState, fault: Fault | None = None, wait: float = 0.0) -> Status:
        spent = self._retries.spent if state in ("connecting", "reconnecting") else 0
        recovered = state == "streaming" and self._recovering
        if recovered:
            self._recovering = False
        return Status(
            state,
            self._attempt,
            retry=spent,
            max_retries=self._retries.most if spent else 0,
            retry_in_ms=math.ceil(wait * 1000) if fault else None,
            error=FaultReport(fault.kind, fault.message, fault.status) if fault else None,
            recovered=recovered,
        )

    def _tell(self, item: Status | Connected | Superseded | Finished) -> StreamItem:
        self._announce(item)
        return item
