"""A debate broken off anywhere is taken up where it was: nothing said changes, and prompts are the same."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Connected, Finished
from debate_tui.domain.transcript import Transcript
from debate_tui.session.commands import EndDebate, Interject, StopTurn
from tests.session.scripted_session import motion, phase, start_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from debate_tui.domain.stream import ResumePoint, StreamItem, TurnRequest

DEBATE = motion(
    phase("opening"),
    phase("cross", order="turns", sees="all", rounds=2),
    phase("closing", sees="own"),
    debaters=3,
)


class PromptRecorder:
    """Says a text that only depends on the turn, from wherever it broke off; keeps what it was told."""

    model = "remembering"

    def __init__(self) -> None:
        self.prompts: dict[int, str] = {}
        self.attempts: list[int] = []

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        self.prompts[request.turn] = request.prompt
        if resume is not None:
            self.attempts.append(resume.attempt)
        yield self._say(request.turn, len(resume.text) if resume else 0)

    async def _say(self, turn: int, said: int) -> AsyncIterator[StreamItem]:
        yield Connected()
        text = f"The words of turn {turn}."
        for start in range(said, len(text), 7):
            yield Chunk(text[start : start + 7])
            await asyncio.sleep(0)
        yield Finished()


async def run_debate(past: list[events.Event]) -> tuple[list[events.Event], dict[int, str]]:
    """Hold the debate, or what is left of it; returns all its events, and every prompt by its turn."""
    sources = [PromptRecorder() for _ in DEBATE.debaters]
    session, log, _ = start_session(DEBATE, sources, past)
    session.handle(Interject("Mind the gap.", "d2")) if not past else None
    await session.run()
    prompts = {turn: text for source in sources for turn, text in source.prompts.items()}
    return list(await log.read(0, 10_000)), prompts


async def run_whole_debate() -> tuple[list[events.Event], dict[int, str]]:
    return await run_debate([])


@pytest.mark.parametrize("share", range(10))
async def test_broken_off_anywhere_it_ends_with_the_same_words_and_prompts(share: int) -> None:
    original, prompts = await run_whole_debate()
    said = {number: turn.text for number, turn in Transcript(original).turns.items()}
    began = next(i for i, event in enumerate(original) if isinstance(event, events.DebateStarted))
    for cut in range(began + 1 + share, len(original), 10):
        past = original[:cut]
        before = Transcript(past)
        continued, asked = await run_debate(past)
        after = Transcript(continued)
        assert continued[:cut] == past
        assert {number: turn.text for number, turn in after.turns.items()} == said
        assert {turn.reason for turn in after.turns.values()} == {"complete"}
        done = {number for number, turn in before.turns.items() if turn.finished}
        assert set(asked) == set(prompts) - done
        assert asked == {turn: prompts[turn] for turn in asked}
        assert after.finish_reason == "complete"


@pytest.mark.parametrize("how", ["ended", "cancelled"])
@pytest.mark.parametrize("share", range(5))
async def test_stopped_anywhere_it_ends_with_the_same_words_and_prompts(share: int, how: str) -> None:
    """As one that was killed: a turn that the end cut short is taken up in mid-word."""
    original, prompts = await run_whole_debate()
    said = {number: turn.text for number, turn in Transcript(original).turns.items()}
    for stop_at in range(2 + share, len(original), 5):
        stopped = await stopped_at(stop_at, how)
        assert isinstance(stopped[-1], events.DebateFinished)
        if stopped[-1].reason != "stopped":
            continue
        continued, asked = await run_debate(stopped)
        after = Transcript(continued)
        assert continued[: len(stopped)] == stopped
        assert {number: turn.text for number, turn in after.turns.items()} == said
        assert {turn.reason for turn in after.turns.values()} == {"complete"}
        assert asked == {turn: prompts[turn] for turn in asked}
        assert (after.finish_reason, after.interrupted_turns) == ("complete", ())


async def stopped_at(seq: int, how: str) -> list[events.Event]:
    """The debate up to the moment at which it is stopped, and how it then ends."""
    session, log, _ = start_session(DEBATE, [PromptRecorder() for _ in DEBATE.debaters])
    running: asyncio.Task[None]

    def stop(event: events.Event) -> None:
        if event.seq == seq:
            asyncio.get_running_loop().call_soon(
                *(session.handle, EndDebate()) if how == "ended" else (running.cancel,)
            )

    log.subscribe(stop)
    session.handle(Interject("Mind the gap.", "d2"))
    running = asyncio.create_task(session.run())
    await asyncio.wait([running])
    return list(await log.read(0, 10_000))


async def test_a_turn_that_was_stopped_for_itself_stays_stopped() -> None:
    session, log, _ = start_session(DEBATE, [PromptRecorder() for _ in DEBATE.debaters])

    def stop(event: events.Event) -> None:
        if isinstance(event, events.TurnDelta) and event.turn == 1:
            asyncio.get_running_loop().call_soon(session.handle, StopTurn("d1"))
        if isinstance(event, events.TurnFinished) and event.turn == 1:
            asyncio.get_running_loop().call_soon(session.handle, EndDebate())

    log.subscribe(stop)
    await session.run()
    stopped = list(await log.read(0, 10_000))
    assert Transcript(stopped).turns[1].reason == "stopped"
    continued, asked = await run_debate(stopped)
    assert Transcript(continued).turns[1].text == Transcript(stopped).turns[1].text
    assert 1 not in asked


async def test_a_turn_cut_in_mid_word_goes_on_with_a_higher_attempt() -> None:
    original, _ = await run_whole_debate()
    cut = next(i for i, event in enumerate(original) if isinstance(event, events.TurnDelta)) + 1
    continued, _ = await run_debate(original[:cut])
    first = original[cut - 1]
    assert isinstance(first, events.TurnDelta)
    later = [
        event for event in continued[cut:] if isinstance(event, events.TurnDelta) and event.turn == first.turn
    ]
    assert later[0].offset == len(first.text)


async def test_a_debater_that_had_left_stays_away() -> None:
    original, _ = await run_whole_debate()
    cut = next(i for i, event in enumerate(original) if isinstance(event, events.PhaseStarted)) + 1
    removed = events.DebaterRemoved(
        seq=cut + 1, at=original[cut - 1].at, debater="d2", reason="gone", remaining=("d1", "d3")
    )
    continued, asked = await run_debate([*original[:cut], removed])
    speakers = {turn.debater for turn in Transcript(continued).turns.values()}
    assert speakers == {"d1", "d3"}
    assert all("Ben" in prompt for prompt in asked.values())
