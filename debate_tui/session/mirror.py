"""A log of a debate that is held elsewhere: what its host tells, through every break of the line."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from typing import TYPE_CHECKING

from debate_tui.domain.events import DebateFinished, DebateStarted
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.record.log import BATCH, Broadcast
from debate_tui.resilience.backoff import wait
from debate_tui.resilience.classify import Action, action
from debate_tui.session.intake import Intake
from debate_tui.session.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.policy import Policy
    from debate_tui.session.lines import Way
    from debate_tui.sources.hosted import Hosted, Told

    OnLine = Callable[[str], None]


class Mirror(Broadcast):
    """Follows a hosted debate; views follow it like any other log.

    What is told has a bound, and has to be what a debate can be: see `Intake`. Where another history has
    taken the debate's place, `on_rewind` is called and everything is told anew.
    `on_line` is called with what to say of the connection while it is broken, and with ``""`` once it stands.
    """

    def __init__(
        self,
        hosted: Hosted,
        policy: Policy,
        *,
        on_line: OnLine = lambda _: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self.on_rewind: Callable[[], None] = lambda: None
        self.on_line = on_line
        self._hosted = hosted
        self._lines = Lines(hosted, policy)
        self._policy = policy
        self._chance = chance
        self._events: list[Event] = []
        self._intake = Intake()
        self._place = ""
        self._retry_after = 0.0

    @property
    def seq(self) -> int:
        """See `Broadcast.seq`."""
        return self._events[-1].seq if self._events else 0

    @property
    def over(self) -> bool:
        """See `Broadcast.over`."""
        return bool(self._events) and isinstance(self._events[-1], DebateFinished)

    async def read(self, after: int = 0, limit: int = BATCH) -> Sequence[Event]:
        """See `ReadableLog.read`."""
        start = bisect_right(self._events, after, key=lambda event: event.seq)
        return self._events[start : start + limit]

    @property
    def way(self) -> Way | None:
        """How the debate comes, or came last."""
        return self._lines.way

    async def first(self) -> None:
        """Connect, and wait for the debate's first event; raises the `Fault` that makes it impossible."""
        await self._hosted.find()
        async with self._lines.follow("", 0) as told:
            async for item in told:
                self._take(item)
                if self._events:
                    return
        raise Fault(FaultKind.BAD_REQUEST, "There is no debate at this address.")

    async def run(self) -> None:
        """Follow until the debate is over; raises a `Fault` that no further try would mend.

        A host that is away is tried again for as long as it takes: whoever watches can always leave.
        """
        tries = 0
        while not self._closed:
            had = len(self._events)
            try:
                await self._follow()
                if self.over:
                    return
                fault = Fault(FaultKind.NETWORK, "The host closed the connection.")
            except Fault as broken:
                fault = broken
            if action(fault) is not Action.RETRY:
                raise fault
            tries = 1 if len(self._events) > had else tries + 1
            wished = max(self._retry_after, fault.retry_after or 0.0)
            floor = min(wished, self._policy.max_retry_after)
            seconds = wait(self._policy, tries, floor=floor, chance=self._chance())
            self.on_line(f"{fault.message} Trying again in {seconds:.0f} s.")
            await asyncio.sleep(seconds)

    async def _follow(self) -> None:
        async with self._lines.follow(self._place, self.seq, self._debaters) as told:
            self.on_line("")
            async for item in told:
                if not self._take(item):
                    return

    @property
    def _debaters(self) -> Sequence[str]:
        first = self._events[0] if self._events else None
        return [debater.id for debater in first.debaters] if isinstance(first, DebateStarted) else ()

    def _take(self, told: Told) -> bool:
        """Deal with what the host said; returns whether this connection is worth listening to any longer."""
        self._place = told.place or self._place
        if told.retry_after is not None:
            self._retry_after = told.retry_after
        if told.event is not None and told.event.seq > self.seq:
            self._intake.check(told.event, told.characters)
            self._events.append(told.event)
            self._publish(told.event)
        match told.notice:
            case "history":
                raise Fault(FaultKind.BAD_REQUEST, "The host no longer has the beginning of this debate.")
            case "epoch":
                self._events.clear()
                self._intake = Intake()
                self._place = ""
                self.on_rewind()
        return told.notice is None
