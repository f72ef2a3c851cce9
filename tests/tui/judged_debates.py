"""Judged debates to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events as ev
from debate_tui.domain.judging.prompt import CRITERIA
from debate_tui.domain.stream import Usage

if TYPE_CHECKING:
    from tests.tui.debate_harness import DebateHarness

QUOTES = {
    "ada": (
        "A street that is only a way to somewhere else has stopped being a place.",
        "You say trade needs parking; Ghent's shops gained custom without it.",
        "Oslo took away seven hundred spaces, and its centre is fuller than before.",
        "So the question is not whether we can afford it, but what we pay not to.",
    ),
    "ben": (
        "A ban falls on those who have no other way to come.",
        "Ghent is flat and small; my opponent has not answered what a hilly city does.",
        "",
        "Price the space, and let people choose.",
    ),
    "cleo": ("Let each city try it for a year.", "Both of you assume too much.", "", "A trial decides."),
    "dara": ("我们可以走路。", "I side with nobody yet.", "Nobody measured the noise.", "Measure first."),
}
REASONS = (
    "Ada met the strongest point against her, that some cannot walk, and turned it: exemptions free the road "
    "for them. Ben's case for pricing was clear, but he left the examples standing."
)


def marks(board: DebateHarness, best: str, *, invented: str = "") -> tuple[ev.CriterionScore, ...]:
    """Scores on every criterion, with a line for each; one debater's last line was never said."""
    return tuple(
        ev.CriterionScore(
            criterion,
            debater.id,
            9 - place % 2 if debater.id == best else 6 - place % 3,
            QUOTES[debater.id][place],
            bool(QUOTES[debater.id][place]) and not (debater.id == invented and place == 3),
        )
        for place, criterion in enumerate(CRITERIA)
        for debater in board.debaters
    )


def verdict(board: DebateHarness, judge: str, best: str, winner: str | None, **more: object) -> ev.Verdict:
    found = marks(board, best, invented="ben")
    means = {
        debater.id: sum(mark.score for mark in found if mark.debater == debater.id) / len(CRITERIA)
        for debater in board.debaters
    }
    facts = {"agreed": True, "controlled": True, "scores": means, "marks": found, "why": REASONS, **more}
    return ev.Verdict(judge=judge, model=judge, winner=winner, **facts)  # type: ignore[arg-type]


def finish_speeches(board: DebateHarness, vote: str | None = "ben", *, seconds: float = 0.0) -> DebateHarness:
    """A debate whose last word is said, after this time."""
    board.begin()
    board.log_events(ev.Vote(when="before", voter="user", debater=vote))
    board.phase()
    for debater in board.debaters:
        board.status(debater.id, "streaming").say(debater.id, " ".join(QUOTES[debater.id]))
    board.now += seconds
    for debater in board.debaters:
        board.end(debater.id, usage=Usage(1200, 312), cost=0.0031, ttft_ms=640)
    return board


def add_judged_debate(board: DebateHarness) -> DebateHarness:
    """Three judges: one decides, one contradicts itself, one says nothing of use."""
    finish_speeches(board)
    board.log_events(ev.PhaseStarted(phase="verdict", round=1, rounds=1))
    board.log_events(
        verdict(board, "openai:gpt-5.6-terra", "ada", "ada", stance_before=40, stance_after=72),
        verdict(
            board, "anthropic:claude-sonnet-5-5", "ben", None, agreed=False, stance_before=55, stance_after=58
        ),
        ev.Verdict(
            judge="mistral:large",
            model="large",
            winner=None,
            agreed=False,
            controlled=False,
            problem="its answer could not be read",
        ),
        ev.Vote(when="after", voter="user", debater="ada"),
    )
    return board


REPORT = ev.Report(
    judge="openai:gpt-5.6-terra",
    model="gpt-5.6-terra",
    agreed=(
        "Streets in the centre are too loud and too narrow for what they are used for today.",
        "Deliveries and people who cannot walk need a way in.",
    ),
    differences=(
        ev.Difference("Whether shops lose custom without parking.", "Sales in Ghent, before and after."),
        ev.Difference("Whether a price would do as well as a ban.", "A trial of both in two cities alike."),
        ev.Difference("What a hilly city should do."),
    ),
    changed_minds=(ev.ChangedMind("ben", "Ben no longer defends free parking, only access."),),
    strongest=(
        ev.StrongestArgument(
            "ada", "A centre lives by people who stay, not by cars that pass.", QUOTES["ada"][0], found=True
        ),
        ev.StrongestArgument(
            "ben", "A ban hits those who have no other way to come.", QUOTES["ben"][3], found=False
        ),
    ),
    unanswered=("Who pays for the trams?", "What happens at night, when no bus runs?"),
)


def add_report(board: DebateHarness) -> DebateHarness:
    """A judged debate with a report."""
    return add_judged_debate(board).log_events(REPORT)


def add_consensus(board: DebateHarness) -> DebateHarness:
    """The debaters settle it themselves."""
    finish_speeches(board)
    lines = (
        "All agree: A trial of one year.",
        "Before they heard each other:",
        *(
            f"{debater.name}: Ban them ({60 + 7 * place} % sure)"
            for place, debater in enumerate(board.debaters)
        ),
        "In the end:",
        *(
            f"{debater.name}: A trial of one year (8{place} % sure)"
            for place, debater in enumerate(board.debaters)
        ),
    )
    return board.log_events(
        ev.Verdict(
            judge="the debaters", model="", winner=None, agreed=True, controlled=True, why="\n".join(lines)
        )
    )


def add_ranking(board: DebateHarness) -> DebateHarness:
    """They rank each other."""
    finish_speeches(board)
    points = {debater.id: float(9 - 3 * place) for place, debater in enumerate(board.debaters)}
    why = ", ".join(f"{debater.name} {points[debater.id]:.0f}" for debater in board.debaters)
    return board.log_events(
        ev.Verdict(
            judge="the debaters",
            model="",
            winner=board.debaters[0].id,
            agreed=False,
            controlled=True,
            scores=points,
            why=f"Points of 4 ballots: {why}.",
        )
    )
