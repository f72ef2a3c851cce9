"""What a debate came to, ready to be shown: verdicts, scores, quotes, votes, all of it sanitised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.judging import Swing
from debate_tui.domain.outcome import decision, headline, name, outcome
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.votes import USER, Poll

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.transcript import Transcript

BEST = 10.0
"""The highest score that judges give."""

_QUOTE = 400
_REASON = 1000


class Score(Struct, frozen=True):
    """What a debater got, by its id, and whether that is the winner's."""

    debater: str
    name: str
    side: str
    value: float
    wins: bool


class Quote(Struct, frozen=True):
    """A score on one criterion and the line it rests on; `found` says whether that was really said."""

    criterion: str
    name: str
    score: int
    text: str
    found: bool


class Ruling(Struct, frozen=True):
    """What one judge decided, or, `by_debaters`, they themselves.

    `failed` means no verdict; `doubtful` one that was not, or could not be, confirmed in another order.
    `best` is the score that a full bar stands for; `stances` where the judge stood before and after, from 0
    to 100, `None` where it did not say. `why` is its reasons, a line each.
    """

    judge: str
    decision: str
    by_debaters: bool
    failed: bool
    doubtful: bool
    scores: tuple[Score, ...]
    best: float
    quotes: tuple[Quote, ...]
    why: tuple[str, ...]
    stances: tuple[int | None, int | None]


class Opinions(Struct, frozen=True):
    """How those who watched voted, by name, the undecided last: one who held the debate, or many.

    A column is empty where nobody was asked.
    """

    who: str
    before: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, int], ...]


class Judgement(Struct, frozen=True):
    """All there is to say of a debate's outcome.

    `headline` says who has won, by what the judges decided together or, in a format that says so, by the
    larger swing of their opinion; it is empty without judges. `scores` are the means of theirs.
    """

    headline: str
    scores: tuple[Score, ...]
    rulings: tuple[Ruling, ...]
    swing: Swing | None
    opinions: tuple[Opinions, ...]


def judgement(transcript: Transcript) -> Judgement | None:
    """The outcome of a debate; `None` while nobody has decided or voted."""
    opinions = tuple(_opinions(transcript))
    if not transcript.verdicts and not opinions:
        return None
    found = outcome(transcript)
    panel = found.panel if found is not None else None
    return Judgement(
        headline=headline(transcript, found) if found is not None else "",
        scores=_scores(transcript, panel.scores, panel.winner) if panel is not None else (),
        rulings=tuple(_ruling(transcript, verdict) for verdict in transcript.verdicts),
        swing=found.swing if found is not None else None,
        opinions=opinions,
    )


def _scores(transcript: Transcript, scores: Mapping[str, float], winner: str | None) -> tuple[Score, ...]:
    return tuple(
        Score(info.id, name(transcript, info.id), one_line(info.side), scores[info.id], info.id == winner)
        for info in transcript.debaters.values()
        if info.id in scores
    )


def _ruling(transcript: Transcript, verdict: Verdict) -> Ruling:
    ours = not verdict.model
    return Ruling(
        judge=one_line(verdict.judge),
        decision=decision(transcript, verdict),
        by_debaters=ours,
        failed=bool(verdict.problem),
        doubtful=not verdict.agreed or not verdict.controlled,
        scores=_scores(transcript, verdict.scores, verdict.winner),
        best=max((*verdict.scores.values(), 1.0)) if ours else BEST,
        quotes=tuple(
            Quote(
                one_line(mark.criterion, 40),
                name(transcript, mark.debater),
                mark.score,
                one_line(mark.quote, _QUOTE),
                mark.found,
            )
            for mark in verdict.marks
        ),
        why=tuple(filter(None, (one_line(line, _REASON) for line in verdict.why.splitlines()))),
        stances=(verdict.stance_before, verdict.stance_after),
    )


def _opinions(transcript: Transcript) -> Iterator[Opinions]:
    votes = transcript.votes
    for who, here in (("The user", True), ("The audience", False)):
        counted = Poll(vote for vote in votes if (vote.voter == USER) is here)
        if counted.before or counted.after:
            yield Opinions(who, _named(transcript, counted.before), _named(transcript, counted.after))


def _named(transcript: Transcript, votes: Mapping[str | None, int]) -> tuple[tuple[str, int], ...]:
    decided = tuple((name(transcript, who), votes[who]) for who in transcript.debaters if who in votes)
    return (*decided, ("undecided", votes[None])) if None in votes else decided
