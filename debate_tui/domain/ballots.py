"""What debaters themselves decide: whether they agree, and how they rank each other.

The lines read here (``ANSWER:``, ``CONFIDENCE:``, ``RANKING:``) are those the formats' instructions ask
for. A line may be decorated as models like to; the last one of its kind in a text counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class StatedAnswer(Struct, frozen=True):
    """An answer in a few words, and how sure its author is: 0 to 100, `None` where that was not said."""

    answer: str
    confidence: int | None = None


class RankingScore(Struct, frozen=True):
    """A candidate's points in a ranking, and how many put it first."""

    candidate: str
    points: int
    firsts: int


def parse_answer(text: str) -> StatedAnswer | None:
    """The answer a text ends with, or `None` where it names none."""
    answer = _labelled_value(text, "ANSWER")
    if not answer:
        return None
    confidence = re.match(r"\d{1,3}", _labelled_value(text, "CONFIDENCE"))
    return StatedAnswer(answer, min(int(confidence[0]), 100) if confidence else None)


def find_agreement(texts: Iterable[str]) -> str | None:
    """The answer all texts give, in the words of the first; `None` unless all give the same one.

    Answers are the same if only case, punctuation, articles or spaces differ.
    """
    stands = [parse_answer(text) for text in texts]
    answers = [found.answer for found in stands if found is not None]
    if not answers or len(answers) < len(stands):
        return None
    return answers[0] if len({_normalise_answer(answer) for answer in answers}) == 1 else None


def parse_ranking(text: str, candidates: Sequence[str]) -> tuple[str, ...] | None:
    """The order of candidates a text ends with, best first; `None` unless it names each exactly once.

    Candidates are the letters of the ballot.
    """
    named = tuple(re.findall(r"\b[A-Z]\b", _labelled_value(text, "RANKING")))
    return named if sorted(named) == sorted(candidates) else None


def count_borda(ballots: Iterable[Sequence[str]], candidates: Iterable[str]) -> tuple[RankingScore, ...]:
    """Points by place, the best first: with n candidates the first of a ballot gets n − 1, the last none.

    Equal points are ordered by first places, then by name. Jean-Charles de Borda's rule of 1770.
    """
    points = dict.fromkeys(candidates, 0)
    firsts = dict.fromkeys(points, 0)
    for ballot in ballots:
        for place, candidate in enumerate(ballot):
            points[candidate] += len(points) - 1 - place
            firsts[candidate] += place == 0
    return tuple(
        RankingScore(candidate, points[candidate], firsts[candidate])
        for candidate in sorted(points, key=lambda name: (-points[name], -firsts[name], name))
    )


def resolve_letters(ballot: Sequence[str], letters: Mapping[str, str]) -> tuple[str, ...]:
    """A ballot over letters as one over those the letters stand for."""
    return tuple(letters[letter] for letter in ballot)


def _labelled_value(text: str, label: str) -> str:
    """What the last line with this label says. Linear in the text, whatever that is."""
    labelled = re.compile(rf"\W*{label}\W*?[:：](.*)", re.IGNORECASE)
    for line in reversed(text.split("\n")):
        if found := labelled.match(line):
            return found[1].strip(" \t*_`\r")
    return ""


def _normalise_answer(answer: str) -> str:
    words = re.sub(r"[^\w\s]", " ", answer.casefold()).split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))
