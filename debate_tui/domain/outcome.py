"""What a debate came to: its judges' verdicts and everybody's votes, added up and put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.judging import JudgeOpinion, OpinionSwing, PanelDecision, decide_panel, measure_swing
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.transcript import Transcript


class JudgingResult(Struct, frozen=True):
    """What the judges decided together, and how those moved who said where they stood before and after."""

    panel: PanelDecision
    swing: OpinionSwing | None


def compute_judging_result(transcript: Transcript) -> JudgingResult | None:
    """The verdicts of a transcript added up; `None` where nobody judged."""
    judges = [verdict for verdict in transcript.verdicts if verdict.model]
    if not judges:
        return None
    # Two judges may share a source, so that each counts under a name of its own.
    names = [f"{place} {verdict.judge}" for place, verdict in enumerate(judges)]
    return JudgingResult(
        decide_panel(dict(zip(names, map(_opinion_of, judges), strict=True))),
        measure_swing(
            dict(zip(names, (verdict.stance_before for verdict in judges), strict=True)),
            dict(zip(names, (verdict.stance_after for verdict in judges), strict=True)),
        ),
    )


def describe_result(transcript: Transcript) -> Iterator[str]:
    """What the debate came to, sanitised, a line at a time; nothing where nobody decided anything."""
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
    """Who wins where the larger swing of opinion does."""
    if not swing.winner:
        return "Nobody wins: opinion has not moved"
    return f"The side {'for' if swing.winner > 0 else 'against'} it wins, by {describe_swing_size(swing)}"


def describe_swing_size(swing: OpinionSwing) -> str:
    """How far opinion moved, as the rounded figures beside it have it."""
    points = abs(round(swing.after) - round(swing.before))
    return f"{points} point{'s' * (points != 1)}" if points else "less than a point"


def result_headline(transcript: Transcript, result: JudgingResult) -> str:
    """Who has won: by what the judges decided together or, in a format that says so, by the larger swing."""
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
    """Whither opinion moved."""
    return {1: "towards the side for it", -1: "towards the side against it", 0: "nobody moved"}[swing.winner]


def describe_decision(transcript: Transcript, verdict: Verdict) -> str:
    """What one judge decided, and what has to be known about it, in a few words."""
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
    """What a debater is called, in one line."""
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
