"""Blind debates in the session: when the debaters are revealed, and what is logged until then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from debate_tui.domain import events
from debate_tui.domain.debate import mask_debaters
from debate_tui.domain.stream import Chunk, Connected, Fault, FaultKind, Finished
from debate_tui.domain.transcript import Transcript
from debate_tui.session.commands import CastVote, Command, EndDebate, Reveal
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
    from debate_tui.domain.briefs import DebateSpec
    from debate_tui.session.session import Session

REAL = (
    events.DebaterInfo("d1", "Ada", "For", "openai:gpt-9", "gpt-9", {"effort": "high"}),
    events.DebaterInfo("d2", "Ben", "Against", "anthropic:claude-9", "claude-9"),
)


def blind_spec() -> DebateSpec:
    spec = motion(phase("opening"))
    return structs.replace(spec, debaters=mask_debaters(spec.debaters), hidden=REAL, prices="prices 1")


def start_blind(*, unattended: bool = False) -> tuple[Session, list[events.Event]]:
    sources = [Scripted(), Scripted()]
    for source in sources:
        source.model = ""  # as a masked one
    session, _, seen = start_session(blind_spec(), sources, unattended=unattended)
    return session, seen


def last_types(seen: list[events.Event], count: int) -> list[type]:
    return [type(event) for event in seen[-count:]]


async def test_a_debate_without_a_user_reveals_right_before_its_end() -> None:
    session, seen = start_blind(unattended=True)

    await session.run()

    started = seen[0]
    assert isinstance(started, events.DebateStarted)
    assert started.blind
    assert started.prices == ""
    assert [info.name for info in started.debaters] == ["A", "B"]
    assert last_types(seen, 2) == [events.DebatersRevealed, events.DebateFinished]
    assert events_of_type(seen, events.DebatersRevealed) == [
        events.DebatersRevealed(seq=seen[-2].seq, at=seen[-2].at, debaters=REAL, prices="prices 1")
    ]
    transcript = Transcript(seen)
    assert (transcript.is_blind, transcript.prices) == (False, "prices 1")
    assert {turn.model for turn in transcript.turns.values()} == {"gpt-9", "claude-9"}


@pytest.mark.parametrize("command", [CastVote("after", "d1"), Reveal()])
async def test_the_user_reveals_by_a_vote_or_without_one(command: Command) -> None:
    session, seen = start_blind()
    await session.run()
    assert session.transcript.is_blind

    session.handle(command)
    session.handle(Reveal())

    assert len(events_of_type(seen, events.DebatersRevealed)) == 1
    assert last_types(seen, 2) == [events.DebatersRevealed, events.DebateFinished]
    assert not session.transcript.is_blind


@pytest.mark.parametrize(
    "command", [CastVote("before", "d1"), CastVote("after", "d1", voter="viewer"), Reveal()]
)
async def test_nothing_is_revealed_before_the_end_or_by_viewers(command: Command) -> None:
    go = asyncio.Event()
    speaker = Scripted([Connected(), go, Chunk("a"), Finished()])
    session, _, seen = start_session(blind_spec(), [speaker, Scripted()])
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(command)
    go.set()
    await running
    if isinstance(command, CastVote):
        session.handle(command)

    assert session.transcript.is_blind
    assert isinstance(seen[-1], events.DebateFinished)


async def test_a_vote_while_judges_read_reveals_at_the_end() -> None:
    go = asyncio.Event()
    session, _, seen = start_session(
        blind_spec(), [Scripted([Connected(), go, Chunk("a"), Finished()]), Scripted()]
    )
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(CastVote("after", "d2"))
    assert session.transcript.is_blind
    go.set()
    await running

    assert last_types(seen, 2) == [events.DebatersRevealed, events.DebateFinished]


@pytest.mark.parametrize("unattended", [True, False])
async def test_a_stopped_debate_stays_blind_unless_the_user_votes_on_it(unattended: bool) -> None:
    session, _, seen = start_session(
        blind_spec(), [Scripted([Connected(), asyncio.Event()]), Scripted()], unattended=unattended
    )
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    session.handle(EndDebate())
    await running
    session.handle(Reveal())
    assert session.transcript.finish_reason == "stopped"
    assert session.transcript.is_blind

    session.handle(CastVote("after", "d1"))

    assert not session.transcript.is_blind
    assert session.transcript.finish_reason == "stopped"


async def test_a_debate_that_failed_says_who_failed() -> None:
    broken = Fault(FaultKind.BAD_REQUEST, "No.")
    session, _, seen = start_session(
        blind_spec(), [Scripted(then=[broken]), Scripted(then=[broken])], unattended=True
    )

    await session.run()

    assert session.transcript.finish_reason == "failed"
    assert last_types(seen, 2) == [events.DebatersRevealed, events.DebateFinished]


async def test_a_replaced_source_is_logged_without_its_name_and_revealed() -> None:
    go = asyncio.Event()
    session, _, seen = start_session(
        blind_spec(), [Scripted([Connected(), go, *speech_items("a")[1:]]), Scripted()], unattended=True
    )
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnFinished))
    other = Scripted()
    other.model = "qwen-9"
    session.replace("d1", PricedSource(other), "ollama:qwen-9", {"seed": 1})
    go.set()
    await running

    (replaced,) = events_of_type(seen, events.DebaterReplaced)
    assert (replaced.source, replaced.model, replaced.parameters) == ("", "", {})
    assert session.transcript.debaters["d1"] == structs.replace(
        REAL[0], source="ollama:qwen-9", model="qwen-9", parameters={"seed": 1}
    )


async def test_prompts_keep_to_the_letters_once_the_debaters_are_revealed() -> None:
    session, _ = start_blind(unattended=True)
    await session.run()

    names = {session.transcript.prompt_name(debater) for debater in session.transcript.debaters}

    assert names == {"A", "B"}
    assert {info.name for info in session.transcript.debaters.values()} == {"Ada", "Ben"}
