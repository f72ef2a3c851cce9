"""A source that recovers what a script breaks, read by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.stream import Chunk, Cursor, Fault, FaultKind, ResumePoint
from debate_tui.resilience.recovery import RecoveringSource
from tests.fakes.scripted_source import (
    ManualClock,
    RecoveredOutput,
    ScriptedSource,
    Step,
    read_recovered,
)
from tests.resilience.parallel_streams import UNDISTURBED_STATES

if TYPE_CHECKING:
    from debate_tui.domain.stream import RecoveryPolicy

STORY = "Tea is older than coffee, and it keeps better in a storm."


RECOVERED_STATES = [*UNDISTURBED_STATES, "reconnecting 1/5", *UNDISTURBED_STATES]


def cut_fault(kind: FaultKind = FaultKind.NETWORK, **facts: object) -> Fault:
    return Fault(kind, "It broke.", **facts)


def chunks(*texts: str, ids: int | None = None, reasoning: bool = False) -> list[Step]:
    """Chunks with event ids counted from `ids`, or without."""
    return [
        Chunk(text, reasoning, None if ids is None else Cursor(str(ids + place)))
        for place, text in enumerate(texts)
    ]


def words(text: str = STORY) -> list[str]:
    return text.replace(" ", " \0").split("\0")


class GuardedCase:
    """One guarded source with a clock of its own."""

    def __init__(self, *scripts: list[Step], policy: RecoveryPolicy | None = None) -> None:
        self.clock = ManualClock()
        self.source = ScriptedSource(*scripts, clock=self.clock)
        self.announced: list[object] = []
        self.held = False
        self.guarded = RecoveringSource(
            self.source,
            policy,
            clock=self.clock,
            random=lambda: 0.5,
            is_paused=lambda: self.held,
            announce=self.announced.append,
        )

    async def hear(self, resume: ResumePoint | None = None) -> RecoveredOutput:
        return await read_recovered(self.guarded, self.clock, resume=resume)

    async def fail(self) -> tuple[Fault, RecoveredOutput]:
        heard = RecoveredOutput()
        with pytest.raises(Fault) as raised:
            await read_recovered(self.guarded, self.clock, heard=heard)
        return raised.value, heard
