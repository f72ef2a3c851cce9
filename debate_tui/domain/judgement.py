"""What a debate came to, ready to be shown: verdicts, scores, quotes, votes, all of it sanitised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.judging import OpinionSwing
from debate_tui.domain.outcome import compute_judging_result, debater_name, describe_decision, result_headline
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.votes import LOCAL_VOTER, VoteTally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.transcript import Transcript

MAX_JUDGE_SCORE = 10.0
"""The highest score that judges give."""

_MAX_QUOTE_LENGTH = 400
_MAX_REASON_LENGTH = 1000


class Score(Struct, frozen=True):
    """What a debater got, by its id, and whether that is the winner's."""

    debater: str
    name: str
    side: str
    value: float
    is_winner: bool


class Quote(Struct, frozen=True):
    """A score on one criterion and the line it rests on; `found` says whether that was really said."""

    criterion: str
    name: str
    score: int
    text: str
    found: bool


class VerdictSummary(Struct, frozen=True):
    """What one judge decided, or, `by_debaters`, they themselves.

    `failed` means no verdict; `unconfirmed` one that was not, or could not be, confirmed in another order.
    `max_score` is the score that a full bar stands for; `stances` where the judge stood before and after,
    from 0 to 100, `None` where it did not say. `reasons` is its reasons, a line each.
    """

    judge: str
    decision: str
    by_debaters: bool
    failed: bool
    unconfirmed: bool
    scores: tuple[Score, ...]
    max_score: float
    quotes: tuple[Quote, ...]
    reasons: tuple[str, ...]
    stances: tuple[int | None, int | None]


class VoteSummary(Struct, frozen=True):
    """How those who watched voted, by name, the undecided last: one who held the debate, or many.

    A column is empty where nobody was asked.
    """

    voters: str
    before: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, int], ...]


class OutcomeSummary(Struct, frozen=True):
    """All there is to say of a debate's outcome.

    `headline` says who has won, by what the judges decided together or, in a format that says so, by the
    larger swing of their opinion; it is empty without judges. `scores` are the means of theirs.
    """

    headline: str
    scores: tuple[Score, ...]
    verdicts: tuple[VerdictSummary, ...]
    swing: OpinionSwing | None
    votes: tuple[VoteSummary, ...]


def summarise_outcome(transcript: Transcript) -> OutcomeSummary | None:
    """The outcome of a debate; `None` while nobody has decided or voted."""
    opinions = tuple(_summarise_votes(transcript))
    if not transcript.verdicts and not opinions:
        return None
    found = compute_judging_result(transcript)
    panel = found.panel if found is not None else None
    return OutcomeSummary(
        headline=result_headline(transcript, found) if found is not None else "",
        scores=_scores(transcript, panel.scores, panel.winner) if panel is not None else (),
        verdicts=tuple(_summarise_verdict(transcript, verdict) for verdict in transcript.verdicts),
        swing=found.swing if found is not None else None,
        votes=opinions,
    )


def _scores(transcript: Transcript, scores: Mapping[str, float], winner: str | None) -> tuple[Score, ...]:
    return tuple(
        Score(
            info.id,
            debater_name(transcript, info.id),
            one_line(info.side),
            scores[info.id],
            info.id == winner,
        )
        for info in transcript.debaters.values()
        if info.id in scores
    )


def _summarise_verdict(transcript: Transcript, verdict: Verdict) -> VerdictSummary:
    ours = not verdict.model
    return VerdictSummary(
        judge=one_line(verdict.judge),
        decision=describe_decision(transcript, verdict),
        by_debaters=ours,
        failed=bool(verdict.problem),
        unconfirmed=not verdict.agreed or not verdict.controlled,
        scores=_scores(transcript, verdict.scores, verdict.winner),
        max_score=max((*verdict.scores.values(), 1.0)) if ours else MAX_JUDGE_SCORE,
        quotes=tuple(
            Quote(
                one_line(mark.criterion, 40),
                debater_name(transcript, mark.debater),
                mark.score,
                one_line(mark.quote, _MAX_QUOTE_LENGTH),
                mark.found,
            )
            for mark in verdict.marks
        ),
        reasons=tuple(
            filter(None, (one_line(line, _MAX_REASON_LENGTH) for line in verdict.why.splitlines()))
        ),
        stances=(verdict.stance_before, verdict.stance_after),
    )


def _summarise_votes(transcript: Transcript) -> Iterator[VoteSummary]:
    votes = transcript.votes
    for who, here in (("The user", True), ("The audience", False)):
        counted = VoteTally(vote for vote in votes if (vote.voter == LOCAL_VOTER) is here)
        if counted.before or counted.after:
            yield VoteSummary(
                who, _count_by_name(transcript, counted.before), _count_by_name(transcript, counted.after)
            )


def _count_by_name(transcript: Transcript, votes: Mapping[str | None, int]) -> tuple[tuple[str, int], ...]:
    decided = tuple(
        (debater_name(transcript, who), votes[who]) for who in transcript.debaters if who in votes
    )
    return (*decided, ("undecided", votes[None])) if None in votes else decided
