"""A log of a debate hosted elsewhere, which resumes after every interruption of the connection."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections import Counter
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.domain.debate import MAX_DEBATERS
from debate_tui.domain.events import (
    DebateFinished,
    DebatePaused,
    DebateResumed,
    DebatersRevealed,
    DebateStarted,
    TurnDelta,
    TurnSuperseded,
    Verdict,
)
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.record.log import BATCH_SIZE, ReadableLog
from debate_tui.resilience.backoff import FaultAction, fault_action, jittered_delay
from debate_tui.resilience.watchdog import Watchdog
from debate_tui.session.turn import MAX_TURN_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence, Set

    from debate_tui.domain.events import Event
    from debate_tui.domain.material import Material
    from debate_tui.domain.stream import RecoveryPolicy
    from debate_tui.sources.remote_debate import HostMessage, RemoteDebate

    OnConnectionNotice = Callable[[str], None]


# Check what a host sends before accepting it: everything received has a bound


MAX_DEBATE_EVENTS: Final = 1_000_000
"""Maximum number of events in a debate; all of them are kept in memory."""

MAX_DEBATE_CHARACTERS: Final = 256 * 2**20
"""Maximum number of characters in all events of a debate, as received."""

MAX_REMOTE_TURN_CHARACTERS: Final = MAX_TURN_CHARACTERS + 2**20
"""Maximum number of characters in a turn; a host ends one after the event that makes it too long."""

MAX_MATERIAL: Final = 1000
"""Maximum number of texts in a debate's material."""

MAX_MATERIAL_CHARACTERS: Final = 16 * 2**20
"""Maximum number of characters in all of these texts together."""

MAX_NUMBER: Final = 2**53
"""Largest number accepted: beyond it, JSON parsers do not agree on the value."""

MAX_TIMESTAMP: Final = 253_402_214_400.0
"""Latest time of an event: one day before dates end with the year 9999, for any time zone."""

MAX_SCORE: Final = 100
"""Highest score or stance."""


FIRST_EVENT_TIMEOUT_S: Final = 30.0
"""How long a host may take to send the first event, in seconds.

The event exists from the start of the debate, so the host can send it at once.
"""

MAX_IDLE_MESSAGES: Final = 10_000
"""Maximum number of messages in a row without a new event."""

MAX_REWINDS: Final = 20
"""Maximum number of times that another history may replace the debate."""

MAX_SILENCE_S: Final = 40.0
"""Longest silence of a host, in seconds, before its connection counts as lost; hosts ping every 15 s."""


class RemoteEventValidator:
    """A validator for the events of one history, checked once each in the order of their `seq`."""

    def __init__(self) -> None:
        self._event_count = self._character_count = 0
        self._turn_characters: Counter[int] = Counter()
        self._debater_ids: Set[str] = frozenset()
        self._scored_ids: Set[str] | None = None

    def check(self, event: Event, characters: int) -> None:
        """Raise the `Fault` that ends watching if an event is not plausible or exceeds a bound.

        `characters` is the length of the whole event, as received.
        """
        if not self._event_count and not isinstance(event, DebateStarted):
            raise _invalid_debate_fault("The first event is missing.")
        if not 0 <= event.at <= MAX_TIMESTAMP:  # may be earlier than the last one: clocks are set back
            raise _invalid_debate_fault(f"Event {event.seq} has an impossible time.")
        if not all(abs(number) <= MAX_NUMBER for number in _numbers(event)):  # false for NaN
            raise _invalid_debate_fault("It contains a number that is too large.")
        self._event_count += 1
        self._character_count += characters
        if self._event_count > MAX_DEBATE_EVENTS or self._character_count > MAX_DEBATE_CHARACTERS:
            raise _too_long_fault("debate")
        match event:
            case TurnDelta():
                self._turn_characters[event.turn] += len(event.text)
                if self._turn_characters[event.turn] > MAX_REMOTE_TURN_CHARACTERS:
                    raise _too_long_fault("turn")
            case TurnSuperseded():
                self._turn_characters[event.turn] = 0
            case DebateStarted():
                self._check_start(event)
            case DebatersRevealed() if self._debater_ids != {debater.id for debater in event.debaters}:
                raise _invalid_debate_fault("It reveals debaters that it does not have.")
            case Verdict():
                self._check_verdict(event)

    def _check_start(self, event: DebateStarted) -> None:
        if self._event_count > 1:
            raise _invalid_debate_fault("It starts more than once.")
        ids = {debater.id for debater in event.debaters}
        if not 0 < len(ids) == len(event.debaters) <= MAX_DEBATERS:
            raise _invalid_debate_fault(f"A debate has up to {MAX_DEBATERS} debaters, each with its own id.")
        if len(event.material) > MAX_MATERIAL:
            raise _invalid_debate_fault(f"A debate has up to {MAX_MATERIAL:,} texts as material.")
        self._debater_ids = ids

    def _check_verdict(self, event: Verdict) -> None:
        """Verdicts are added up and drawn as bars: all must score the same debaters, within range."""
        scores, stances = event.scores, (event.stance_before, event.stance_after)
        if event.model and not sanitise(event.problem):
            self._scored_ids = scores.keys() if self._scored_ids is None else self._scored_ids
            if scores.keys() != self._scored_ids:
                raise _invalid_debate_fault("Its judges score different debaters.")
        if not scores.keys() <= self._debater_ids or event.winner not in (None, *self._debater_ids):
            raise _invalid_debate_fault("Its judges score a debater that does not exist.")
        numbers = (*scores.values(), *(stance for stance in stances if stance is not None))
        if not all(0 <= number <= MAX_SCORE for number in numbers):
            raise _invalid_debate_fault("A judge's score is out of range.")


