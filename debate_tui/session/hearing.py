"""What a speaker is told: the public record as far as its phase may see it, put into one brief."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.debate import may_see
from debate_tui.domain.events import Interjection
from debate_tui.domain.prompts import Brief, Speech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.debate import Debater, Round
    from debate_tui.domain.transcript import Transcript
    from debate_tui.session.motion import Motion

PUBLIC_ENDINGS = frozenset({"complete", "length", "stopped"})
"""How a turn may have ended to be heard by others; a failed or refused one is no argument."""


def brief(
    motion: Motion, transcript: Transcript, debater: Debater, round_: Round, *, first_turn: int
) -> Brief:
    """All that `debater` is told for its turn of `round_`, whose first turn has the number `first_turn`."""
    active = transcript.active
    return Brief(
        topic=motion.topic,
        format=motion.format.title,
        debater=debater,
        opponents=tuple(d for d in motion.debaters if d.id != debater.id and d.id in active),
        round=round_,
        heard=tuple(_heard(motion, transcript, debater, round_, first_turn)),
        removed=tuple(d.name for d in motion.debaters if d.id not in active),
        interjections=tuple(_remarks(transcript, debater)),
    )


def _heard(
    motion: Motion, transcript: Transcript, debater: Debater, round_: Round, first_turn: int
) -> Iterator[Speech]:
    titles = {phase.name: phase.title or phase.name for phase in motion.format.phases}
    for number, turn in sorted(transcript.turns.items()):
        if turn.reason not in PUBLIC_ENDINGS or not turn.text.strip():
            continue
        own, this_round = turn.debater == debater.id, number >= first_turn
        if not may_see(round_.phase.sees, own=own, this_round=this_round):
            continue
        info = transcript.debaters[turn.debater]
        yield Speech(name=info.name, side=info.side, phase=titles[turn.phase], text=turn.text)


def _remarks(transcript: Transcript, debater: Debater) -> Iterator[str]:
    """What the moderator said to this debater since its last turn began."""
    last = transcript.turn_of(debater.id)
    for note in transcript.notes:
        event = note.event
        if not isinstance(event, Interjection) or event.to not in (None, debater.id):
            continue
        if last is None or note.after >= last.number:
            yield event.text
