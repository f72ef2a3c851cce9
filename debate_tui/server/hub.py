"""All hosted debates: those held in this process, and those of the store, opened when asked for."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.server.audience import Audience, Limits
from debate_tui.server.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from debate_tui.record.log import DebateStore, ReadableLog
    from debate_tui.record.summary import Summary
    from debate_tui.server.channel import Controls

KEPT: Final = 32
"""Debates that are over, and as many that are held elsewhere, kept folded while nobody watches them."""

FRESH_S: Final = 1.0
"""How long a recorded debate is trusted to be what it was when last looked at."""

_log = logging.getLogger(__name__)


class Hub:
    """Finds the channel of a debate; a context manager, which closes them all.

    Everything is called on the event loop's thread.
    """

    def __init__(self, store: DebateStore | None = None, limits: Limits | None = None) -> None:
        self.audience = Audience(limits or Limits())
        self._store = store
        self._channels: OrderedDict[str, _Open] = OrderedDict()
        self._wanted: Counter[str] = Counter()
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sweeper = asyncio.create_task(self.audience.sweep())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.audience.goodbye()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for opened in tuple(self._channels.values()):
            await self._close(opened)

    def host(
        self, debate: str, log: ReadableLog, controls: Controls | None = None, *, known: int = 0
    ) -> Channel:
        """Host a debate that this process holds; its log stays the caller's to close.

        `known` is the newest event there already is in the log.
        """
        self._forget_some()
        channel = Channel(debate, log, controls=controls, known=known)
        self._channels[debate] = _Open(channel, asyncio.create_task(_run(channel)), None)
        return channel

    async def told(self, debate: str, timeout: float) -> None:  # noqa: ASYNC109 (nothing is cancelled)
        """Wait until all of a debate that is over was published."""
        if (opened := self._channels.get(debate)) is not None:
            await asyncio.wait({opened.task}, timeout=timeout)

    async def find(self, debate: str) -> Channel | None:
        """The channel of the debate with exactly this id, once it has something to show."""
        with self._wanting(debate):
            async with self._opening.setdefault(debate, asyncio.Lock()):
                opened = self._channels.get(debate)
                if opened is None or not await self._still_right(opened):
                    opened = await self._open(debate)
            if opened is None or not await opened.channel.begun():
                return None
            if self._channels.get(debate) is opened:
                self._channels.move_to_end(debate)
            await self._make_room()
            return opened.channel

    async def debates(self, words: str = "") -> list[tuple[Summary, bool]]:
        """What is hosted, newest first, and whether it is held here and now."""
        here = {debate: opened.channel for debate, opened in self._channels.items() if opened.log is None}
        found = {
            debate: summary
            for debate, channel in here.items()
            if channel.seq and (summary := channel.summary).matches(words)
        }
        for summary in await self._store.debates(words) if self._store else ():
            found.setdefault(summary.debate, summary)
        newest = sorted(found.values(), key=lambda summary: -summary.started)
        return [(s, s.debate in here and not here[s.debate].over) for s in newest]

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels that are open now."""
        return [opened.channel for opened in self._channels.values()]

    async def _still_right(self, opened: _Open) -> bool:
        """Whether the store still has what the channel shows; debates held here are right while they last."""
        channel = opened.channel
        cut = channel.over and channel.transcript.finished is None
        if self._store is None or (opened.log is None and not cut):
            return True
        now = asyncio.get_running_loop().time()
        if now - opened.looked_at < FRESH_S and not cut:
            return True
        opened.looked_at = now
        summary = await self._look_up(channel.debate)
        if summary is not None and not cut and (not channel.over or summary.events == channel.seq):
            return True
        await self._close(opened)
        return False

    async def _look_up(self, debate: str) -> Summary | None:
        if self._store is None:
            return None
        try:
            found = await self._store.find(debate)
        except UsageError:
            return None
        return found if found.debate == debate else None

    @contextmanager
    def _wanting(self, debate: str) -> Iterator[None]:
        """Keep a debate open, if it is or becomes that, for the length of a block."""
        self._wanted[debate] += 1
        try:
            yield
        finally:
            self._wanted[debate] -= 1
            if not self._wanted[debate]:
                del self._wanted[debate]

    async def _open(self, debate: str) -> _Open | None:
        summary = await self._look_up(debate)
        if self._store is None or summary is None:
            return self._channels.get(debate)
        log = await self._store.watch(debate)
        if (held := self._channels.get(debate)) is not None:  # It has come to be held here meanwhile.
            await log.aclose()
            return held
        channel = Channel(debate, log, known=log.seq)
        opened = _Open(channel, asyncio.create_task(_run(channel)), log)
        opened.looked_at = asyncio.get_running_loop().time()
        self._channels[debate] = opened
        return opened

    def _forget_some(self) -> None:
        """Let go of debates that were held here, are over, and nobody watches."""
        over = [
            debate
            for debate, opened in self._channels.items()
            if opened.log is None and opened.task.done() and not opened.channel.watched
        ]
        for debate in over[:-KEPT]:
            del self._channels[debate]

    async def _make_room(self) -> None:
        idle = [
            opened
            for debate, opened in self._channels.items()
            if opened.log is not None and not opened.channel.watched and debate not in self._wanted
        ]
        for opened in idle[:-KEPT]:
            await self._close(opened)

    async def _close(self, opened: _Open) -> None:
        debate = opened.channel.debate
        if self._channels.get(debate) is not opened:
            return  # Somebody else is at it, or something else has taken its place.
        del self._channels[debate]
        opened.task.cancel()
        await asyncio.wait([opened.task])
        if opened.log is not None:
            await opened.log.aclose()


class _Open:
    """An open channel, and what has to be put away with it: its log, where that is the hub's."""

    def __init__(self, channel: Channel, task: asyncio.Task[None], log: ReadableLog | None) -> None:
        self.channel = channel
        self.task = task
        self.log = log
        self.looked_at = 0.0


async def _run(channel: Channel) -> None:
    try:
        await channel.run()
    except DebateError as error:
        _log.warning("debate %s: %s", channel.debate, error.message)
