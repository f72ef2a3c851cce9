"""A log of a debate that is held elsewhere: what its host tells, through every break of the line."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from typing import TYPE_CHECKING

from debate_tui.domain.events import DebateFinished, DebateStarted
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.record.log import BATCH_SIZE, BaseLog
from debate_tui.resilience.backoff import FaultAction, fault_action, jittered_delay
from debate_tui.session.intake import RemoteEventValidator
from debate_tui.session.lines import RemoteConnector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.events import Event
    from debate_tui.domain.stream import RecoveryPolicy
    from debate_tui.session.lines import ConnectionInfo
    from debate_tui.sources.remote_debate import HostMessage, RemoteDebate

    OnConnectionNotice = Callable[[str], None]


class RemoteLog(BaseLog):
    """Follows a hosted debate; views follow it like any other log.

    What is told has a bound, and has to be what a debate can be: see `RemoteEventValidator`. Where another
    history has taken the debate's place, `on_rewind` is called and everything is told anew.
    `on_connection_notice` is called with what to say of the connection while it is broken, and with ``""``
    once it stands.
    """

    def __init__(
        self,
        remote_debate: RemoteDebate,
        policy: RecoveryPolicy,
        *,
        on_connection_notice: OnConnectionNotice = lambda _: None,
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self.on_rewind: Callable[[], None] = lambda: None
        self.on_connection_notice = on_connection_notice
        self._remote_debate = remote_debate
        self._connector = RemoteConnector(remote_debate, policy)
        self._policy = policy
        self._random_fraction = random_fraction
        self._events: list[Event] = []
        self._validator = RemoteEventValidator()
        self._position = ""
        self._retry_after = 0.0

    @property
    def seq(self) -> int:
        """See `BaseLog.seq`."""
        return self._events[-1].seq if self._events else 0

    @property
    def over(self) -> bool:
        """See `BaseLog.over`."""
        return bool(self._events) and isinstance(self._events[-1], DebateFinished)

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        """See `ReadableLog.read`."""
        start = bisect_right(self._events, after, key=lambda event: event.seq)
        return self._events[start : start + limit]

    @property
    def connection(self) -> ConnectionInfo | None:
        """How the debate comes, or came last."""
        return self._connector.connection

    async def wait_for_first_event(self) -> None:
        """Connect, and wait for the debate's first event; raises the `Fault` that makes it impossible."""
        await self._remote_debate.choose_debate()
        async with self._connector.open_messages("", 0) as told:
            async for item in told:
                self._handle_message(item)
                if self._events:
                    return
        raise Fault(FaultKind.BAD_REQUEST, "There is no debate at this address.")

    async def run(self) -> None:
        """Follow until the debate is over; raises a `Fault` that no further try would mend.

        A host that is away is tried again for as long as it takes: whoever watches can always leave.
        """
        retry = 0
        while not self._closed:
            events_before = len(self._events)
            try:
                await self._follow_connection()
                if self.over:
                    return
                fault = Fault(FaultKind.NETWORK, "The host closed the connection.")
            except Fault as broken:
                fault = broken
            if fault_action(fault) is not FaultAction.RETRY:
                raise fault
            retry = 1 if len(self._events) > events_before else retry + 1
            requested_delay = max(self._retry_after, fault.retry_after or 0.0)
            min_delay = min(requested_delay, self._policy.max_retry_after)
            seconds = jittered_delay(
                self._policy, retry, floor=min_delay, random_value=self._random_fraction()
            )
            self.on_connection_notice(f"{fault.message} Trying again in {seconds:.0f} s.")
            await asyncio.sleep(seconds)

    async def _follow_connection(self) -> None:
        async with self._connector.open_messages(self._position, self.seq, self._debater_ids) as told:
            self.on_connection_notice("")
            async for item in told:
                if not self._handle_message(item):
                    return

    @property
    def _debater_ids(self) -> Sequence[str]:
        first = self._events[0] if self._events else None
        return [debater.id for debater in first.debaters] if isinstance(first, DebateStarted) else ()

    def _handle_message(self, message: HostMessage) -> bool:
        """Deal with what the host said; returns whether this connection is worth listening to any longer."""
        self._position = message.event_id or self._position
        if message.retry_after is not None:
            self._retry_after = message.retry_after
        if message.event is not None and message.event.seq > self.seq:
            self._validator.check(message.event, message.characters)
            self._events.append(message.event)
            self._publish(message.event)
        match message.notice:
            case "history":
                raise Fault(FaultKind.BAD_REQUEST, "The host no longer has the beginning of this debate.")
            case "epoch":
                self._events.clear()
                self._validator = RemoteEventValidator()
                self._position = ""
                self.on_rewind()
        return message.notice is None
