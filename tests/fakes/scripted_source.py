"""A source scripted in memory, a clock that is moved by hand, and a reader that writes down what it hears."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Chunk, Fault, Finished, StateChange, StreamItem, Superseded, TurnRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from debate_tui.domain.stream import ResumePoint, Source

REQUEST = TurnRequest(topic="Tea or coffee?", phase="opening", turn=1, messages=())


class ManualClock:
    """Time that passes only when `advance` says so; what falls due is called before it returns."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[[], object]) -> _Timer:
        timer = _Timer(callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    @property
    def armed(self) -> int:
        """How many timers wait."""
        return sum(not timer.cancelled for _, _, timer in self._timers)

    def advance(self, seconds: float) -> None:
        until = self._now + seconds
        while self._timers and self._timers[0][0] <= until:
            when, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            if not timer.cancelled:
                timer.callback()
        self._now = until


class _Timer:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass(frozen=True)
class Stall:
    """Silence; `seconds` of it pass at once, and nothing ever comes after."""

    seconds: float


@dataclass(frozen=True)
class Pass:
    """Some time goes by before the next step."""

    seconds: float


Step = StreamItem | Fault | Stall | Pass | asyncio.Event


class ScriptedSource:
    """Answers the n-th opening with the n-th script.

    A fault at the beginning of a script is raised while connecting. An event is waited for. An opening
    without a script is an error of the test.
    """

    def __init__(self, *scripts: Iterable[Step], clock: ManualClock | None = None) -> None:
        self.model = "scripted"
        self.resumes: list[ResumePoint | None] = []
        self.closed = 0
        self._scripts = [list(script) for script in scripts]
        self._clock = clock or ManualClock()

    @property
    def opened(self) -> int:
        return len(self.resumes)

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        script = self.script(resume)
        self.resumes.append(resume)
        try:
            while script and isinstance(script[0], (Fault, Stall)):
                await self._play(script.pop(0))
            yield self._items(script)
        finally:
            self.closed += 1

    def script(self, resume: ResumePoint | None) -> list[Step]:
        """What the next opening plays."""
        return self._scripts[self.opened]

    async def _items(self, script: list[Step]) -> AsyncIterator[StreamItem]:
        for step in script:
            if isinstance(step, (Fault, Stall, Pass, asyncio.Event)):
                await self._play(step)
            else:
                yield step

    async def _play(self, step: Step) -> None:
        match step:
            case Fault():
                raise step
            case Stall():
                asyncio.get_running_loop().call_soon(self._clock.advance, step.seconds)
                await asyncio.Event().wait()
            case Pass():
                asyncio.get_running_loop().call_soon(self._clock.advance, step.seconds)
                await asyncio.sleep(0)
            case asyncio.Event():
                await step.wait()


@dataclass
class RecoveredOutput:
    """What came out of a guarded stream; `text` and `reasoning` are without what was superseded."""

    items: list[StreamItem] = field(default_factory=list)
    text: str = ""
    reasoning: str = ""

    @property
    def statuses(self) -> list[StateChange]:
        return [item for item in self.items if isinstance(item, StateChange)]

    @property
    def chunks(self) -> list[Chunk]:
        return [item for item in self.items if isinstance(item, Chunk)]

    @property
    def states(self) -> list[str]:
        """The states in order, such as ``streaming`` or ``reconnecting 1/5``."""
        return [
            f"{status.state} {status.retry}/{status.max_retries}"
            if status.state == "reconnecting"
            else status.state
            for status in self.statuses
        ]

    @property
    def waits(self) -> list[int]:
        """The announced waits, in milliseconds."""
        return [status.retry_in_ms for status in self.statuses if status.retry_in_ms is not None]

    @property
    def finished(self) -> Finished:
        last = self.items[-1]
        assert isinstance(last, Finished)
        return last

    @property
    def superseded(self) -> int:
        return sum(isinstance(item, Superseded) for item in self.items)

    def take(self, item: StreamItem) -> None:
        self.items.append(item)
        match item:
            case Chunk(reasoning=True):
                self.reasoning += item.text
            case Chunk():
                self.text += item.text
            case Superseded():
                self.text = self.reasoning = ""


async def read_recovered(
    source: Source,
    clock: ManualClock,
    *,
    request: TurnRequest = REQUEST,
    resume: ResumePoint | None = None,
    heard: RecoveredOutput | None = None,
) -> RecoveredOutput:
    """Read a guarded source to its end, with every announced wait over as soon as it has begun.

    If it ends with a fault, `heard` has what came before.
    """
    heard = RecoveredOutput() if heard is None else heard
    async with source.open(request, resume) as items:
        async for item in items:
            heard.take(item)
            if isinstance(item, StateChange) and item.retry_in_ms:
                asyncio.get_running_loop().call_soon(clock.advance, item.retry_in_ms / 1000)
    return heard
