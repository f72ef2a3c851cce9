"""What a debate came to: its judges' verdicts and everybody's votes, added up and put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.judging import Opinion, Panel, Swing, panel, swing
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.events import Verdict
    from debate_tui.domain.transcript import Transcript


class Outcome(Struct, frozen=True):
    """What the judges decided together, and how those moved who said where they stood before and after."""

    panel: Panel
    swing: Swing | None


def outcome(transcript: Transcript) -> Outcome | None:
    """The verdicts of a transcript added up; `None` where nobody judged."""
    judges = [verdict for verdict in transcript.verdicts if verdict.model]
    if not judges:
        return None
    # Two judges may share a source, so that each counts under a name of its own.
    names = [f"{place} {verdict.judge}" for place, verdict in enumerate(judges)]
    return Outcome(
        panel(dict(zip(names, map(_opinion, judges), strict=True))),
        swing(
            dict(zip(names, (verdict.stance_before for verdict in judges), strict=True)),
            dict(zip(names, (verdict.stance_after for verdict in judges), strict=True)),
        ),
    )


def in_words(transcript: Transcript) -> Iterator[str]:
    """What the debate came to, sanitised, a line at a time; nothing where nobody decided anything."""
    for verdict in transcript.verdicts:
        scores = ", ".join(f"{name(transcript, who)} {score:.1f}" for who, score in verdict.scores.items())
        judged = f" ({scores})" if verdict.model and scores else ""
        yield f"{one_line(verdict.judge)}: {decision(transcript, verdict)}{judged}"
        yield from (one_line(line, 1000) for line in verdict.why.splitlines())
    if (came_to := outcome(transcript)) is None:
        return
    moved = came_to.swing
    if moved is not None:
        yield f"Opinion: {moved.before:.0f} before, {moved.after:.0f} after ({direction(moved)})."
    if came_to.panel.judges > 1 or came_to.panel.silent or (moved and transcript.outcome == "swing"):
        yield f"{headline(transcript, came_to)}."


def swung(swing: Swing) -> str:
    """Who wins where the larger swing of opinion does."""
    if not swing.winner:
        return "Nobody wins: opinion has not moved"
    return f"The side {'for' if swing.winner > 0 else 'against'} it wins, by {far(swing)}"


def far(swing: Swing) -> str:
    """How far opinion moved, as the rounded figures beside it have it."""
    points = abs(round(swing.after) - round(swing.before))
    return f"{points} point{'s' * (points != 1)}" if points else "less than a point"


def headline(transcript: Transcript, found: Outcome) -> str:
    """Who has won: by what the judges decided together or, in a format that says so, by the larger swing."""
    panel, by_swing = found.panel, found.swing if transcript.outcome == "swing" else None
    parts = [swung(by_swing)] if by_swing is not None else []
    of = f"{panel.judges} judge{'s' if panel.judges > 1 else ''}"
    if not panel.judges:
        parts += [] if parts else ["No judge came to a verdict"]
    elif panel.winner is None:
        tie = f"a tie between {of}" if panel.judges > 1 else "the judge sees a tie"
        parts.append(tie if parts else tie.capitalize())
    else:
        did = "spoke best" if parts else "wins"
        parts.append(f"{name(transcript, panel.winner)} {did}: {panel.votes} of {of}")
    if panel.judges and panel.silent:
        parts.append(f"{len(panel.silent)} gave no verdict")
    return "; ".join(parts)


def direction(swing: Swing) -> str:
    """Whither opinion moved."""
    return {1: "towards the side for it", -1: "towards the side against it", 0: "nobody moved"}[swing.winner]


def decision(transcript: Transcript, verdict: Verdict) -> str:
    """What one judge decided, and what has to be known about it, in a few words."""
    if verdict.problem:
        return f"no verdict ({one_line(verdict.problem)})"
    if not verdict.model and verdict.winner is None:
        return "agreed" if verdict.agreed else "divided"
    if not verdict.model:
        return name(transcript, verdict.winner)
    decided = name(transcript, verdict.winner) if verdict.winner else "a tie"
    if not verdict.controlled:
        return f"{decided}, order not controlled"
    return decided if verdict.agreed else f"{decided}, as the two orders of reading disagreed"


def name(transcript: Transcript, debater: str | None) -> str:
    """What a debater is called, in one line."""
    info = transcript.debaters.get(debater or "")
    return one_line(info.name) if info is not None else "nobody"


def _opinion(verdict: Verdict) -> Opinion | None:
    if verdict.problem:
        return None
    return Opinion(
        judge=verdict.judge,
        winner=verdict.winner,
        agreed=verdict.agreed,
        controlled=verdict.controlled,
        scores=verdict.scores,
        stance=verdict.stance_after,
    )
