"""What a debate is made of, and what each of its prompts is built from: the public record so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.debate import Debater, Format, Round, may_see
from debate_tui.domain.events import DebaterInfo, Interjection
from debate_tui.domain.judging.prompt import JudgedDebater
from debate_tui.domain.material import Material, material_for
from debate_tui.domain.prompts import Brief, Speech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.domain.transcript import Transcript, Turn


class DebateSpec(Struct, frozen=True, kw_only=True):
    """What is debated, how, and by whom; `debate` is the id of the debate in the record.

    No new turn starts once the debate has used `max_tokens`, input and output together, or has cost
    `max_cost`, in US dollars. `prices` names the price table for that. With `step`, the debate waits between
    rounds until it is resumed. `material` is that of all debaters, hidden material included.

    In a blind debate, `debaters` have letters for names and no sources; `hidden` says who they are.
    """

    debate: str
    topic: str
    format: Format
    debaters: tuple[Debater, ...]
    max_tokens: int | None = None
    max_cost: float | None = None
    prices: str = ""
    step: bool = False
    material: tuple[Material, ...] = ()
    hidden: tuple[DebaterInfo, ...] = ()


class Chair(Struct, frozen=True):
    """A debater in a stored setup, without the settings of its source."""

    debater: Debater


class StoredSetup(Struct, frozen=True):
    """The part of a stored setup that prompts depend on; `judges` are sources.

    `cli.continuation` writes setups, and reads all of them to resume debates.
    """

    format: Format
    chairs: tuple[Chair, ...]
    judges: tuple[str, ...] = ()


def decode_setup(setup: str) -> StoredSetup | None:
    """Decode a setup as stored with a debate; return `None` if it is missing or cannot be read."""
    try:
        return msgspec.json.decode(setup, type=StoredSetup)
    except msgspec.DecodeError:
        return None


# The brief of a turn: the public record, as far as the phase may see it
#
# Everything is taken from the transcript as of a position in the log, so that a resumed turn gets exactly
# the prompt it started with.


def build_brief(
    spec: DebateSpec, transcript: Transcript, debater: Debater, round_: Round, turn: int
) -> Brief:
    """Build the brief of `debater` for the turn numbered `turn`, whether new or interrupted."""
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
        material=tuple(material_for(spec.material, debater.id)),
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
    round_start_seq = max((step.seq for step in transcript.steps if step.seq < seq), default=0)
    for _, turn in sorted(transcript.turns.items()):
        if not turn.is_public or turn.end is None or turn.end.seq > seq:
            continue
        own, this_round = turn.debater == debater.id, turn.started_seq > round_start_seq
        if may_see(round_.phase.sees, own=own, this_round=this_round):
            yield _speech(spec, transcript, turn)


def _speech(spec: DebateSpec, transcript: Transcript, turn: Turn) -> Speech:
    info = transcript.debaters[turn.debater]
    titles = {phase.name: phase.title for phase in spec.format.phases}
    return Speech(
        name=transcript.prompt_name(info.id),
        side=info.side,
        phase=titles.get(turn.phase, turn.phase),
        text=turn.text,
        quotes=turn.quotes,
    )


def _interjections_for(transcript: Transcript, debater: Debater, turn: int) -> Iterator[str]:
    """Yield what the moderator said to this debater between the starts of its last turn and of this one."""
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


def public_record(spec: DebateSpec, transcript: Transcript) -> tuple[list[JudgedDebater], list[list[Speech]]]:
    """Return the speakers, and the speeches of each round: public text only, never reasoning."""
    rounds: dict[int, list[Speech]] = {}
    for _, turn in sorted(transcript.turns.items()):
        if turn.is_public:
            rounds.setdefault(turn.step, []).append(_speech(spec, transcript, turn))
    speaker_ids = {turn.debater for turn in transcript.turns.values() if turn.is_public}
    entries = [
        JudgedDebater(info.id, transcript.prompt_name(info.id), info.side)
        for info in transcript.debaters.values()
        if info.id in speaker_ids
    ]
    return entries, [rounds[step] for step in sorted(rounds)]
