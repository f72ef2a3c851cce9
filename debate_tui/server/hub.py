"""All hosted debates: those that run in this process, and those in the store, opened on demand."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from debate_tui.domain.errors import DebateError, UsageError
from debate_tui.server.connections import ViewerRegistry
from debate_tui.server.hosted_debate import HostedDebate
from debate_tui.server.limits import ViewerLimits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from debate_tui.record.log import DebateStore, ReadableLog
    from debate_tui.record.summary import DebateSummary
    from debate_tui.session.commands import CommandHandler

MAX_IDLE_DEBATES: Final = 32
"""Debates without viewers kept in memory: this many finished ones, and this many from the store."""

RECHECK_INTERVAL_S: Final = 1.0
"""Seconds between checks whether a recorded debate has changed in the store."""

_log = logging.getLogger(__name__)


class Hub:
    """Finds and opens hosted debates; a context manager that closes them all.

    With `only_hosted`, other debates in the store are hidden. Call everything on the event loop's thread.
    """

    def __init__(
        self,
        store: DebateStore | None = None,
        limits: ViewerLimits | None = None,
        *,
        only_hosted: bool = False,
    ) -> None:
        self.viewers = ViewerRegistry(limits or ViewerLimits())
        self._store = store
        self._visible: set[str] | None = set() if only_hosted else None
        self._open_debates: OrderedDict[str, _OpenDebate] = OrderedDict()
        self._lookup_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sweep_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sweep_task = asyncio.create_task(self.viewers.drop_stalled())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.viewers.shut_down()
        if self._sweep_task is not None:
            self._sweep_task.cancel()
        for opened in tuple(self._open_debates.values()):
            await self._close(opened)

    def host(
        self, debate: str, log: ReadableLog, handle: CommandHandler | None = None, *, known_seq: int = 0
    ) -> HostedDebate:
        """Host a debate that runs in this process; the caller closes its log.

        `handle` takes the commands of its host and viewers; `known_seq` is the newest event already in the
        log.
        """
        self._drop_finished()
        if self._visible is not None:
            self._visible.add(debate)
        hosted = HostedDebate(debate, log, handle=handle, known_seq=known_seq)
        self._open_debates[debate] = _OpenDebate(hosted, asyncio.create_task(_run_debate(hosted)), None)
        return hosted

    async def wait_until_published(self, debate: str, timeout: float) -> None:  # noqa: ASYNC109 (nothing is cancelled)
        """Wait until all events of a finished debate are published, or `timeout` seconds."""
        if (opened := self._open_debates.get(debate)) is not None:
            await asyncio.wait({opened.task}, timeout=timeout)

    async def find(self, debate: str) -> HostedDebate | None:
        """Return the debate with exactly this id once it has events, or `None` if there is none."""
        if self._visible is not None and debate not in self._visible:
            return None
        # As long as this call refers to the lock, `_close_idle` spares the debate.
        lock = self._lookup_locks.setdefault(debate, asyncio.Lock())
        async with lock:
            opened = self._open_debates.get(debate)
            if opened is None or not await self._is_current(opened):
                opened = await self._open(debate)
        if opened is None or not await opened.hosted.wait_until_loaded():
            return None
        if self._open_debates.get(debate) is opened:
            self._open_debates.move_to_end(debate)
        await self._close_idle()
        return opened.hosted

    async def debates(self, words: str = "") -> list[tuple[DebateSummary, bool]]:
        """Return the debates that match `words`, newest first, each with whether it runs here now."""
        hosted_here = {
            debate: opened.hosted for debate, opened in self._open_debates.items() if opened.log is None
        }
        found = {
            debate: summary
            for debate, hosted in hosted_here.items()
            if hosted.seq and (summary := hosted.summary).matches(words)
        }
        for summary in await self._store.debates(words) if self._store else ():
            if self._visible is None or summary.debate in self._visible:
                found.setdefault(summary.debate, summary)
        newest = sorted(found.values(), key=lambda summary: (-summary.started, summary.debate))
        return [(s, s.debate in hosted_here and not hosted_here[s.debate].over) for s in newest]

    @property
    def hosted_debates(self) -> Sequence[HostedDebate]:
        """The debates that are open now."""
        return [opened.hosted for opened in self._open_debates.values()]

    async def _is_current(self, opened: _OpenDebate) -> bool:
        """Return whether an open debate still matches the store; close it if not.

        Debates that run here always match, unless they were interrupted.
        """
        hosted = opened.hosted
        if opened.log is None and opened.task.done() and hosted.reopen():
            opened.task = asyncio.create_task(_run_debate(hosted))
        interrupted = hosted.over and hosted.transcript.finish_reason is None
        if self._store is None or (opened.log is None and not interrupted):
            return True
        now = asyncio.get_running_loop().time()
        if now - opened.checked_at < RECHECK_INTERVAL_S and not interrupted:
            return True
        opened.checked_at = now
        summary = await self._find_summary(hosted.debate)
        if summary is not None and not interrupted and (not hosted.over or summary.events == hosted.seq):
            return True
        await self._close(opened)
        return False

    async def _find_summary(self, debate: str) -> DebateSummary | None:
        if self._store is None:
            return None
        try:
            found = await self._store.find(debate)
        except UsageError:
            return None
        return found if found.debate == debate else None

    async def _open(self, debate: str) -> _OpenDebate | None:
        summary = await self._find_summary(debate)
        if self._store is None or summary is None:
            return self._open_debates.get(debate)
        log = await self._store.watch(debate)
        if (already_open := self._open_debates.get(debate)) is not None:  # Started here in the meantime.
            await log.aclose()
            return already_open
        hosted = HostedDebate(debate, log, known_seq=log.seq)
        opened = _OpenDebate(hosted, asyncio.create_task(_run_debate(hosted)), log)
        opened.checked_at = asyncio.get_running_loop().time()
        self._open_debates[debate] = opened
        return opened

    def _drop_finished(self) -> None:
        """Drop all but the newest finished debates of this process that have no viewers."""
        over = [
            debate
            for debate, opened in self._open_debates.items()
            if opened.log is None and opened.task.done() and not opened.hosted.has_viewers
        ]
        for debate in over[:-MAX_IDLE_DEBATES]:
            del self._open_debates[debate]

    async def _close_idle(self) -> None:
        idle = [
            opened
            for debate, opened in self._open_debates.items()
            if opened.log is not None and not opened.hosted.has_viewers and debate not in self._lookup_locks
        ]
        for opened in idle[:-MAX_IDLE_DEBATES]:
            await self._close(opened)

    async def _close(self, opened: _OpenDebate) -> None:
        debate = opened.hosted.debate
        if self._open_debates.get(debate) is not opened:
            return  # Already being closed, or replaced.
        del self._open_debates[debate]
        opened.task.cancel()
        await asyncio.wait([opened.task])
        if opened.log is not None:
            await opened.log.aclose()


@dataclass(eq=False)
class _OpenDebate:
    """An open debate with its task, and with its log if the hub must close it."""

    hosted: HostedDebate
    task: asyncio.Task[None]
    log: ReadableLog | None
    checked_at: float = 0.0


async def _run_debate(hosted: HostedDebate) -> None:
    try:
        await hosted.run()
    except DebateError as error:
        _log.warning("debate %s: %s", hosted.debate, error.message)
