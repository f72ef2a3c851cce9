"""Judged debates to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events as ev
from debate_tui.domain.judging import CRITERIA
from debate_tui.domain.stream import Usage

if TYPE_CHECKING:
    from tests.tui.board import Board

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
WHY = (
    "Ada met the strongest point against her, that some cannot walk, and turned it: exemptions free the road "
    "for them. Ben's case for pricing was clear, but he left the examples standing."
)


def marks(board: Board, best: str, *, invented: str = "") -> tuple[ev.Mark, ...]:
    """Scores on every criterion, with a line for each; one debater's last line was never said."""
    return tuple(
        ev.Mark(
            criterion,
            debater.id,
            9 - place % 2 if debater.id == best else 6 - place % 3,
            QUOTES[debater.id][place],
            bool(QUOTES[debater.id][place]) and not (debater.id == invented and place == 3),
        )
        for place, criterion in enumerate(CRITERIA)
        for debater in board.cast
    )


def verdict(board: Board, judge: str, best: str, winner: str | None, **more: object) -> ev.Verdict:
    found = marks(board, best, invented="ben")
    means = {
        debater.id: sum(mark.score for mark in found if mark.debater == debater.id) / len(CRITERIA)
        for debater in board.cast
    }
    facts = {"agreed": True, "controlled": True, "scores": means, "marks": found, "why": WHY, **more}
    return ev.Verdict(judge=judge, model=judge, winner=winner, **facts)  # type: ignore[arg-type]


def said(board: Board, vote: str | None = "ben") -> Board:
    """A debate whose last word is said."""
    board.begin()
    board.tell(ev.Vote(when="before", voter="user", debater=vote))
    board.phase()
    for debater in board.cast:
        board.status(debater.id, "streaming").say(debater.id, " ".join(QUOTES[debater.id]))
    for debater in board.cast:
        board.end(debater.id, usage=Usage(1200, 312), cost=0.0031, ttft_ms=640)
    return board


def judged(board: Board) -> Board:
    """Three judges: one decides, one contradicts itself, one says nothing of use."""
    said(board)
    board.tell(ev.PhaseStarted(phase="verdict", round=1, rounds=1))
    board.tell(
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


def agreed(board: Board) -> Board:
    """The debaters settle it themselves."""
    said(board)
    lines = (
        "All agree: A trial of one year.",
        "Before they heard each other:",
        *(f"{debater.name}: Ban them ({60 + 7 * place} % sure)" for place, debater in enumerate(board.cast)),
        "In the end:",
        *(
            f"{debater.name}: A trial of one year (8{place} % sure)"
            for place, debater in enumerate(board.cast)
        ),
    )
    return board.tell(
        ev.Verdict(
            judge="the debaters", model="", winner=None, agreed=True, controlled=True, why="\n".join(lines)
        )
    )


def ranked(board: Board) -> Board:
    """They rank each other."""
    said(board)
    points = {debater.id: float(9 - 3 * place) for place, debater in enumerate(board.cast)}
    why = ", ".join(f"{debater.name} {points[debater.id]:.0f}" for debater in board.cast)
    return board.tell(
        ev.Verdict(
            judge="the debaters",
            model="",
            winner=board.cast[0].id,
            agreed=False,
            controlled=True,
            scores=points,
            why=f"Points of 4 ballots: {why}.",
        )
    )
