"""Judges: both orders, neutral labels, one more chance, and verdicts in the log."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from debate_tui.cli.format_files import find_format
from debate_tui.domain import events
from debate_tui.domain.judging.prompt import CRITERIA
from debate_tui.domain.judging.summary import describe_outcome
from debate_tui.domain.stream import Chunk, Connected, Fault, FaultKind, Finished, Usage, UsageUpdate
from debate_tui.session.commands import EndDebate
from debate_tui.session.judges import Judge
from tests.session.scripted_session import (
    Scripted,
    events_of_type,
    motion,
    phase,
    speech_items,
    start_session,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.domain.briefs import DebateSpec
    from debate_tui.domain.stream import ResumePoint, StreamItem, TurnRequest
    from debate_tui.domain.transcript import Transcript


class AnsweringJudge:
    """A judge that answers what a function makes of each prompt."""

    model = "judge-model"

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.prompts: list[str] = []
        self._answer = answer

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        self.prompts.append(request.prompt)
        yield self._say(self._answer(request.prompt))

    async def _say(self, text: str) -> AsyncIterator[StreamItem]:
        yield Connected()
        yield Chunk("secret thoughts", reasoning=True)
        for start in range(0, len(text), 50):
            yield Chunk(text[start : start + 50])
        yield Finished(usage=Usage(10, 5))


def is_stance(prompt: str) -> bool:
    return "Before you hear anything" in prompt


def verdict_reply(winner: str, stance: int = 60) -> str:
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


def prefer_speaker_of(words: str) -> Callable[[str], str]:
    return lambda prompt: "40" if is_stance(prompt) else verdict_reply(label_of(prompt, words))


async def run_judged_debate(
    *judges: AnsweringJudge, of_motion: DebateSpec | None = None
) -> list[events.Event]:
    held = of_motion or motion(phase("opening"), phase("closing"))
    sources = [Scripted(speech_items("cats **purr**")), Scripted(speech_items("dogs bark"))]
    panel = [Judge(f"judge {n}", judge, lambda usage: 0.5) for n, judge in enumerate(judges, 1)]
    session, _, seen = start_session(held, sources, judges=panel)
    await session.run()
    return seen


async def test_a_judge_that_sees_the_same_winner_in_both_orders_decides() -> None:
    judge = AnsweringJudge(prefer_speaker_of("cats purr"))
    (verdict,) = events_of_type(await run_judged_debate(judge), events.Verdict)
    assert (verdict.winner, verdict.agreed, verdict.controlled) == ("d1", True, True)
    assert (verdict.stance_before, verdict.stance_after) == (40, 60)
    assert verdict.scores == {"d1": 9.0, "d2": 4.0}
    assert verdict.usage == Usage(30, 15)
    assert verdict.cost == 0.5
    first, second = (prompt for prompt in judge.prompts if not is_stance(prompt))
    assert {label_of(first, "cats purr"), label_of(second, "cats purr")} == {"A", "B"}


async def test_judges_hear_no_names_no_markdown_and_no_reasoning() -> None:
    judge = AnsweringJudge(prefer_speaker_of("cats purr"))
    await run_judged_debate(judge)
    for prompt in judge.prompts:
        assert not re.search(r"Ada|Ben|\*\*|secret", prompt)


async def test_a_judge_that_prefers_a_place_has_seen_a_tie() -> None:
    judge = AnsweringJudge(lambda prompt: "50" if is_stance(prompt) else verdict_reply("A"))
    (verdict,) = events_of_type(await run_judged_debate(judge), events.Verdict)
    assert (verdict.winner, verdict.agreed, verdict.problem) == (None, False, "")


async def test_an_answer_that_cannot_be_read_is_asked_for_once_more() -> None:
    spoiled: set[str] = set()

    def answer(prompt: str) -> str:
        if is_stance(prompt):
            return "I could not possibly say."
        if prompt not in spoiled:
            spoiled.add(prompt)
            return "Well, both were lovely."
        return verdict_reply(label_of(prompt, "dogs bark"))

    judge = AnsweringJudge(answer)
    (verdict,) = events_of_type(await run_judged_debate(judge), events.Verdict)
    assert (verdict.winner, verdict.stance_before) == ("d2", None)
    assert len([prompt for prompt in judge.prompts if not is_stance(prompt)]) == 4


async def test_after_two_unusable_answers_there_is_no_verdict() -> None:
    seen = await run_judged_debate(
        AnsweringJudge(lambda prompt: "Both were lovely."), AnsweringJudge(prefer_speaker_of("dogs bark"))
    )
    silent, other = sorted(events_of_type(seen, events.Verdict), key=lambda verdict: verdict.judge)
    assert (silent.winner, silent.problem) == (None, "its answer could not be read")
    assert other.winner == "d2"
    assert events_of_type(seen, events.DebateFinished)[0].reason == "complete"


async def test_a_judge_that_fails_costs_the_debate_nothing() -> None:
    def fail(prompt: str) -> str:
        raise Fault(FaultKind.SERVER, "The judge is out.")

    seen = await run_judged_debate(AnsweringJudge(fail), AnsweringJudge(prefer_speaker_of("cats purr")))
    assert sorted(verdict.problem for verdict in events_of_type(seen, events.Verdict)) == [
        "",
        "The judge is out.",
    ]
    assert isinstance(seen[-1], events.DebateFinished)
    assert seen[-1].reason == "complete"


async def test_one_after_the_other_the_order_cannot_be_controlled() -> None:
    judge = AnsweringJudge(prefer_speaker_of("cats purr"))
    seen = await run_judged_debate(judge, of_motion=motion(phase("opening", order="turns")))
    (verdict,) = events_of_type(seen, events.Verdict)
    assert (verdict.winner, verdict.controlled) == ("d1", False)


async def test_agreement_ends_the_phase_that_waits_for_it() -> None:
    same = speech_items("ANSWER: Paris\nCONFIDENCE: 80")
    held = motion(phase("revision", rounds=3, stop_when="agreement"), phase("end"))
    sources = [Scripted(speech_items("ANSWER: Rome"), then=list(same)), Scripted(then=list(same))]
    session, _, _ = start_session(held, sources)
    await session.run()
    assert [(step.phase, step.round) for step in session.transcript.steps] == [
        ("revision", 1),
        ("revision", 2),
        ("end", 1),
    ]


async def test_that_the_judges_read_is_said_when_all_turns_are_over() -> None:
    seen = await run_judged_debate(AnsweringJudge(prefer_speaker_of("cats purr")))
    steps = events_of_type(seen, events.PhaseStarted)
    assert [step.phase for step in steps] == ["opening", "closing", "verdict"]
    last_turn = events_of_type(seen, events.TurnFinished)[-1]
    (verdict,) = events_of_type(seen, events.Verdict)
    assert last_turn.seq < steps[-1].seq < verdict.seq


async def test_without_judges_nobody_is_said_to_read() -> None:
    assert "verdict" not in [
        step.phase for step in events_of_type(await run_judged_debate(), events.PhaseStarted)
    ]


async def test_a_debate_killed_while_the_judges_read_asks_those_who_have_not_spoken() -> None:
    original = await run_judged_debate(
        AnsweringJudge(prefer_speaker_of("cats purr")), AnsweringJudge(prefer_speaker_of("cats purr"))
    )
    cut = original.index(events_of_type(original, events.Verdict)[0]) + 1
    past = original[:cut]
    first, second = (
        AnsweringJudge(prefer_speaker_of("dogs bark")),
        AnsweringJudge(prefer_speaker_of("dogs bark")),
    )
    session, _, _ = start_session(
        motion(phase("opening"), phase("closing")),
        [Scripted(), Scripted()],
        past,
        judges=[Judge("judge 1", first), Judge("judge 2", second)],
    )
    await session.run()
    before, after = session.transcript.verdicts
    assert {before.judge, after.judge} == {"judge 1", "judge 2"}
    assert (before.winner, after.winner) == ("d1", "d2")
    assert bool(first.prompts) is not bool(second.prompts)


async def test_a_debate_ended_while_the_judges_read_is_not_complete() -> None:
    class Pondering(AnsweringJudge):
        async def _say(self, text: str) -> AsyncIterator[StreamItem]:
            yield Connected()
            if text != "40":
                await asyncio.Event().wait()
            yield Chunk(text)
            yield Finished()

    session, _, _ = start_session(
        motion(phase("opening")),
        [Scripted(), Scripted()],
        judges=[Judge("judge 1", Pondering(prefer_speaker_of("turn 1")))],
    )
    running = asyncio.create_task(session.run())
    while not any(step.phase == "verdict" for step in session.transcript.steps):
        await asyncio.sleep(0)
    session.handle(EndDebate())
    await running
    assert session.transcript.verdicts == []
    assert session.transcript.finish_reason == "stopped"


async def test_a_judge_reads_in_both_orders_at_once() -> None:
    class Pondering(AnsweringJudge):
        def __init__(self) -> None:
            super().__init__(prefer_speaker_of("cats purr"))
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

    (verdict,) = events_of_type(await run_judged_debate(Pondering()), events.Verdict)
    assert (verdict.winner, verdict.usage) == ("d1", Usage(30, 15))


async def test_a_broken_answer_of_a_judge_was_paid_for_too() -> None:
    class Breaking(AnsweringJudge):
        async def _say(self, text: str) -> AsyncIterator[StreamItem]:
            yield Connected()
            yield UsageUpdate(Usage(7, 1))
            raise Fault(FaultKind.SERVER, "The judge is out.")

    (verdict,) = events_of_type(await run_judged_debate(Breaking(lambda prompt: "")), events.Verdict)
    assert verdict.usage == Usage(21, 3), "where it stands, and both readings"


async def test_a_finished_debate_can_be_judged() -> None:
    held = motion(phase("opening"))
    session, _, seen = start_session(
        held, [Scripted(speech_items("cats **purr**")), Scripted(speech_items("dogs bark"))]
    )
    await session.run()
    judge = AnsweringJudge(prefer_speaker_of("cats purr"))
    await session.judge([Judge("late", judge)])
    verdict, end = seen[-2:]
    assert isinstance(verdict, events.Verdict)
    assert (verdict.judge, verdict.winner, verdict.stance_before) == ("late", "d1", 40)
    assert (end.reason, session.transcript.finish_reason) == ("complete", "complete")
    assert all("purr" not in prompt for prompt in judge.prompts if is_stance(prompt))
    await session.judge([Judge("late", judge)])
    assert len(session.transcript.verdicts) == 2


async def test_a_late_judge_that_is_interrupted_leaves_the_end_last() -> None:
    class Silent(AnsweringJudge):
        async def _say(self, text: str) -> AsyncIterator[StreamItem]:
            yield Connected()
            await asyncio.Event().wait()

    session, _, seen = start_session(motion(phase("opening")), [Scripted(), Scripted()])
    await session.run()
    judge = Silent(lambda prompt: "")
    judging = asyncio.create_task(session.judge([Judge("late", judge)]))
    while not judge.prompts:
        await asyncio.sleep(0)
    judging.cancel()
    await asyncio.wait([judging])
    assert isinstance(seen[-1], events.DebateFinished)
    assert session.transcript.verdicts == []


# Debates that the debaters settle themselves, from their words to a verdict in words.


async def run_format(format_name: str, *answers: Callable[[str], str]) -> Transcript:
    base = motion(debaters=len(answers))
    of_format: DebateSpec = msgspec.structs.replace(base, format=find_format(format_name))
    session, _, _ = start_session(of_format, list(map(AnsweringJudge, answers)))
    await session.run()
    return session.transcript


def answering(*lines: str) -> Callable[[str], str]:
    """Gives one answer after the other, and then the last one again."""
    left = list(lines)
    return lambda prompt: left.pop(0) if len(left) > 1 else left[0]


def stand(answer: str, confidence: int) -> str:
    return f"Because.\n\nANSWER: {answer}\nCONFIDENCE: {confidence}"


async def test_a_consensus_is_shown_beside_what_each_thought_before() -> None:
    transcript = await run_format(
        "consensus", answering(stand("Paris", 80)), answering(stand("Rome", 60), stand("paris.", 70))
    )
    words = list(describe_outcome(transcript))
    assert words[0] == "the debaters: agreed"
    assert "All agree: Paris." in words
    before, after = words.index("First answers:"), words.index("Final answers:")
    assert words[before + 1 : before + 3] == ["Ada: Paris (80 % sure)", "Ben: Rome (60 % sure)"]
    assert words[after + 2] == "Ben: paris. (70 % sure)"
    assert [(step.phase, step.round) for step in transcript.steps] == [("blind", 1), ("revision", 1)]


async def test_no_consensus_is_no_winner() -> None:
    transcript = await run_format("consensus", answering(stand("Paris", 80)), answering(stand("Rome", 60)))
    assert list(describe_outcome(transcript))[:2] == ["the debaters: divided", "No agreement."]
    assert len(transcript.steps) == 4


def ranking_by(words: str) -> Callable[[str], str]:
    """Puts the answer with these words first, and the others in alphabetical order."""

    def answer(prompt: str) -> str:
        shown = re.findall(r"Answer ([A-D]):\n[^\n]*\n([^\n]*)", prompt)
        letters = sorted(dict(shown))
        if len(letters) < 3:
            return f"A proposal. {words}"
        first = next(letter for letter, text in shown if "Cleo's words" in text)
        return f"RANKING: {' > '.join([first, *(x for x in letters if x != first)])}"

    return answer


async def test_a_council_adds_up_its_ranks_without_knowing_whose_answers_they_are() -> None:
    names = ("Ada", "Ben", "Cleo")
    transcript = await run_format("council", *(ranking_by(f"{name}'s words") for name in names))
    (verdict,) = transcript.verdicts
    assert verdict.winner == "d3"
    assert verdict.scores["d3"] == 6.0
    assert sum(verdict.scores.values()) == 9.0
    assert next(describe_outcome(transcript)).startswith("the debaters: Cleo")
