"""The arithmetic of verdicts: two readings make an opinion, opinions make a panel, stances make a swing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.judging.reading import JudgeReading


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
