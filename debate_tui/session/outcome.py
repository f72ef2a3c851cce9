"""How the debaters themselves settle a debate: by agreeing, or by ranking each other's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.debate import Round
from debate_tui.domain.judging.scoring import (
    count_borda,
    find_agreement,
    parse_answer,
    parse_ranking,
    resolve_letters,
)
from debate_tui.domain.prompts import assign_letters
from debate_tui.session.hearing import build_brief

if TYPE_CHECKING:
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.session.motion import DebateSpec

DEBATERS_AS_JUDGE = "the debaters"
"""Who judged, where it was the debaters themselves."""


def debaters_verdict(spec: DebateSpec, transcript: Transcript) -> events.Verdict | None:
    """The outcome of a debate that its format lets the debaters settle; `None` for any other."""
    match spec.format.outcome:
        case "consensus":
            return _consensus_verdict(transcript)
        case "ranking":
            return _ranking_verdict(spec, transcript)
        case _:
            return None


def _consensus_verdict(transcript: Transcript) -> events.Verdict | None:
    """Whether all agree in the end, with what each thought before it heard the others."""
    turns_by_debater: dict[str, list[Turn]] = {}
    for _, turn in sorted(transcript.turns.items()):
        if turn.debater in transcript.active_debaters and turn.text.strip():
            turns_by_debater.setdefault(turn.debater, []).append(turn)
    if not turns_by_debater:
        return None
    answer = find_agreement(turns[-1].text for turns in turns_by_debater.values())
    lines = [f"All agree: {answer}." if answer else "No agreement.", "Before they heard each other:"]
    lines += [
        f"{transcript.debaters[debater].name}: {_format_position(turns[0])}"
        for debater, turns in turns_by_debater.items()
    ]
    lines.append("In the end:")
    lines += [
        f"{transcript.debaters[debater].name}: {_format_position(turns[-1])}"
        for debater, turns in turns_by_debater.items()
    ]
    return events.Verdict(
        judge=DEBATERS_AS_JUDGE,
        model="",
        winner=None,
        agreed=answer is not None,
        controlled=True,
        why="\n".join(lines),
    )


def _format_position(turn: Turn) -> str:
    position = parse_answer(turn.text)
    if position is None:
        return "no answer named"
    return (
        position.answer
        if position.confidence is None
        else f"{position.answer} ({position.confidence} % sure)"
    )


def _ranking_verdict(spec: DebateSpec, transcript: Transcript) -> events.Verdict | None:
    """Everybody's ranks, summed by Borda's rule; a ballot that does not rank all counts for nothing."""
    ballots = list(_first_ballots(spec, transcript).values())
    if not ballots:
        return None
    standings = count_borda(ballots, sorted(ballots[0]))
    best = standings[0]
    tied = len(standings) > 1 and (standings[1].points, standings[1].firsts) == (best.points, best.firsts)
    names = {debater.id: debater.name for debater in spec.debaters}
    why = ", ".join(f"{names[each.candidate]} {each.points}" for each in standings)
    return events.Verdict(
        judge=DEBATERS_AS_JUDGE,
        model="",
        winner=None if tied else best.candidate,
        agreed=len({ballot[0] for ballot in ballots}) == 1,
        controlled=True,
        scores={each.candidate: float(each.points) for each in standings},
        why=f"Points of {len(ballots)} ballots: {why}.",
    )


def _first_ballots(spec: DebateSpec, transcript: Transcript) -> dict[str, tuple[str, ...]]:
    """Each debater's first ballot, over ids."""
    ballots: dict[str, tuple[str, ...]] = {}
    phases = {phase.name: phase for phase in spec.format.phases}
    debaters = {debater.id: debater for debater in spec.debaters}
    ids = {debater.name: debater.id for debater in spec.debaters}
    for number, turn in sorted(transcript.turns.items()):
        phase = phases.get(turn.phase)
        if phase is None or not phase.anonymous:
            continue
        turn_brief = build_brief(
            spec, transcript, debaters[turn.debater], Round(phase, turn.round, phase.rounds), number
        )
        letters = {letter: ids[speech.name] for letter, speech in assign_letters(turn_brief)}
        if labels := parse_ranking(turn.text, sorted(letters)):
            ballots.setdefault(turn.debater, resolve_letters(labels, letters))
    return ballots
