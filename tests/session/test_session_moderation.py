"""What the moderator changes about a debate under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Connected
from debate_tui.session.commands import (
    AddRound,
    CastVote,
    EndDebate,
    Interject,
    Resume,
    SetWords,
    SkipPhase,
    WaitBetweenRounds,
)
from debate_tui.session.turn import PricedSource
from tests.session.scripted_session import (
    Scripted,
    events_of_type,
    motion,
    phase,
    reasons,
    speech_items,
    start_session,
    wait_until_logged,
)

if TYPE_CHECKING:
    from debate_tui.domain.briefs import DebateSpec


def round_steps(seen: list[events.Event]) -> list[tuple[str, int, int]]:
    return [(event.phase, event.round, event.rounds) for event in events_of_type(seen, events.PhaseStarted)]


async def test_a_round_more_than_planned() -> None:
    go = asyncio.Event()
    ada = Scripted([Connected(), go, Chunk("a"), *speech_items()])
    session, _, seen = start_session(motion(phase("rebuttal", rounds=2), phase("closing")), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(AddRound())
    session.handle(AddRound())
    go.set()
    await running
    assert round_steps(seen) == [
        ("rebuttal", 1, 2),
        ("rebuttal", 2, 4),
        ("rebuttal", 3, 4),
        ("rebuttal", 4, 4),
        ("closing", 1, 1),
    ]


async def test_skipping_a_phase_ends_its_turns_and_its_rounds() -> None:
    never = asyncio.Event()
    ada = Scripted([Connected(), Chunk("half"), never])
    session, _, seen = start_session(motion(phase("rebuttal", rounds=3), phase("closing")), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(SkipPhase())
    await running
    assert round_steps(seen) == [("rebuttal", 1, 3), ("closing", 1, 1)]
    assert [event.reason for event in events_of_type(seen, events.TurnFinished)][:2] == [
        "complete",
        "skipped",
    ]
    assert reasons(seen) == {"d1": "complete", "d2": "complete"}


async def test_another_number_of_words_from_the_next_round_on() -> None:
    go = asyncio.Event()
    ada = Scripted([Connected(), go, *speech_items("a")])
    session, _, seen = start_session(
        motion(phase("one", words=200), phase("two", words=200)), [ada, Scripted()]
    )
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(SetWords(33))
    go.set()
    await running
    assert ["33 words" in request.prompt for request in ada.requests] == [False, True]


async def test_another_source_speaks_from_the_next_turn_on() -> None:
    go = asyncio.Event()
    ada, stand_in = Scripted([Connected(), go, *speech_items("old")]), Scripted(speech_items("new"))
    session, _, seen = start_session(motion(phase("one"), phase("two")), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.replace("d1", PricedSource(stand_in), "demo:other")
    go.set()
    await running
    assert [session.transcript.turns[number].text for number in (1, 3)] == ["old", "new"]
    assert len(stand_in.requests) == 1
    replaced = events_of_type(seen, events.DebaterReplaced)
    assert [(event.debater, event.source, event.model) for event in replaced] == [
        ("d1", "demo:other", "scripted")
    ]


async def test_the_words_asked_for_are_said_with_every_round() -> None:
    session, _, seen = start_session(
        motion(phase("one", words=200), phase("two", words=90)), [Scripted(), Scripted()]
    )
    await session.run()
    assert [step.words for step in events_of_type(seen, events.PhaseStarted)] == [200, 90]


async def test_another_source_has_its_own_price() -> None:
    session, _, seen = start_session(motion(phase("one")), [Scripted(), Scripted()])
    session.replace("d1", PricedSource(Scripted(speech_items("new")), lambda usage: 0.25), "demo:other")
    await session.run()
    assert {turn.debater: turn.cost for turn in events_of_type(seen, events.TurnFinished)} == {
        "d1": 0.25,
        "d2": None,
    }


async def test_a_vote_after_the_end_leaves_the_end_as_the_last_word() -> None:
    session, _, seen = start_session(motion(phase("one")), [Scripted(), Scripted()])
    session.handle(CastVote("before", None))
    await session.run()
    session.handle(CastVote("after", "d2"))
    assert isinstance(seen[-1], events.DebateFinished)
    assert [(vote.when, vote.debater) for vote in events_of_type(seen, events.Vote)] == [
        ("before", None),
        ("after", "d2"),
    ]
    assert session.transcript.finish_reason == "complete"


async def test_a_vote_may_name_a_side() -> None:
    session, _, seen = start_session(motion(phase("one")), [Scripted(), Scripted()])
    session.handle(CastVote("before", side="For"))
    await session.run()
    assert [(vote.debater, vote.side) for vote in events_of_type(seen, events.Vote)] == [(None, "For")]


# Waiting between rounds


def is_waiting(event: events.Event) -> bool:
    return isinstance(event, events.DebatePaused) and event.reason == events.STEP_PAUSE


def stepped(*phases: str) -> DebateSpec:
    spec: DebateSpec = msgspec.structs.replace(motion(*map(phase, phases)), step=True)
    return spec


async def test_a_stepped_debate_waits_before_every_round_but_the_first() -> None:
    session, _, seen = start_session(stepped("one", "two", "three"), [Scripted(), Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, is_waiting)
    assert len(round_steps(seen)) == 1
    session.handle(Resume())
    await wait_until_logged(seen, lambda event: is_waiting(event) and sum(map(is_waiting, seen)) == 2)
    assert len(round_steps(seen)) == 2
    session.handle(Resume())
    await running
    assert [step[0] for step in round_steps(seen)] == ["one", "two", "three"]
    pauses = [event for event in seen if isinstance(event, events.DebatePaused | events.DebateResumed)]
    assert [event.reason for event in pauses] == ["step", "user", "step", "user"]
    assert session.transcript.pause is None


async def test_what_is_said_while_it_waits_is_in_the_next_prompt() -> None:
    ada = Scripted()
    session, _, seen = start_session(stepped("one", "two"), [ada, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, is_waiting)
    session.handle(SetWords(33))
    session.handle(Interject("Mind the dogs."))
    session.handle(Resume("d1"))
    await running
    assert "Mind the dogs." in ada.requests[1].prompt
    assert "33 words" in ada.requests[1].prompt


async def test_waiting_can_be_turned_on_and_off() -> None:
    session, _, seen = start_session(motion(*map(phase, ("one", "two", "three"))), [Scripted(), Scripted()])
    session.handle(WaitBetweenRounds(on=True))
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, is_waiting)
    session.handle(WaitBetweenRounds(on=False))
    await running
    assert len(round_steps(seen)) == 3
    assert sum(map(is_waiting, seen)) == 1


async def test_a_debate_that_waits_can_be_ended() -> None:
    session, _, seen = start_session(stepped("one", "two"), [Scripted(), Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, is_waiting)
    session.handle(EndDebate())
    await running
    assert session.transcript.finish_reason == "stopped"
    assert len(round_steps(seen)) == 1


async def test_rounds_dropped_while_it_waits_do_not_come() -> None:
    spec: DebateSpec = msgspec.structs.replace(motion(phase("one", rounds=2)), step=True)
    session, _, seen = start_session(spec, [Scripted(), Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, is_waiting)
    session.handle(SkipPhase())
    session.handle(Resume())
    await running
    assert round_steps(seen) == [("one", 1, 2)]
    assert session.transcript.finish_reason == "complete"
