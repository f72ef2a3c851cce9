"""The rounds still to come, and what the moderator makes of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from debate_tui.domain import events
from debate_tui.domain.debate import MIN_DEBATERS, Debater, Format, Round, may_see
from debate_tui.domain.events import Interjection
from debate_tui.domain.prompts import Brief, Speech

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from debate_tui.domain.debate import ParameterValue
    from debate_tui.domain.transcript import Transcript
    from debate_tui.record.log import DebateLog


class RoundQueue:
    """Gives out rounds one by one; iterating takes each from the front, whatever was changed meanwhile."""

    def __init__(self, pending: Iterable[Round]) -> None:
        self._pending = deque(pending)
        self._current: Round | None = None
        self._word_limit: int | None = None

    def __iter__(self) -> Iterator[Round]:
        while self._pending:
            self._current = self._pending.popleft()
            yield self._current if self._word_limit is None else self._current.with_words(self._word_limit)

    def add_round(self) -> None:
        """Hold the phase under way once more than planned."""
        if self._current is None:
            return
        last = self._current
        while self._pending and self._pending[0].phase.name == last.phase.name:
            last = self._pending.popleft()
        total = last.total + 1
        extra_rounds = [
            Round(last.phase, number, total) for number in range(self._current.number + 1, total + 1)
        ]
        self._pending.extendleft(reversed(extra_rounds))

    def skip_phase(self) -> None:
        """Hold no further round of the phase under way."""
        while (
            self._current is not None
            and self._pending
            and self._pending[0].phase.name == self._current.phase.name
        ):
            self._pending.popleft()

    def set_words(self, words: int) -> None:
        """Ask for that many words in every turn from the next round on."""
        self._word_limit = words


# Who is in the debate; every coming and going is logged.


class Roster:
    """The debaters still in the debate, in the order of their places."""

    def __init__(self, debaters: tuple[Debater, ...], transcript: Transcript, log: DebateLog) -> None:
        self.all_ids = tuple(debater.id for debater in debaters)
        remaining = transcript.active_debaters or self.all_ids
        self._active_ids = tuple(debater for debater in self.all_ids if debater in remaining)
        self._transcript = transcript
        self._log = log

    def __contains__(self, debater: object) -> bool:
        return debater in self._active_ids

    @property
    def has_enough_debaters(self) -> bool:
        """Whether there are enough left to debate."""
        return len(self._active_ids) >= MIN_DEBATERS

    def remove(self, debater: str, reason: str) -> None:
        """Go on without a debater; nothing for one who has left already."""
        if debater not in self._active_ids:
            return
        self._active_ids = tuple(other for other in self._active_ids if other != debater)
        self._log.append(events.DebaterRemoved(debater=debater, reason=reason, remaining=self._active_ids))

    def reinstate(self, debater: str) -> None:
        """Let a debater back in; nothing for one who never left."""
        if debater in self._active_ids:
            return
        self._active_ids = tuple(
            other for other in self.all_ids if other == debater or other in self._active_ids
        )
        info = self._transcript.debaters[debater]
        self._log.append(
            events.DebaterReturned(
                debater=debater,
                reason="user",
                remaining=self._active_ids,
                source=info.source,
                model=info.model,
                parameters=info.parameters,
            )
        )

    def log_replacement(
        self, debater: str, source: str, model: str, parameters: dict[str, ParameterValue]
    ) -> None:
        """Note that another source speaks for a debater."""
        self._log.append(
            events.DebaterReplaced(
                debater=debater,
                reason="user",
                remaining=self._active_ids,
                source=source,
                model=model,
                parameters=parameters,
            )
        )


# What a debate is made of before its first word.


class DebateSpec(Struct, frozen=True, kw_only=True):
    """What is debated, how, and by whom; `debate` is the debate's id in the record.

    `max_output_tokens` is for one turn. Once the whole debate has spent `max_tokens`, sent and answered, or
    `max_cost`, in US dollars, no further turn begins. `prices` says by which table that is reckoned.
    """

    debate: str
    topic: str
    format: Format
    debaters: tuple[Debater, ...]
    max_output_tokens: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    prices: str = ""


class Backpressure(Protocol):
    """Whoever shows the debate may make a debater's reader wait, so that its sender slows down."""

    read_delay: float
    """How long text may pile up at its sender before it is read, in seconds: reading seldom is cheap."""

    def has_room(self, debater: str) -> bool:
        """Whether more text of this debater is welcome now."""
        ...

    async def wait_for_room(self, debater: str) -> None:
        """Wait until it is."""
        ...


class NoBackpressure:
    """No backpressure: whoever reads the log keeps up by itself."""

    read_delay = 0.0

    def has_room(self, debater: str) -> bool:
        return True

    async def wait_for_room(self, debater: str) -> None:
        return


# What a speaker is told: the public record as far as its phase may see it, put into one brief.
#
# Everything is read off the transcript as it stood at a place of the log, so that a turn taken up again
# later gets the very prompt it began with.


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
