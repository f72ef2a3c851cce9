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

    from debate_tui.domain.recovery_policy import RecoveryPolicy
    from debate_tui.domain.stream import Resume, Source, StreamItem, TurnRequest

RATE_LIMIT_SECONDS = 4.0
"""Wait requested by a rate limit, in seconds: long enough to see the badge count down."""


class Mishap(enum.Enum):
    """Ways in which a connection can fail."""

    CUT = enum.auto()
    RATE_LIMIT = enum.auto()
    STALL = enum.auto()
    OVERLOAD = enum.auto()
    REFUSED_CONNECTION = enum.auto()


class PlannedMishap(Struct, frozen=True):
    """One failure; it happens `after` this many characters, unless it happens while connecting."""

    mishap: Mishap
    after: int


_SCRIPTED_MISHAPS = (
    (Mishap.CUT, Mishap.RATE_LIMIT),
    (Mishap.STALL,),
    (Mishap.REFUSED_CONNECTION, Mishap.CUT),
    (Mishap.OVERLOAD, Mishap.OVERLOAD, Mishap.RATE_LIMIT),
)
"""Failures of the first turns, by turn number."""

_MAX_MISHAPS = 3
"""Maximum number of failures in a later turn."""


def shorten_timeouts(policy: RecoveryPolicy) -> RecoveryPolicy:
    """Return the policy for chaos: silence is detected early enough to watch."""
    return replace(policy, silence_timeout=min(policy.silence_timeout, 4.0))


def plan_mishaps(turn: int, seed: int) -> tuple[PlannedMishap, ...]:
    """Return the failures of a turn's connections, in order; connections after the last one work."""
    chance = Random(f"{seed}/{turn}")  # noqa: S311 (variety, not secrecy)
    if turn <= len(_SCRIPTED_MISHAPS):
        acts: tuple[Mishap, ...] = _SCRIPTED_MISHAPS[turn - 1]
    else:
        acts = tuple(chance.choice(tuple(Mishap)) for _ in range(chance.randint(0, _MAX_MISHAPS)))
    return tuple(PlannedMishap(mishap, chance.randint(120, 420)) for mishap in acts)


class ChaosSource:
    """A wrapper whose connections fail as planned for each turn."""

    def __init__(self, source: Source, seed: int = 0) -> None:
        self._source = source
        self._seed = seed
        self._turn = 0
        self._planned: list[PlannedMishap] = []

    @property
    def model(self) -> str:
        return self._source.model

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        """See `Source.open`."""
        if request.turn != self._turn:
            self._turn = request.turn
            self._planned = list(plan_mishaps(request.turn, self._seed))
        plan = self._planned.pop(0) if self._planned else None
        _fail_connecting(plan)
        async with self._source.open(request, resume) as items:
            if plan is None:
                yield items
                return
            async with aclosing(_break_stream(items, plan)) as broken:
                yield broken

    async def aclose(self) -> None:
        await self._source.aclose()


def _fail_connecting(plan: PlannedMishap | None) -> None:
    match plan:
        case PlannedMishap(mishap=Mishap.RATE_LIMIT):
            raise Fault(
                FaultKind.RATE_LIMIT, "Too many requests (chaos).", status=429, retry_after=RATE_LIMIT_SECONDS
            )
        case PlannedMishap(mishap=Mishap.REFUSED_CONNECTION):
            raise Fault(FaultKind.NETWORK, "Connection refused (chaos).")


async def _break_stream(items: AsyncIterator[StreamItem], plan: PlannedMishap) -> AsyncGenerator[StreamItem]:
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
    match plan.mishap:
        case Mishap.STALL:
            await asyncio.get_running_loop().create_future()
        case Mishap.OVERLOAD:
            raise Fault(FaultKind.OVERLOADED, "The model is overloaded (chaos).", text_seen=True)
        case _:
            raise Fault(FaultKind.NETWORK, "Connection reset (chaos).", text_seen=True)
