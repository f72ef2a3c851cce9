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
    from debate_tui.session.motion import DebateSpec

PUBLIC_FINISH_REASONS = frozenset({"complete", "length", "stopped"})
"""How a turn may have ended to be heard by others; a failed or refused one is no argument."""


def build_brief(
    spec: DebateSpec, transcript: Transcript, debater: Debater, round_: Round, turn: int
) -> Brief:
    """All that `debater` is told for the turn numbered `turn`: one to be started now, or one broken off."""
    started = transcript.turns.get(turn)
    seq = started.started_seq if started is not None else transcript.seq + 1
    active_ids = _active_ids(spec, transcript, seq)
    return Brief(
        topic=spec.topic,
        format=spec.format.title,
        debater=debater,
        opponents=tuple(d for d in spec.debaters if d.id != debater.id and d.id in active_ids),
        round=round_,
        speeches=tuple(_visible_speeches(spec, transcript, debater, round_, seq)),
        removed_names=tuple(d.name for d in spec.debaters if d.id not in active_ids),
        interjections=tuple(_interjections_for(transcript, debater, turn)),
    )


def _active_ids(spec: DebateSpec, transcript: Transcript, seq: int) -> tuple[str, ...]:
    active_ids = tuple(debater.id for debater in spec.debaters)
    for note in transcript.side_events:
        if note.event.seq < seq and not isinstance(note.event, Interjection):
            active_ids = note.event.remaining
    return active_ids


def _visible_speeches(
    spec: DebateSpec, transcript: Transcript, debater: Debater, round_: Round, seq: int
) -> Iterator[Speech]:
    titles = {phase.name: phase.title for phase in spec.format.phases}
    round_start_seq = max((step.seq for step in transcript.steps if step.seq < seq), default=0)
    for _, turn in sorted(transcript.turns.items()):
        if turn.finished_seq is None or turn.finished_seq > seq or turn.reason not in PUBLIC_FINISH_REASONS:
            continue
        own, this_round = turn.debater == debater.id, turn.started_seq > round_start_seq
        if turn.text.strip() and may_see(round_.phase.sees, own=own, this_round=this_round):
            info = transcript.debaters[turn.debater]
            phase = titles.get(turn.phase, turn.phase)
            yield Speech(name=info.name, side=info.side, phase=phase, text=turn.text)


def _interjections_for(transcript: Transcript, debater: Debater, turn: int) -> Iterator[str]:
    """What the moderator said to this debater between its last turn's beginning and this one's."""
    earlier_turns = (
        t.number for t in transcript.turns.values() if t.debater == debater.id and t.number < turn
    )
    previous_turn = max(earlier_turns, default=0)
    for note in transcript.side_events:
        event = note.event
        if (
            isinstance(event, Interjection)
            and event.to in (None, debater.id)
            and previous_turn <= note.turn_count < turn
        ):
            yield event.text
