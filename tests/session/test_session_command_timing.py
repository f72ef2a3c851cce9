"""Commands at awkward moments: while a decision is awaited, between two waves, behind the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Connected, Cursor, Fault, FaultKind, StreamOrigin
from debate_tui.session.commands import (
    Decide,
    EndDebate,
    Interject,
    Pause,
    Resume,
    Retry,
    SkipPhase,
    StopTurn,
)
from debate_tui.session.turn import PricedSource
from tests.session.scripted_session import (
    Scripted,
    events_of_type,
    motion,
    phase,
    speech_items,
    start_session,
    wait_until_logged,
)

if TYPE_CHECKING:
    from debate_tui.session.commands import Command

WRONG_KEY = Fault(FaultKind.AUTH, "wrong key", status=401)


def source_with_wrong_key(then: str = "") -> Scripted:
    """Asks for another key; speaks once it has it."""
    return Scripted([WRONG_KEY], speech_items(then)) if then else Scripted([WRONG_KEY])


def asks_for_decision(event: events.Event) -> bool:
    return isinstance(event, events.DebatePaused)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (StopTurn("d1"), "stopped"),
        (SkipPhase(), "skipped"),
    ],
    ids=["stop", "skip"],
)
async def test_a_turn_that_waits_for_a_decision_can_be_ended(command: Command, reason: str) -> None:
    """At once, and the others speak on."""
    go = asyncio.Event()
    ben = Scripted([Connected(), Chunk("b"), go, *speech_items("en")])
    session, _, seen = start_session(
        motion(phase("one"), phase("two")), [source_with_wrong_key("later"), ben]
    )
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, asks_for_decision)
    session.handle(command)
    await wait_until_logged(
        seen, lambda event: isinstance(event, events.TurnFinished) and event.debater == "d1"
    )
    assert events_of_type(seen, events.TurnFinished)[0].reason == reason
    assert [event.reason for event in events_of_type(seen, events.DebateResumed)] == ["decided"]
    go.set()
    await running
    assert session.transcript.finish_reason == "complete"
    assert session.transcript.turns[3].text == "later"


async def test_a_retry_between_two_waves_comes_too_late() -> None:
    """Whenever it comes: no turn is finished twice, and the debate goes on."""
    for moments in range(8):
        session, _, seen = start_session(motion(phase("one"), phase("two")), [Scripted(), Scripted()])
        running = asyncio.create_task(session.run())
        await wait_until_logged(
            seen, lambda event: isinstance(event, events.TurnFinished) and event.turn == 2
        )
        for _ in range(moments):
            await asyncio.sleep(0)
        session.handle(Retry("d1"))
        await running
        assert session.transcript.finish_reason == "complete"
        assert [turn.reason for turn in session.transcript.turns.values()] == ["complete"] * 4
        assert len(events_of_type(seen, events.DebateFinished)) == 1


async def test_another_source_does_not_go_on_in_the_stream_of_the_one_before() -> None:
    """It has the text, and neither the place nor its own answer behind half of another."""
    half = [Connected(), Chunk("Half an ans", cursor=Cursor("evt-7"))]
    ada, stand_in = (
        Scripted([*half, WRONG_KEY]),
        Scripted([Connected(StreamOrigin.START), *speech_items("A whole answer.")[1:]]),
    )
    session, _, seen = start_session(motion(), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, asks_for_decision)
    session.replace("d1", PricedSource(stand_in), "demo:other")
    session.handle(Decide("d1", "replace"))
    await running
    (resume,) = stand_in.resumes
    assert resume is not None
    assert (resume.cursor, resume.text) == (None, "Half an ans")


@pytest.mark.parametrize("whom", [None, "d1"])
async def test_after_the_end_nothing_more_is_logged(whom: Literal["d1"] | None) -> None:
    session, _, seen = start_session(motion(), [Scripted(), Scripted()])
    await session.run()
    session.handle(Pause(whom))
    session.handle(Resume(whom))
    session.handle(Interject("And now?", whom))
    session.handle(Retry("d1"))
    session.handle(StopTurn("d1"))
    session.replace("d1", PricedSource(Scripted()), "demo")
    session.handle(SkipPhase())
    session.handle(EndDebate())
    assert isinstance(seen[-1], events.DebateFinished)
    assert session.transcript.finish_reason == "complete"
