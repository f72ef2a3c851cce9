"""The outcome of a debate: the judges' verdicts and all votes, added up and ready to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain import wording
from debate_tui.domain.judging.scoring import OpinionSwing, decide_panel, measure_swing
from debate_tui.domain.judging.votes import LOCAL_VOTER, VoteTally, vote_sides
from debate_tui.domain.quotes import QUOTE_MARKS, QUOTE_MARKS_IN_WORDS, mark_quotes
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Literal

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.transcript import Transcript

MAX_JUDGE_SCORE = 10.0
"""The highest score a judge can give."""

_MAX_QUOTE_LENGTH = 400
_MAX_REASON_LENGTH = 1000


class Score(Struct, frozen=True):
    """A debater's score; `debater` is its id, and `is_winner` marks the winner's."""

    debater: str
    name: str
    side: str
    value: float
    is_winner: bool


class ScoredQuote(Struct, frozen=True):
    """A score on one criterion and the quote it is based on; `found` says if the quote is genuine."""

    criterion: str
    name: str
    score: int
    text: str
    found: bool


class VerdictSummary(Struct, frozen=True):
    """The decision of one judge or, if `by_debaters`, of the debaters themselves.

    `failed` means no verdict; `unconfirmed` that another reading order did not, or could not, confirm it.
    `max_score` is the score of a full bar. `stances` are the judge's stances before and after, from 0 to
    100, `None` if not given. `reasons` are its reasons, one per line.
    """

    judge: str
    decision: str
    by_debaters: bool
    failed: bool
    unconfirmed: bool
    scores: tuple[Score, ...]
    max_score: float
    quotes: tuple[ScoredQuote, ...]
    reasons: tuple[str, ...]
    stances: tuple[int | None, int | None]


class VoteSummary(Struct, frozen=True):
    """The votes of the user or of the audience, by side or debater, undecided last.

    A column is empty if there was no vote at that time; `change` is empty if one is.
    """

    by_audience: bool
    before: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, int], ...]
    change: str = ""


class OutcomeSummary(Struct, frozen=True):
    """The complete outcome of a debate; everything in it is sanitised.

    `headline` says who won, by the panel's decision or, if the format says so, by the larger swing of the
    judges' opinion; without a judge's verdict, by the user's own vote, if any. `scores` are the mean scores
    of all judges.
    """

    headline: str
    scores: tuple[Score, ...]
    verdicts: tuple[VerdictSummary, ...]
    swing: OpinionSwing | None
    votes: tuple[VoteSummary, ...]


def summarise_outcome(
    transcript: Transcript, quote_marks: tuple[str, str] = QUOTE_MARKS
) -> OutcomeSummary | None:
    """Return the outcome of a debate; `None` if there are no verdicts and no votes.

    In judges' reasons, one of `quote_marks` follows each quote that was checked.
    """
    votes = tuple(_summarise_votes(transcript))
    if not transcript.verdicts and not votes:
        return None
    judges = [verdict for verdict in transcript.verdicts if verdict.model]
    panel, swing = decide_panel(judges), measure_swing(judges)
    by_swing = transcript.outcome == "swing"
    own = next((each for each in votes if not each.by_audience and each.after), None)
    if own is not None and all(verdict.problem for verdict in judges):
        headline = wording.describe_vote(own.before if by_swing else (), own.after)
    else:
        headline = wording.describe_panel(transcript, panel, swing if by_swing else None) if judges else ""
    return OutcomeSummary(
        headline=headline,
        scores=_scores(transcript, panel.scores, panel.winner),
        verdicts=tuple(
            _summarise_verdict(transcript, verdict, quote_marks) for verdict in transcript.verdicts
        ),
        swing=swing,
        votes=votes,
    )


def describe_outcome(transcript: Transcript) -> Iterator[str]:
    """Yield the outcome in sentences, one per line; nothing if there is no verdict."""
    outcome = summarise_outcome(transcript, QUOTE_MARKS_IN_WORDS)
    if outcome is None or not outcome.verdicts:
        return
    for verdict in outcome.verdicts:
        scores = "" if verdict.by_debaters else ", ".join(f"{s.name} {s.value:.1f}" for s in verdict.scores)
        yield f"{verdict.judge}: {verdict.decision}{f' ({scores})' if scores else ''}"
        yield from verdict.reasons
    if (swing := outcome.swing) is not None:
        moved = wording.describe_swing(swing)
        yield f"Support for the motion: {swing.before:.0f} before, {swing.after:.0f} after ({moved})."
    judges = [verdict for verdict in outcome.verdicts if not verdict.by_debaters]
    by_swing = transcript.outcome == "swing" and outcome.swing is not None
    if len(judges) > 1 or by_swing or any(verdict.failed for verdict in judges):
        yield f"{outcome.headline}."


def outcome_label(transcript: Transcript) -> str:
    """Return the outcome in a few words for a list, such as ``Ada wins``; empty if nothing decided it."""
    usable = [verdict for verdict in transcript.verdicts if not verdict.problem]
    judges = [verdict for verdict in usable if verdict.model]
    swing = measure_swing(judges) if transcript.outcome == "swing" else None
    if swing is not None:
        return wording.label_winner({1: "For", -1: "Against"}.get(swing.winner, ""))
    if judges or (usable and usable[-1].winner is not None):
        winner = decide_panel(judges).winner if judges else usable[-1].winner
        return wording.label_winner(wording.debater_name(transcript, winner) if winner else "")
    if usable:
        return wording.describe_decision(transcript, usable[-1])
    return describe_own_vote(transcript, "after")


def describe_own_vote(transcript: Transcript, when: Literal["before", "after"]) -> str:
    """Return what the user voted for at this time, such as ``your vote: Ada``; empty if nothing."""
    own = next((votes for votes in _summarise_votes(transcript) if not votes.by_audience), None)
    counts = () if own is None else own.before if when == "before" else own.after
    return f"your vote: {counts[0][0]}" if counts else ""


def _scores(transcript: Transcript, scores: Mapping[str, float], winner: str | None) -> tuple[Score, ...]:
    return tuple(
        Score(info.id, one_line(info.name), one_line(info.side), scores[info.id], info.id == winner)
        for info in transcript.debaters.values()
        if info.id in scores
    )


def _summarise_verdict(
    transcript: Transcript, verdict: Verdict, quote_marks: tuple[str, str]
) -> VerdictSummary:
    by_debaters, reasons = not verdict.model, mark_quotes(verdict.why, verdict.quotes, quote_marks)
    return VerdictSummary(
        judge=one_line(verdict.judge),
        decision=wording.describe_decision(transcript, verdict),
        by_debaters=by_debaters,
        failed=bool(verdict.problem),
        unconfirmed=not verdict.agreed or not verdict.controlled,
        scores=_scores(transcript, verdict.scores, verdict.winner),
        max_score=max((*verdict.scores.values(), 1.0)) if by_debaters else MAX_JUDGE_SCORE,
        quotes=tuple(
            ScoredQuote(
                one_line(mark.criterion, 40),
                wording.debater_name(transcript, mark.debater),
                mark.score,
                one_line(mark.quote, _MAX_QUOTE_LENGTH),
                mark.found,
            )
            for mark in verdict.marks
        ),
        reasons=tuple(filter(None, (one_line(line, _MAX_REASON_LENGTH) for line in reasons.splitlines()))),
        stances=(verdict.stance_before, verdict.stance_after),
    )


def _summarise_votes(transcript: Transcript) -> Iterator[VoteSummary]:
    for by_audience in (False, True):
        tally = VoteTally(vote for vote in transcript.votes if (vote.voter != LOCAL_VOTER) is by_audience)
        if len(tally):
            before = _count_by_name(transcript, tally.before)
            after = _count_by_name(transcript, tally.after)
            change = wording.describe_vote_change(before, after) if before and after else ""
            yield VoteSummary(by_audience, before, after, change)


def _count_by_name(transcript: Transcript, votes: Mapping[str | None, int]) -> tuple[tuple[str, int], ...]:
    """Count votes by side, also those for the debaters of a side, or by debater in a debate without sides."""
    debaters = transcript.debaters.values()
    sides = vote_sides(debaters)
    names = {info.id: one_line(info.side if sides else info.name) for info in debaters}
    counts = dict.fromkeys(names.values(), 0)
    for choice, count in votes.items():
        name = wording.UNDECIDED if choice is None else names.get(choice) or one_line(choice)
        counts[name] = counts.get(name, 0) + count
    undecided = counts.pop(wording.UNDECIDED, 0)
    return tuple((name, count) for name, count in (*counts.items(), (wording.UNDECIDED, undecided)) if count)
