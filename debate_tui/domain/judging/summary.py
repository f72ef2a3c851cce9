"""The outcome of a debate in words: the judges' verdicts and all votes, added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.judging import JudgeOpinion, OpinionSwing, PanelDecision, decide_panel, measure_swing
from debate_tui.domain.judging.scoring import LOCAL_VOTER, VoteTally
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.transcript import Transcript


class JudgingResult(Struct, frozen=True):
    """The panel's decision, and the swing of the judges who gave their stance before and after."""

    panel: PanelDecision
    swing: OpinionSwing | None


def compute_judging_result(transcript: Transcript) -> JudgingResult | None:
    """Add up the verdicts of a transcript; return `None` if there were no judges."""
    judges = [verdict for verdict in transcript.verdicts if verdict.model]
    if not judges:
        return None
    # Number the names: two judges may share a source.
    names = [f"{place} {verdict.judge}" for place, verdict in enumerate(judges)]
    return JudgingResult(
        decide_panel(dict(zip(names, map(_opinion_of, judges), strict=True))),
        measure_swing(
            dict(zip(names, (verdict.stance_before for verdict in judges), strict=True)),
            dict(zip(names, (verdict.stance_after for verdict in judges), strict=True)),
        ),
    )


def describe_result(transcript: Transcript) -> Iterator[str]:
    """Yield the outcome line by line, sanitised; nothing if there is no verdict."""
    for verdict in transcript.verdicts:
        scores = ", ".join(
            f"{debater_name(transcript, who)} {score:.1f}" for who, score in verdict.scores.items()
        )
        judged = f" ({scores})" if verdict.model and scores else ""
        yield f"{one_line(verdict.judge)}: {describe_decision(transcript, verdict)}{judged}"
        yield from (one_line(line, 1000) for line in verdict.why.splitlines())
    if (came_to := compute_judging_result(transcript)) is None:
        return
    moved = came_to.swing
    if moved is not None:
        yield f"Opinion: {moved.before:.0f} before, {moved.after:.0f} after ({swing_direction(moved)})."
    if came_to.panel.judges > 1 or came_to.panel.without_verdict or (moved and transcript.outcome == "swing"):
        yield f"{result_headline(transcript, came_to)}."


def describe_swing_winner(swing: OpinionSwing) -> str:
    """Say who wins in a format settled by the larger swing of opinion."""
    if not swing.winner:
        return "Nobody wins: opinion has not moved"
    return f"The side {'for' if swing.winner > 0 else 'against'} it wins, by {describe_swing_size(swing)}"


def describe_swing_size(swing: OpinionSwing) -> str:
    """Say how far opinion moved, in points that match the rounded figures next to it."""
    points = abs(round(swing.after) - round(swing.before))
    return f"{points} point{'s' * (points != 1)}" if points else "less than a point"


def result_headline(transcript: Transcript, result: JudgingResult) -> str:
    """Say who won: by the panel's decision or, if the format says so, by the larger swing."""
    panel, by_swing = result.panel, result.swing if transcript.outcome == "swing" else None
    parts = [describe_swing_winner(by_swing)] if by_swing is not None else []
    of = f"{panel.judges} judge{'s' if panel.judges > 1 else ''}"
    if not panel.judges:
        parts += [] if parts else ["No judge came to a verdict"]
    elif panel.winner is None:
        tie = f"a tie between {of}" if panel.judges > 1 else "the judge sees a tie"
        parts.append(tie if parts else tie.capitalize())
    else:
        did = "spoke best" if parts else "wins"
        parts.append(f"{debater_name(transcript, panel.winner)} {did}: {panel.votes} of {of}")
    if panel.judges and panel.without_verdict:
        parts.append(f"{len(panel.without_verdict)} gave no verdict")
    return "; ".join(parts)


def swing_direction(swing: OpinionSwing) -> str:
    """Say in which direction opinion moved."""
    return {1: "towards the side for it", -1: "towards the side against it", 0: "nobody moved"}[swing.winner]


def describe_decision(transcript: Transcript, verdict: Verdict) -> str:
    """Say briefly what one judge decided, and how reliable that is."""
    if verdict.problem:
        return f"no verdict ({one_line(verdict.problem)})"
    if not verdict.model and verdict.winner is None:
        return "agreed" if verdict.agreed else "divided"
    if not verdict.model:
        return debater_name(transcript, verdict.winner)
    decided = debater_name(transcript, verdict.winner) if verdict.winner else "a tie"
    if not verdict.controlled:
        return f"{decided}, order not controlled"
    return decided if verdict.agreed else f"{decided}, as the two orders of reading disagreed"


def debater_name(transcript: Transcript, debater: str | None) -> str:
    """Return a debater's name on one line."""
    info = transcript.debaters.get(debater or "")
    return one_line(info.name) if info is not None else "nobody"


def _opinion_of(verdict: Verdict) -> JudgeOpinion | None:
    if verdict.problem:
        return None
    return JudgeOpinion(
        judge=verdict.judge,
        winner=verdict.winner,
        agreed=verdict.agreed,
        controlled=verdict.controlled,
        scores=verdict.scores,
        stance=verdict.stance_after,
    )


# The outcome as sanitised values, ready to be shown


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


class Quote(Struct, frozen=True):
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
    quotes: tuple[Quote, ...]
    reasons: tuple[str, ...]
    stances: tuple[int | None, int | None]


class VoteSummary(Struct, frozen=True):
    """The votes of the user or of the audience, by name, undecided last.

    A column is empty if there was no vote at that time.
    """

    voters: str
    before: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, int], ...]


class OutcomeSummary(Struct, frozen=True):
    """The complete outcome of a debate.

    `headline` says who won, by the panel's decision or, if the format says so, by the larger swing of the
    judges' opinion; it is empty without judges. `scores` are the mean scores of all judges.
    """

    headline: str
    scores: tuple[Score, ...]
    verdicts: tuple[VerdictSummary, ...]
    swing: OpinionSwing | None
    votes: tuple[VoteSummary, ...]


def summarise_outcome(transcript: Transcript) -> OutcomeSummary | None:
    """Return the outcome of a debate; `None` if there are no verdicts and no votes."""
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
