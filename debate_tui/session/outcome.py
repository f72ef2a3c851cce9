"""How the debaters themselves settle a debate: by agreeing, or by ranking each other's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.ballots import agreement, borda, ranking, stand, translated
from debate_tui.domain.debate import Round
from debate_tui.domain.prompts import ballot
from debate_tui.session.hearing import brief

if TYPE_CHECKING:
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.session.motion import Motion

EVERYBODY = "the debaters"
"""Who judged, where it was the debaters themselves."""


def settled(motion: Motion, transcript: Transcript) -> events.Verdict | None:
    """The outcome of a debate that its format lets the debaters settle; `None` for any other."""
    match motion.format.outcome:
        case "consensus":
            return _consensus(transcript)
        case "ranking":
            return _ranking(motion, transcript)
        case _:
            return None


def _consensus(transcript: Transcript) -> events.Verdict | None:
    """Whether all agree in the end, with what each thought before it heard the others."""
    said: dict[str, list[Turn]] = {}
    for _, turn in sorted(transcript.turns.items()):
        if turn.debater in transcript.active and turn.text.strip():
            said.setdefault(turn.debater, []).append(turn)
    if not said:
        return None
    answer = agreement(turns[-1].text for turns in said.values())
    lines = [f"All agree: {answer}." if answer else "No agreement.", "Before they heard each other:"]
    lines += [f"{transcript.debaters[debater].name}: {_stand(turns[0])}" for debater, turns in said.items()]
    lines.append("In the end:")
    lines += [f"{transcript.debaters[debater].name}: {_stand(turns[-1])}" for debater, turns in said.items()]
    return events.Verdict(
        judge=EVERYBODY,
        model="",
        winner=None,
        agreed=answer is not None,
        controlled=True,
        why="\n".join(lines),
    )


def _stand(turn: Turn) -> str:
    found = stand(turn.text)
    if found is None:
        return "no answer named"
    return found.answer if found.confidence is None else f"{found.answer} ({found.confidence} % sure)"


def _ranking(motion: Motion, transcript: Transcript) -> events.Verdict | None:
    """Everybody's ranks, summed by Borda's rule; a ballot that does not rank all counts for nothing."""
    ballots = list(_ballots(motion, transcript).values())
    if not ballots:
        return None
    standings = borda(ballots, sorted(ballots[0]))
    best = standings[0]
    tied = len(standings) > 1 and (standings[1].points, standings[1].firsts) == (best.points, best.firsts)
    names = {debater.id: debater.name for debater in motion.debaters}
    why = ", ".join(f"{names[each.candidate]} {each.points}" for each in standings)
    return events.Verdict(
        judge=EVERYBODY,
        model="",
        winner=None if tied else best.candidate,
        agreed=len({ballot[0] for ballot in ballots}) == 1,
        controlled=True,
        scores={each.candidate: float(each.points) for each in standings},
        why=f"Points of {len(ballots)} ballots: {why}.",
    )


def _ballots(motion: Motion, transcript: Transcript) -> dict[str, tuple[str, ...]]:
    """Each debater's first ballot, over ids."""
    ballots: dict[str, tuple[str, ...]] = {}
    phases = {phase.name: phase for phase in motion.format.phases}
    debaters = {debater.id: debater for debater in motion.debaters}
    ids = {debater.name: debater.id for debater in motion.debaters}
    for number, turn in sorted(transcript.turns.items()):
        phase = phases.get(turn.phase)
        if phase is None or not phase.anonymous:
            continue
        asked = brief(
            motion, transcript, debaters[turn.debater], Round(phase, turn.round, phase.rounds), number
        )
        letters = {letter: ids[speech.name] for letter, speech in ballot(asked)}
        if ranked := ranking(turn.text, sorted(letters)):
            ballots.setdefault(turn.debater, translated(ranked, letters))
    return ballots
