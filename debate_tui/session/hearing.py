"""What a speaker is told: the public record as far as its phase may see it, put into one brief.

Everything is read off the transcript as it stood at a place of the log, so that a turn taken up again later
gets the very prompt it began with.
"""

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


def brief(motion: Motion, transcript: Transcript, debater: Debater, round_: Round, turn: int) -> Brief:
    """All that `debater` is told for the turn numbered `turn`: one to be started now, or one broken off."""
    begun = transcript.turns.get(turn)
    seq = begun.started_seq if begun is not None else transcript.seq + 1
    active = _active(motion, transcript, seq)
    return Brief(
        topic=motion.topic,
        format=motion.format.title,
        debater=debater,
        opponents=tuple(d for d in motion.debaters if d.id != debater.id and d.id in active),
        round=round_,
        heard=tuple(_heard(motion, transcript, debater, round_, seq)),
        removed=tuple(d.name for d in motion.debaters if d.id not in active),
        interjections=tuple(_remarks(transcript, debater, turn)),
    )


def _active(motion: Motion, transcript: Transcript, seq: int) -> tuple[str, ...]:
    active = tuple(debater.id for debater in motion.debaters)
    for note in transcript.notes:
        if note.event.seq < seq and not isinstance(note.event, Interjection):
            active = note.event.remaining
    return active


def _heard(
    motion: Motion, transcript: Transcript, debater: Debater, round_: Round, seq: int
) -> Iterator[Speech]:
    titles = {phase.name: phase.title for phase in motion.format.phases}
    round_began = max((step.seq for step in transcript.steps if step.seq < seq), default=0)
    for _, turn in sorted(transcript.turns.items()):
        if turn.finished_seq is None or turn.finished_seq > seq or turn.reason not in PUBLIC_ENDINGS:
            continue
        own, this_round = turn.debater == debater.id, turn.started_seq > round_began
        if turn.text.strip() and may_see(round_.phase.sees, own=own, this_round=this_round):
            info = transcript.debaters[turn.debater]
            phase = titles.get(turn.phase, turn.phase)
            yield Speech(name=info.name, side=info.side, phase=phase, text=turn.text)


def _remarks(transcript: Transcript, debater: Debater, turn: int) -> Iterator[str]:
    """What the moderator said to this debater between its last turn's beginning and this one's."""
    earlier = (t.number for t in transcript.turns.values() if t.debater == debater.id and t.number < turn)
    last = max(earlier, default=0)
    for note in transcript.notes:
        event = note.event
        if isinstance(event, Interjection) and event.to in (None, debater.id) and last <= note.after < turn:
            yield event.text