def _numbers(value: object) -> Iterator[float]:
    """Yield every number in a value, at any depth."""
    match value:
        case int() | float():
            yield value
        case tuple():
            for part in value:
                yield from _numbers(part)
        case dict():
            for part in value.values():
                yield from _numbers(part)
        case Struct():
            for name in value.__struct_fields__:
                yield from _numbers(getattr(value, name))


def _invalid_debate_fault(reason: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"The host did not send a valid debate. {reason}",
        hint="Ask its host; the host's own page may show more.",
    )


def _too_long_fault(what: str) -> Fault:
    return Fault(
        FaultKind.BAD_REQUEST,
        f"The {what} is too long to watch.",
        hint="Ask its host for an export.",
    )


class RemoteLog(ReadableLog):
    """The log of a hosted debate; views read it like any other log.

    Everything received is bounded and checked by `RemoteEventValidator`. If another history has replaced
    the debate, `on_rewind` is called and all events are received again. `on_connection_notice` is called
    with a message while the connection is interrupted, and with ``""`` once it is open. `transport` is that
    of the current connection, or of the last one; empty before the first.
    """

    def __init__(
        self,
        remote_debate: RemoteDebate,
        policy: RecoveryPolicy,
        *,
        on_connection_notice: OnConnectionNotice = lambda _: None,
    ) -> None:
        super().__init__()
        self.on_rewind: Callable[[], None] = lambda: None
        self.on_connection_notice = on_connection_notice
        self._remote_debate = remote_debate
        self.transport = ""
        self._policy = replace(policy, silence_timeout=min(policy.silence_timeout, MAX_SILENCE_S))
        self._events: list[Event] = []
        self._validator = RemoteEventValidator()
        self._position = ""
        self._retry_after = 0.0
        self._has_answered = False
        self._idle_messages = 0
        self._rewind_count = 0

    @property
    def seq(self) -> int:
        return self._events[-1].seq if self._events else 0

    @property
    def over(self) -> bool:
        return bool(self._events) and isinstance(self._events[-1], DebateFinished)

    async def read(self, after: int = 0, limit: int = BATCH_SIZE) -> Sequence[Event]:
        start = bisect_right(self._events, after, key=lambda event: event.seq)
        return self._events[start : start + limit]

    async def read_material(self) -> Sequence[Material]:
        """Fetch the material from the host, unless that has been done; raise `Fault` if it fails."""
        first = self._events[0] if self._events else None
        if not self.material and isinstance(first, DebateStarted):
            texts: list[Material] = []
            for number, info in enumerate(first.material, 1):
                if not info.debater:
                    texts.append(await self._remote_debate.fetch_material(number))
                if sum(len(each.text) for each in texts) > MAX_MATERIAL_CHARACTERS:
                    raise _too_long_fault("material")
            self.material = tuple(texts)
        return self.material

    async def wait_for_first_event(self) -> None:
        """Connect and wait for the debate's first event; raise `Fault` if that is not possible."""
        await self._remote_debate.choose_debate()
        try:
            async with (
                asyncio.timeout(FIRST_EVENT_TIMEOUT_S),
                self._open_messages() as messages,
            ):
                async for message in messages:
                    self._handle_message(message)
                    if self._events:
                        return
        except TimeoutError:
            raise Fault(
                FaultKind.TIMEOUT,
                f"The host sent no event within {FIRST_EVENT_TIMEOUT_S:.0f} s.",
                hint="Use the address that 'debate-tui serve' prints.",
            ) from None
        raise Fault(FaultKind.BAD_REQUEST, "No debate was found at this address.")

    async def run(self) -> None:
        """Follow the debate until it is over; raise `Fault` if retrying cannot help.

        An unreachable host is retried without limit, because the viewer can always quit. A host that
        answers but sends no new event is given up after the policy's `max_retries`, unless the debate is
        paused.
        """
        retry = fruitless = 0
        while not self._closed:
            events_before = len(self._events)
            self._has_answered = False
            try:
                await self._follow_connection()
                if self.over:
                    return
                fault = Fault(FaultKind.NETWORK, "The host closed the connection.")
            except Fault as broken:
                fault = broken
            has_news = len(self._events) > events_before
            is_idle = self._has_answered and fault.kind in (FaultKind.TIMEOUT, FaultKind.SERVER)
            fruitless = fruitless + 1 if is_idle and not has_news and not self._is_paused() else 0
            if fault_action(fault) is not FaultAction.RETRY or fruitless > self._policy.max_retries:
                raise fault
            retry = 1 if has_news else retry + 1
            requested_delay = max(self._retry_after, fault.retry_after or 0.0)
            min_delay = min(requested_delay, self._policy.max_retry_after)
            fraction = random.random()  # noqa: S311 (jitter is no secret)
            seconds = jittered_delay(self._policy, retry, floor=min_delay, random_value=fraction)
            self.on_connection_notice(f"{fault.message} Reconnecting in {seconds:.0f} s.")
            await asyncio.sleep(seconds)

    async def _follow_connection(self) -> None:
        async with self._open_messages() as messages:
            self.on_connection_notice("")
            self._has_answered = True
            self._idle_messages = 0
            async for message in messages:
                if not self._handle_message(message):
                    return

    @asynccontextmanager
    async def _open_messages(self) -> AsyncGenerator[AsyncGenerator[HostMessage]]:
        """Open the messages after `_position`, in order, until the debate or the connection ends.

        Entering and iterating raise `Fault`, also if the connection is silent for longer than the policy
        allows.
        """
        watchdog = Watchdog(self._policy, asyncio.get_running_loop(), is_paused=lambda: False)
        async with AsyncExitStack() as stack:
            stack.callback(watchdog.close)
            watchdog.start_connection()
            with watchdog:
                connection = await stack.enter_async_context(self._remote_debate.connect(self._position))
            watchdog.mark_connected()
            self.transport = connection.transport
            messages = _with_watchdog(connection.messages, watchdog)
            yield await stack.enter_async_context(aclosing(messages))

    def _is_paused(self) -> bool:
        changes = (each for each in reversed(self._events) if isinstance(each, DebatePaused | DebateResumed))
        return isinstance(next(changes, None), DebatePaused)

    def _handle_message(self, message: HostMessage) -> bool:
        """Process one message of the host; return whether to continue reading this connection."""
        self._position = message.event_id or self._position
        if message.retry_after is not None:
            self._retry_after = message.retry_after
        if message.event is not None and message.event.seq > self.seq:
            self._validator.check(message.event, message.characters)
            self._events.append(message.event)
            self._idle_messages = 0
            self._publish(message.event)
        else:
            self._idle_messages += 1
            if self._idle_messages > MAX_IDLE_MESSAGES:
                raise Fault(FaultKind.SERVER, "The host sends no new events.")
        match message.notice:
            case "history":
                raise Fault(FaultKind.BAD_REQUEST, "The host no longer has the beginning of this debate.")
            case "epoch":
                self._rewind_count += 1
                if self._rewind_count > MAX_REWINDS:
                    raise _invalid_debate_fault("It restarts again and again.")
                self._events.clear()
                self.material = ()
                self._validator = RemoteEventValidator()
                self._position = ""
                self.on_rewind()
        return message.notice is None


async def _with_watchdog(
    messages: AsyncGenerator[HostMessage], watchdog: Watchdog
) -> AsyncGenerator[HostMessage]:
    """Yield the messages; raise a `timeout` fault if none arrive, or for too long only signs of life."""
    while True:
        with watchdog:
            message = await anext(messages, None)
        if message is None:
            return
        if message.event is None:
            watchdog.record_activity()
        else:
            watchdog.record_text()
        yield message
