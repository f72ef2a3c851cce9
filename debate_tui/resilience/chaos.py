"""Fault injection for ``--chaos``: a source that fails on purpose, to show recovery.

The first turns are scripted, whatever the seed: within one short debate a connection is refused, a server
limits the rate, a stream is cut, is overloaded, and stalls. Later ones are random but reproducible by `seed`.
No turn fails more often than recovery allows.
"""

from __future__ import annotations

import asyncio
import enum
from contextlib import aclosing, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.domain.stream import Chunk, Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from debate_tui.domain.stream import RecoveryPolicy, ResumePoint, Source, StreamItem, TurnRequest

RATE_LIMIT_SECONDS = 4.0
"""Wait requested by a rate limit, in seconds: long enough to see the badge count down."""


class FailureKind(enum.Enum):
    """Ways in which a connection can fail."""

    CUT = enum.auto()
    RATE_LIMIT = enum.auto()
    STALL = enum.auto()
    OVERLOAD = enum.auto()
    REFUSED_CONNECTION = enum.auto()


class PlannedFailure(Struct, frozen=True):
    """One failure; it happens `after` this many characters, unless it happens while connecting."""

    kind: FailureKind
    after: int


_SCRIPTED_FAILURES = (
    (FailureKind.CUT, FailureKind.RATE_LIMIT),
    (FailureKind.STALL,),
    (FailureKind.REFUSED_CONNECTION, FailureKind.CUT),
    (FailureKind.OVERLOAD, FailureKind.OVERLOAD, FailureKind.RATE_LIMIT),
)
"""Failures of the first turns, by turn number."""

_MAX_FAILURES = 3
"""Maximum number of failures in a later turn."""


def shorten_timeouts(policy: RecoveryPolicy) -> RecoveryPolicy:
    """Return the policy for chaos: silence is detected early enough to watch."""
    return replace(policy, silence_timeout=min(policy.silence_timeout, 4.0))


def plan_failures(turn: int, seed: int) -> tuple[PlannedFailure, ...]:
    """Return the failures of a turn's connections, in order; connections after the last one work."""
    chance = Random(f"{seed}/{turn}")  # noqa: S311 (variety, not secrecy)
    if turn <= len(_SCRIPTED_FAILURES):
        kinds: tuple[FailureKind, ...] = _SCRIPTED_FAILURES[turn - 1]
    else:
        kinds = tuple(chance.choice(tuple(FailureKind)) for _ in range(chance.randint(0, _MAX_FAILURES)))
    return tuple(PlannedFailure(kind, chance.randint(120, 420)) for kind in kinds)


class ChaosSource:
    """A wrapper whose connections fail as planned for each turn."""

    def __init__(self, source: Source, seed: int = 0) -> None:
        self._source = source
        self._seed = seed
        self._turn = 0
        self._planned: list[PlannedFailure] = []

    @property
    def model(self) -> str:
        return self._source.model

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        if request.turn != self._turn:
            self._turn = request.turn
            self._planned = list(plan_failures(request.turn, self._seed))
        plan = self._planned.pop(0) if self._planned else None
        _fail_connecting(plan)
        async with self._source.open(request, resume) as items:
            if plan is None:
                yield items
                return
            async with aclosing(_break_stream(items, plan)) as broken:
                yield broken


def _fail_connecting(plan: PlannedFailure | None) -> None:
    match plan:
        case PlannedFailure(kind=FailureKind.RATE_LIMIT):
            raise Fault(
                FaultKind.RATE_LIMIT, "Too many requests (chaos).", status=429, retry_after=RATE_LIMIT_SECONDS
            )
        case PlannedFailure(kind=FailureKind.REFUSED_CONNECTION):
            raise Fault(FaultKind.NETWORK, "Connection refused (chaos).")


async def _break_stream(items: AsyncIterator[StreamItem], plan: PlannedFailure) -> AsyncGenerator[StreamItem]:
    """Yield the items up to the failure; a stream that ends before it is not affected."""
    left = plan.after
    async for item in items:
        yield item
        if isinstance(item, Chunk):
            left -= len(item.text)
        if left <= 0:
            break
    else:
        return
    match plan.kind:
        case FailureKind.STALL:
            await asyncio.get_running_loop().create_future()
        case FailureKind.OVERLOAD:
            raise Fault(FaultKind.OVERLOADED, "The model is overloaded (chaos).", text_seen=True)
        case _:
            raise Fault(FaultKind.NETWORK, "Connection reset (chaos).", text_seen=True)
