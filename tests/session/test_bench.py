"""Judges: both orders, neutral labels, one more chance, and verdicts in the log."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.judging import CRITERIA
from debate_tui.domain.stream import Chunk, Connected, Fault, FaultKind, Finished, Usage, UsageSoFar
from debate_tui.record.log import MemoryLog
from debate_tui.session import Judge, Motion, Session
from tests.session.test_session import Scripted, motion, of, phase, says

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.stream import Request, Resume, StreamItem


class Asked:
    """A judge that answers what a function makes of each prompt."""

    model = "judge-model"

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.prompts: list[str] = []
        self._answer = answer

    @asynccontextmanager
    async def open(
        self, request: Request, resume: Resume | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        self.prompts.append(request.prompt)
        yield self._say(self._answer(request.prompt))

    async def _say(self, text: str) -> AsyncIterator[StreamItem]:
        yield Connected()
        yield Chunk("secret thoughts", reasoning=True)
        for start in range(0, len(text), 50):
            yield Chunk(text[start : start + 50])
        yield Finished(usage=Usage(10, 5))

    async def aclose(self) -> None:
        pass


def is_stance(prompt: str) -> bool:
    return "Before you hear anything" in prompt


def ballot(winner: str, stance: int = 60) -> str:
    criteria = [
        {
            "criterion": name,
            "scores": [
                {"speaker": label, "quote": "never said", "score": 9 if label == winner else 4}
                for label in "AB"
            ],
        }
        for name in CRITERIA
    ]
    return json.dumps({"criteria": criteria, "why": "reasons", "winner": winner, "stance": stance})


def label_of(prompt: str, words: str) -> str:
    """Under which label these words were read."""
    found = re.search(r"Speaker ([AB])[^\n]*\n[^\n]*\n?[^\n]*" + re.escape(words), prompt)
    assert found, prompt
    return found[1]


def favouring(words: str) -> Callable[[str], str]:
    return lambda prompt: "40" if is_stance(prompt) else ballot(label_of(prompt, words))


async def judged(*judges: Asked, of_motion: Motion | None = None) -> list[events.Event]:
    held = of_motion or motion(phase("opening"), phase("closing"))
    sources = [Scripted(says("cats **purr**")), Scripted(says("dogs bark"))]
    log = MemoryLog()
    seen: list[events.Event] = []
    log.subscribe(seen.append)
    session = Session(
        held,
        {debater.id: source for debater, source in zip(held.debaters, sources, strict=True)},
        log,
        guard=lambda _, source, held: source,
        judges=[Judge(f"j{n}", f"judge {n}", judge, lambda usage: 0.5) for n, judge in enumerate(judges, 1)],
    )
    await session.run()
    return seen


async def test_a_judge_that_sees_the_same_winner_in_both_orders_decides() -> None:
    judge = Asked(favouring("cats purr"))
    (verdict,) = of(await judged(judge), events.Verdict)
    assert (verdict.winner, verdict.agreed, verdict.controlled) == ("d1", True, True)
    assert (verdict.stance_before, verdict.stance_after) == (40, 60)
    assert verdict.scores == {"d1": 9.0, "d2": 4.0}
    assert verdict.usage == Usage(30, 15)
    assert verdict.cost == 0.5
    first, second = (prompt for prompt in judge.prompts if not is_stance(prompt))
    assert {label_of(first, "cats purr"), label_of(second, "cats purr")} == {"A", "B"}


async def test_judges_hear_no_names_no_markdown_and_no_reasoning() -> None:
    judge = Asked(favouring("cats purr"))
    await judged(judge)
    for prompt in judge.prompts:
        assert not re.search(r"Ada|Ben|\*\*|secret", prompt)


async def test_a_judge_that_prefers_a_place_has_seen_a_tie() -> None:
    judge = Asked(lambda prompt: "50" if is_stance(prompt) else ballot("A"))
    (verdict,) = of(await judged(judge), events.Verdict)
    assert (verdict.winner, verdict.agreed, verdict.problem) == (None, False, "")


async def test_an_answer_that_cannot_be_read_is_asked_for_once_more() -> None:
    spoiled: set[str] = set()

    def answer(prompt: str) -> str:
        if is_stance(prompt):
            return "I could not possibly say."
        if prompt not in spoiled:
            spoiled.add(prompt)
            return "Well, both were lovely."
        return ballot(label_of(prompt, "dogs bark"))

    judge = Asked(answer)
    (verdict,) = of(await judged(judge), events.Verdict)
    assert (verdict.winner, verdict.stance_before) == ("d2", None)
    assert len([prompt for prompt in judge.prompts if not is_stance(prompt)]) == 4


async def test_after_two_unusable_answers_there_is_no_verdict() -> None:
    seen = await judged(Asked(lambda prompt: "Both were lovely."), Asked(favouring("dogs bark")))
    silent, other = sorted(of(seen, events.Verdict), key=lambda verdict: verdict.judge)
    assert (silent.winner, silent.problem) == (None, "its answer could not be read")
    assert other.winner == "d2"
    assert of(seen, events.DebateFinished)[0].reason == "complete"


async def test_a_judge_that_fails_costs_the_debate_nothing() -> None:
    def fail(prompt: str) -> str:
        raise Fault(FaultKind.SERVER, "The judge is out.")

    seen = await judged(Asked(fail), Asked(favouring("cats purr")))
    assert sorted(verdict.problem for verdict in of(seen, events.Verdict)) == ["", "The judge is out."]
    assert isinstance(seen[-1], events.DebateFinished)
    assert seen[-1].reason == "complete"


async def test_one_after_the_other_the_order_cannot_be_controlled() -> None:
    judge = Asked(favouring("cats purr"))
    seen = await judged(judge, of_motion=motion(phase("opening", order="turns")))
    (verdict,) = of(seen, events.Verdict)
    assert (verdict.winner, verdict.controlled) == ("d1", False)


async def test_agreement_ends_the_phase_that_waits_for_it() -> None:
    same = says("ANSWER: Paris\nCONFIDENCE: 80")
    held = motion(phase("revision", rounds=3, stop_when="agreement"), phase("end"))
    log = MemoryLog()
    sources = {debater.id: Scripted(says("ANSWER: Rome"), then=list(same)) for debater in held.debaters}
    sources["d2"] = Scripted(then=list(same))
    session = Session(held, sources, log, guard=lambda _, source, held: source)
    await session.run()
    assert [(step.phase, step.round) for step in session.transcript.steps] == [
        ("revision", 1),
        ("revision", 2),
        ("end", 1),
    ]


async def test_that_the_judges_read_is_said_when_all_turns_are_over() -> None:
    seen = await judged(Asked(favouring("cats purr")))
    steps = of(seen, events.PhaseStarted)
    assert [step.phase for step in steps] == ["opening", "closing", "verdict"]
    last_turn = of(seen, events.TurnFinished)[-1]
    (verdict,) = of(seen, events.Verdict)
    assert last_turn.seq < steps[-1].seq < verdict.seq


async def test_without_judges_nobody_is_said_to_read() -> None:
    assert "verdict" not in [step.phase for step in of(await judged(), events.PhaseStarted)]


async def test_a_debate_killed_while_the_judges_read_asks_those_who_have_not_spoken() -> None:
    original = await judged(Asked(favouring("cats purr")), Asked(favouring("cats purr")))
    cut = original.index(of(original, events.Verdict)[0]) + 1
    past = original[:cut]
    log = MemoryLog(past)
    first, second = Asked(favouring("dogs bark")), Asked(favouring("dogs bark"))
    held = motion(phase("opening"), phase("closing"))
    session = Session(
        held,
        {debater.id: Scripted() for debater in held.debaters},
        log,
        guard=lambda _, source, held: source,
        judges=[Judge("j1", "judge 1", first), Judge("j2", "judge 2", second)],
        past=past,
    )
    await session.run()
    before, after = session.transcript.verdicts
    assert {before.judge, after.judge} == {"judge 1", "judge 2"}
    assert (before.winner, after.winner) == ("d1", "d2")
    assert bool(first.prompts) is not bool(second.prompts)


async def test_a_debate_ended_while_the_judges_read_is_not_complete() -> None:
    class Pondering(Asked):
        async def _say(self, text: str) -> AsyncIterator[StreamItem]:
            yield Connected()
            if text != "40":
                await asyncio.Event().wait()
            yield Chunk(text)
            yield Finished()

    held = motion(phase("opening"))
    log = MemoryLog()
    session = Session(
        held,
        {debater.id: Scripted() for debater in held.debaters},
        log,
        guard=lambda _, source, held: source,
        judges=[Judge("j1", "judge 1", Pondering(favouring("turn 1")))],
    )
    running = asyncio.create_task(session.run())
    while not any(step.phase == "verdict" for step in session.transcript.steps):
        await asyncio.sleep(0)
    session.end()
    await running
    assert session.transcript.verdicts == []
    assert session.transcript.finished == "stopped"


async def test_a_judge_reads_in_both_orders_at_once() -> None:
    class Pondering(Asked):
        def __init__(self) -> None:
            super().__init__(favouring("cats purr"))
            self.reading = 0
            self.both = asyncio.Event()

        async def _say(self, text: str) -> AsyncIterator[StreamItem]:
            if text != "40":
                self.reading += 1
                if self.reading == 2:
                    self.both.set()
                await self.both.wait()
            async for item in super()._say(text):
                yield item

    (verdict,) = of(await judged(Pondering()), events.Verdict)
    assert (verdict.winner, verdict.usage) == ("d1", Usage(30, 15))


async def test_a_broken_answer_of_a_judge_was_paid_for_too() -> None:
    class Breaking(Asked):
        async def _say(self, text: str) -> AsyncIterator[StreamItem]:
            yield Connected()
            yield UsageSoFar(Usage(7, 1))
            raise Fault(FaultKind.SERVER, "The judge is out.")

    (verdict,) = of(await judged(Breaking(lambda prompt: "")), events.Verdict)
    assert verdict.usage == Usage(21, 3), "where it stands, and both readings"
