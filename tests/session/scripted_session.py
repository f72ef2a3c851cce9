"""Sessions whose sources say what a script has them say."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from debate_tui.domain import events
from debate_tui.domain.briefs import DebateSpec
from debate_tui.domain.debate import Debater, Format, Phase
from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Fault,
    Finished,
    ResumePoint,
    StreamItem,
    TurnRequest,
    Usage,
)
from debate_tui.record.log import MemoryLog
from debate_tui.session.session import Session
from debate_tui.session.turn import PricedSource, unknown_cost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from debate_tui.domain.stream import Source
    from debate_tui.session.turn import CostFunction
    from debate_tui.session.turn_runner import RecoveryWrapper


Step = StreamItem | Fault | asyncio.Event


class Scripted:
    """Yields, for each opening, the next script; an `asyncio.Event` in a script is waited for."""

    def __init__(self, *scripts: list[Step], then: list[Step] | None = None) -> None:
        self.model = "scripted"
        self.requests: list[TurnRequest] = []
        self.resumes: list[ResumePoint | None] = []
        self.closed = 0
        self._scripts = list(scripts)
        self._then = then

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        self.requests.append(request)
        self.resumes.append(resume)
        script = self._scripts.pop(0) if self._scripts else self._then or speech_items(f"turn {request.turn}")
        try:
            yield self._items(script)
        finally:
            self.closed += 1

    async def _items(self, script: list[Step]) -> AsyncIterator[StreamItem]:
        for step in script:
            if isinstance(step, Fault):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step


def speech_items(*pieces: str) -> list[Step]:
    return [Connected(), *(Chunk(piece) for piece in pieces), Finished(usage=Usage(3, len(pieces)))]


def phase(name: str, **fields: object) -> Phase:
    return Phase(name=name, title=name.title(), **fields)  # type: ignore[arg-type]


def motion(*phases: Phase, debaters: int = 2) -> DebateSpec:
    names = ("Ada", "Ben", "Cleo", "Dan")[:debaters]
    return DebateSpec(
        debate="d",
        topic="Should cats vote?",
        format=Format(name="test", title="Test", description="", phases=phases or (phase("opening"),)),
        debaters=tuple(
            Debater(id=f"d{place}", name=name, side="For" if place % 2 else "Against", source="test")
            for place, name in enumerate(names, 1)
        ),
    )


def start_session(
    spec: DebateSpec,
    sources: Sequence[Source],
    past_events: Sequence[events.Event] = (),
    *,
    costs: Mapping[str, CostFunction] = MappingProxyType({}),
    with_recovery: RecoveryWrapper = lambda _, source, held: source,
    **options: Any,
) -> tuple[Session, MemoryLog, list[events.Event]]:
    """A session, its log, and the list of the events that come after those of the past."""
    log = MemoryLog(past_events)
    seen: list[events.Event] = []
    log.subscribe(seen.append)
    priced = {
        debater.id: PricedSource(source, costs.get(debater.id, unknown_cost))
        for debater, source in zip(spec.debaters, sources, strict=True)
    }
    session = Session(spec, priced, log, with_recovery=with_recovery, past_events=past_events, **options)
    return session, log, seen


async def wait_until_logged(seen: list[events.Event], wanted: Callable[[events.Event], bool]) -> None:
    """Let the session run until it has logged what is wanted."""
    while not any(wanted(event) for event in seen):
        await asyncio.sleep(0)


def events_of_type(seen: list[events.Event], kind: type) -> list:
    return [event for event in seen if isinstance(event, kind)]


def reasons(seen: list[events.Event]) -> dict[str, str]:
    return {event.debater: event.reason for event in events_of_type(seen, events.TurnFinished)}
