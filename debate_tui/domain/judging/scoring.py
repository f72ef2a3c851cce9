"""The arithmetic of verdicts: readings → opinion, verdicts → panel decision, stances → swing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.judging.reply import JudgeReading


class JudgeOpinion(Struct, frozen=True):
    """One judge's opinion after all readings.

    `winner` is a debater's id, `None` for a tie. `agreed` says whether both orders named the same winner,
    `controlled` whether there were two orders to compare. `scores` are means over criteria and readings.
    """

    winner: str | None
    agreed: bool
    controlled: bool
    scores: Mapping[str, float]
    stance: int | None


class PanelDecision(Struct, frozen=True):
    """The decision of a panel: `votes` for `winner` out of `judges` with an opinion; `None` is a tie.

    `without_verdict` is the number of judges without a usable answer; they count for no one. `scores` are
    the means of all judges.
    """

    winner: str | None
    votes: int
    judges: int
    without_verdict: int
    scores: Mapping[str, float]


class OpinionSwing(Struct, frozen=True):
    """The change of the judges' mean stance, from 0 (entirely against) to 100 (entirely for).

    Only the `judges` who gave their stance both times count.
    """

    before: float
    after: float
    judges: int

    @property
    def shift(self) -> float:
        """Mean change in points; positive towards the side for it, negative towards the side against."""
        return self.after - self.before

    @property
    def winner(self) -> int:
        """1 if the side for it gained more support, −1 if the side against did, 0 if nothing moved."""
        return (self.shift > 0) - (self.shift < 0)


def combine_readings(readings: Sequence[JudgeReading | None], order_count: int) -> JudgeOpinion | None:
    """Combine a judge's readings in `order_count` orders; return `None` if any of them is unusable.

    If the two orders disagree, the judge preferred a place rather than a speaker: that is a tie.
    """
    usable = [reading for reading in readings if reading is not None]
    if not usable or len(usable) < order_count:
        return None
    winners = {reading.winner for reading in usable}
    debaters = dict.fromkeys(mark.debater for mark in usable[0].marks)
    stances = [reading.stance for reading in usable if reading.stance is not None]
    return JudgeOpinion(
        winner=winners.pop() if len(winners) == 1 else None,
        agreed=len({reading.winner for reading in usable}) == 1,
        controlled=order_count > 1,
        scores={debater: _mean([reading.score(debater) for reading in usable]) for debater in debaters},
        stance=round(_mean(stances)) if stances else None,
    )


def decide_panel(verdicts: Sequence[Verdict]) -> PanelDecision:
    """Return the judges' decision: the debater most of them prefer, or a tie if two lead equally.

    A judge's tie is a vote for no one, but the judge is counted: “2 of 3” with one tie.
    """
    usable = [verdict for verdict in verdicts if not verdict.problem]
    counts = Counter(verdict.winner for verdict in usable if verdict.winner is not None)
    most = max(counts.values(), default=0)
    leaders = [debater for debater, count in counts.items() if count == most]
    debaters = dict.fromkeys(debater for verdict in usable for debater in verdict.scores)
    return PanelDecision(
        winner=leaders[0] if len(leaders) == 1 else None,
        votes=most if len(leaders) == 1 else 0,
        judges=len(usable),
        without_verdict=len(verdicts) - len(usable),
        scores={
            debater: _mean([verdict.scores[debater] for verdict in usable if debater in verdict.scores])
            for debater in debaters
        },
    )


def measure_swing(verdicts: Sequence[Verdict]) -> OpinionSwing | None:
    """Return the swing of the judges who gave their stance both times; `None` if none did."""
    pairs = [
        (verdict.stance_before, verdict.stance_after)
        for verdict in verdicts
        if verdict.stance_before is not None and verdict.stance_after is not None
    ]
    if not pairs:
        return None
    before, after = zip(*pairs, strict=True)
    return OpinionSwing(_mean(before), _mean(after), len(pairs))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# Decisions by the debaters: agreement and rankings
#
# The lines parsed here (``ANSWER:``, ``CONFIDENCE:``, ``RANKING:``) are those that the formats'
# instructions ask for. Models may decorate them; the last line of its kind in a text counts.


class StatedAnswer(Struct, frozen=True):
    """A short answer, and its author's confidence from 0 to 100, `None` if not stated."""

    answer: str
    confidence: int | None = None


class RankingScore(Struct, frozen=True):
    """A candidate's points in a ranking, and how many ballots put it first."""

    candidate: str
    points: int
    firsts: int


def parse_answer(text: str) -> StatedAnswer | None:
    """Return the answer at the end of a text, or `None` if it has none."""
    answer = _labelled_value(text, "ANSWER")
    if not answer:
        return None
    confidence = re.match(r"\d{1,3}", _labelled_value(text, "CONFIDENCE"))
    return StatedAnswer(answer, min(int(confidence[0]), 100) if confidence else None)


def find_agreement(texts: Iterable[str]) -> str | None:
    """Return the answer that all texts give, in the words of the first; `None` unless all agree.

    Answers are the same if they differ only in case, punctuation, articles or spaces.
    """
    stands = [parse_answer(text) for text in texts]
    answers = [found.answer for found in stands if found is not None]
    if not answers or len(answers) < len(stands):
        return None
    return answers[0] if len({_normalise_answer(answer) for answer in answers}) == 1 else None


def parse_ranking(text: str, candidates: Sequence[str]) -> tuple[str, ...] | None:
    """Return the ranking at the end of a text, best first; `None` unless it names each exactly once.

    Candidates are the letters of the answers.
    """
    named = tuple(re.findall(r"\b[A-Z]\b", _labelled_value(text, "RANKING")))
    return named if sorted(named) == sorted(candidates) else None


def count_borda(ballots: Iterable[Sequence[str]], candidates: Iterable[str]) -> tuple[RankingScore, ...]:
    """Count points by place, best first: with n candidates a ballot's first gets n − 1, its last 0.

    Ties are ordered by first places, then by name. This is Jean-Charles de Borda's rule of 1770.
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
    """Replace the letters of a ballot with what they stand for."""
    return tuple(letters[letter] for letter in ballot)


def _labelled_value(text: str, label: str) -> str:
    """Return the value of the last line with this label; linear in the length of any text."""
    labelled = re.compile(rf"\W*{label}\W*?[:：](.*)", re.IGNORECASE)
    for line in reversed(text.split("\n")):
        if found := labelled.match(line):
            return found[1].strip(" \t*_`\r")
    return ""


def _normalise_answer(answer: str) -> str:
    words = re.sub(r"[^\w\s]", " ", answer.casefold()).split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))
