"""Debates that the debaters settle themselves, from their words to a verdict in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from debate_tui.config import find_format
from debate_tui.domain.judging.summary import describe_result
from debate_tui.record.log import MemoryLog
from debate_tui.session import DebateSpec, Session
from tests.session.test_bench import AnsweringJudge
from tests.session.test_session import motion

if TYPE_CHECKING:
    from collections.abc import Callable

    from debate_tui.domain.transcript import Transcript


async def run_format(format_name: str, *answers: Callable[[str], str]) -> Transcript:
    base = motion(debaters=len(answers))
    of_format: DebateSpec = msgspec.structs.replace(base, format=find_format(format_name))
    log = MemoryLog()
    sources = {d.id: AnsweringJudge(answer) for d, answer in zip(of_format.debaters, answers, strict=True)}
    session = Session(of_format, sources, log, with_recovery=lambda _, source, held: source)
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
    words = list(describe_result(transcript))
    assert words[0] == "the debaters: agreed"
    assert "All agree: Paris." in words
    before, after = words.index("Before they heard each other:"), words.index("In the end:")
    assert words[before + 1 : before + 3] == ["Ada: Paris (80 % sure)", "Ben: Rome (60 % sure)"]
    assert words[after + 2] == "Ben: paris. (70 % sure)"
    assert [(step.phase, step.round) for step in transcript.steps] == [("blind", 1), ("revision", 1)]


async def test_no_consensus_is_no_winner() -> None:
    transcript = await run_format("consensus", answering(stand("Paris", 80)), answering(stand("Rome", 60)))
    assert list(describe_result(transcript))[:2] == ["the debaters: divided", "No agreement."]
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
    assert "the debaters: Cleo" in list(describe_result(transcript))
