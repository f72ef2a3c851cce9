"""The arithmetic of verdicts: two readings make an opinion, opinions make a panel, stances make a swing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.events import Vote
    from debate_tui.domain.judging.reply import JudgeReading


class JudgeOpinion(Struct, frozen=True):
    """What one judge thinks after all its readings.

    `winner` is a debater's id, `None` for a tie. `agreed` is whether both orders named the same winner, and
    `controlled` whether there were two orders to compare; `scores` are means over criteria and readings.
    """

    judge: str
    winner: str | None
    agreed: bool
    controlled: bool
    scores: Mapping[str, float]
    stance: int | None


class PanelDecision(Struct, frozen=True):
    """What a panel decided: `votes` for `winner` out of `judges` with an opinion; `None` is a tie.

    `without_verdict` are the judges without a usable answer: their “no verdict” counts for nobody.
    """

    winner: str | None
    votes: int
    judges: int
    without_verdict: tuple[str, ...]
    scores: Mapping[str, float]


class OpinionSwing(Struct, frozen=True):
    """How opinion moved between two votes, each from 0 (entirely against) to 100 (entirely for).

    `shift` is positive towards the side for it. Only those who voted both times count.
    """

    before: float
    after: float
    voters: int

    @property
    def shift(self) -> float:
        """Mean points towards the side for it; negative is towards the side against."""
        return self.after - self.before

    @property
    def winner(self) -> int:
        """1 if the side for it won more over, −1 if the side against did, 0 if opinion did not move."""
        return (self.shift > 0) - (self.shift < 0)


def combine_readings(
    judge: str, readings: Sequence[JudgeReading | None], order_count: int
) -> JudgeOpinion | None:
    """A judge's readings of `order_count` orders as one opinion; `None` if any of them was unusable.

    Where the two orders disagree the judge preferred a place and not a speaker: that is a tie.
    """
    usable = [reading for reading in readings if reading is not None]
    if not usable or len(usable) < order_count:
        return None
    winners = {reading.winner for reading in usable}
    debaters = dict.fromkeys(mark.debater for mark in usable[0].marks)
    stances = [reading.stance for reading in usable if reading.stance is not None]
    return JudgeOpinion(
        judge=judge,
        winner=winners.pop() if len(winners) == 1 else None,
        agreed=len({reading.winner for reading in usable}) == 1,
        controlled=order_count > 1,
        scores={debater: _mean([reading.score(debater) for reading in usable]) for debater in debaters},
        stance=round(_mean(stances)) if stances else None,
    )


def decide_panel(opinions: Mapping[str, JudgeOpinion | None]) -> PanelDecision:
    """The verdict of all judges: whoever most of them prefer; a tie if two are preferred equally often.

    A judge's tie is a vote for nobody, yet the judge counts: “2 of 3” with one tie.
    """
    heard = [found for found in opinions.values() if found is not None]
    counts: dict[str, int] = {}
    for found in heard:
        if found.winner is not None:
            counts[found.winner] = counts.get(found.winner, 0) + 1
    most = max(counts.values(), default=0)
    leaders = [debater for debater, count in counts.items() if count == most]
    debaters = dict.fromkeys(debater for found in heard for debater in found.scores)
    return PanelDecision(
        winner=leaders[0] if len(leaders) == 1 else None,
        votes=most if len(leaders) == 1 else 0,
        judges=len(heard),
        without_verdict=tuple(judge for judge, found in opinions.items() if found is None),
        scores={
            debater: _mean([found.scores[debater] for found in heard if debater in found.scores])
            for debater in debaters
        },
    )


def measure_swing(before: Mapping[str, int | None], after: Mapping[str, int | None]) -> OpinionSwing | None:
    """How those who voted both times moved; `None` if nobody did."""
    pairs = [
        (first, second)
        for voter, first in before.items()
        if first is not None and (second := after.get(voter)) is not None
    ]
    if not pairs:
        return None
    return OpinionSwing(
        _mean([first for first, _ in pairs]), _mean([second for _, second in pairs]), len(pairs)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# What debaters themselves decide: whether they agree, and how they rank each other.
#
# The lines read here (``ANSWER:``, ``CONFIDENCE:``, ``RANKING:``) are those the formats' instructions ask
# for. A line may be decorated as models like to; the last one of its kind in a text counts.


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


# How those who watch a debate see it, before and after.


LOCAL_VOTER = "user"
"""The voter who sits at the debate's own screen."""


class VoteTally:
    """Votes counted by the debater they are for, `None` for the undecided.

    Everybody's last vote of each kind counts; `len` is how many do.
    """

    def __init__(self, votes: Iterable[Vote] = ()) -> None:
        self._votes: dict[str, dict[str, str | None]] = {"before": {}, "after": {}}
        for vote in votes:
            self.add(vote)

    def __len__(self) -> int:
        return sum(map(len, self._votes.values()))

    def add(self, vote: Vote) -> None:
        """Take one vote into account."""
        self._votes[vote.when][vote.voter] = vote.debater

    def has_voted(self, when: str, voter: str) -> bool:
        """Whether somebody has voted before, or after, the debate."""
        return voter in self._votes[when]

    @property
    def before(self) -> Mapping[str | None, int]:
        """The votes before the debate."""
        return Counter(self._votes["before"].values())

    @property
    def after(self) -> Mapping[str | None, int]:
        """The votes after it."""
        return Counter(self._votes["after"].values())
