"""Strict parsing of a judge's answer: all scores, each with its quote checked, or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from debate_tui.domain.events import CriterionScore
from debate_tui.domain.judging.prompt import CRITERIA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.judging.prompt import ReadingOrder

T = TypeVar("T")


class JudgeReading(Struct, frozen=True):
    """One judge's result for one reading order; `winner` is a debater's id, `None` for a tie."""

    marks: tuple[CriterionScore, ...]
    winner: str | None
    stance: int | None
    why: str = ""

    def score(self, debater: str) -> float:
        """Return the mean of a debater's scores, 1 to 10."""
        scores = [mark.score for mark in self.marks if mark.debater == debater]
        return sum(scores) / len(scores)


class _SpeakerScore(Struct, frozen=True):
    speaker: str
    score: Annotated[int, Meta(ge=1, le=10)]
    quote: str = ""


class _Criterion(Struct, frozen=True):
    criterion: str
    scores: tuple[_SpeakerScore, ...]


class _Reply(Struct, frozen=True):
    criteria: tuple[_Criterion, ...]
    winner: str
    stance: Annotated[int, Meta(ge=0, le=100)] | None = None
    why: str = ""


def parse_judge_reply(text: str, order: ReadingOrder) -> JudgeReading | None:
    """Parse a judge's answer; return `None` unless every speaker is scored once on every criterion.

    The JSON object may be surrounded by other text. Labels are replaced with debaters, in the reasons too.
    """
    reply = decode_object(text, _Reply)
    if reply is None:
        return None
    labels, winner = order.labels, normalise_label(reply.winner)
    marks = tuple(_criterion_scores(reply, order))
    wanted = sorted((name, debater) for name in CRITERIA for debater in labels.values())
    if sorted((mark.criterion, mark.debater) for mark in marks) != wanted:
        return None
    if winner != "TIE" and winner not in labels:
        return None
    return JudgeReading(marks, labels.get(winner), reply.stance, replace_labels(reply.why, order))


def parse_stance(text: str) -> int | None:
    """Return the number from 0 to 100 in a judge's answer; `None` unless there is exactly one."""
    numbers = re.findall(r"(?<![\d.])\d{1,3}(?![\d.]*\d)", text)
    return int(numbers[0]) if len(numbers) == 1 and int(numbers[0]) <= 100 else None


def decode_object(text: str, type_: type[T]) -> T | None:
    """Decode the JSON object in an answer, which other text may surround; `None` if it is not one."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        return msgspec.json.decode(text[start : end + 1], type=type_, strict=False)
    except (msgspec.DecodeError, RecursionError):
        return None


def _criterion_scores(reply: _Reply, order: ReadingOrder) -> Iterator[CriterionScore]:
    names = {entry.debater: entry.name for entry in order.debaters}
    for criterion in reply.criteria:
        for score in criterion.scores:
            debater = order.labels.get(normalise_label(score.speaker), "")
            said = (s.text for s in order.speeches if s.name == names.get(debater))
            quote = _normalise_words(score.quote)
            found = bool(quote) and quote in _normalise_words(" ".join(said))
            yield CriterionScore(
                criterion.criterion.strip().lower(), debater, score.score, score.quote, found
            )


def replace_labels(text: str, order: ReadingOrder) -> str:
    """Replace labels with names in a judge's words, because readers do not know the labels."""
    names = dict(zip(order.labels, (entry.name for entry in order.debaters), strict=True))

    def name(found: re.Match[str]) -> str:
        return names.get(found[1], found[0])

    return re.sub(r"\b[Ss]peaker ([A-Z])\b", name, text)


def normalise_label(text: str) -> str:
    """Normalise a label: “Speaker B”, “b.” → “B”; “Tie” → “TIE”."""
    return re.sub(r"(?i)^speaker\s*|\W", "", text.strip()).upper()


def _normalise_words(text: str) -> str:
    """Reduce a text to its words, to compare a quote with what was said."""
    return " ".join(re.findall(r"\w+", text.casefold()))
