"""The course of a debate: round after round, everybody's turn, and what the moderator asks for meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from debate_tui.domain import events, prompts
from debate_tui.domain.ballots import agreement
from debate_tui.domain.debate import VERDICT, rounds, waves
from debate_tui.domain.progress import progress
from debate_tui.domain.spending import bill
from debate_tui.domain.stream import Request
from debate_tui.domain.transcript import Transcript
from debate_tui.session.agenda import Agenda
from debate_tui.session.bench import Bench
from debate_tui.session.floor import Floor
from debate_tui.session.hearing import brief
from debate_tui.session.motion import Unlimited
from debate_tui.session.outcome import EVERYBODY, settled
from debate_tui.session.roster import Roster
from debate_tui.session.turn import unknown_cost

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from debate_tui.domain.debate import Debater, Round
    from debate_tui.domain.stream import Fault, Source
    from debate_tui.record.log import DebateLog
    from debate_tui.session.bench import Judge
    from debate_tui.session.floor import Choice, Guard
    from debate_tui.session.motion import Backpressure, Motion
    from debate_tui.session.turn import Cost, Turn

Ending = Literal["complete", "stopped", "failed"]


class Session:
    """Holds one debate and logs it.

    The commands (`pause`, `stop`, …) may be called at any time from the session's event loop; one that makes
    no sense at the moment does nothing. A fault that only a person can mend (a wrong key, an empty account)
    pauses the debate until `decide` is called; an `unattended` session ends instead, `blocked_by` says why.

    `past` are the events of a debate that was broken off, and which `log` goes on recording: the session
    completes the round under way, turns cut in mid-word included, and holds what is left.
    """

    def __init__(
        self,
        motion: Motion,
        sources: Mapping[str, Source],
        log: DebateLog,
        *,
        guard: Guard,
        backpressure: Backpressure | None = None,
        unattended: bool = False,
        costs: Mapping[str, Cost] | None = None,
        judges: Sequence[Judge] = (),
        past: Iterable[events.Event] = (),
    ) -> None:
        self.motion = motion
        self.transcript = Transcript(past)
        self.blocked_by: Fault | None = None
        self._log = log
        self._roster = Roster(motion.debaters, self.transcript, log)
        self._floor = Floor(
            sources,
            log,
            self._roster,
            guard=guard,
            backpressure=backpressure or Unlimited(),
            unattended=unattended,
            costs=costs or {},
            end=self._end,
        )
        self._agenda = Agenda(rounds(motion.format))
        self._bench = Bench(judges, motion, self.transcript)
        self._judging: asyncio.Task[None] | None = None
        self._ending = False
        log.subscribe(self.transcript.apply)

    # The course of the debate

    async def run(self) -> None:
        """Hold the debate to its end; whatever ends it, the log's last event says how."""
        ending: Ending = "failed"
        try:
            async with asyncio.TaskGroup() as group:
                self._judging = group.create_task(self._bench.take_seats())
                await self._hold_all()
                ending = self._how_it_ended()
                if ending == "complete":
                    await self._settle(self._judging)
                    self._judging = group.create_task(self._judge())
                else:
                    self._judging.cancel()
            if ending == "complete" and self._ending:
                ending = "stopped"  # before all judges had spoken
        except asyncio.CancelledError:
            ending = "stopped"
            raise
        finally:
            self._log.append(events.DebateFinished(reason=ending, cut=self._floor.cut))

    async def _settle(self, seating: asyncio.Task[None]) -> None:
        """Say what the debaters themselves have decided, and wait until the judges have taken their seats."""
        said = any(verdict.judge == EVERYBODY for verdict in self.transcript.verdicts)
        if not said and (verdict := settled(self.motion, self.transcript)) is not None:
            self._log.append(verdict)
        await asyncio.wait([seating])

    async def _judge(self) -> None:
        if self._ending or not self._bench:
            return
        self._log.append(events.PhaseStarted(phase=VERDICT, round=1, rounds=1))
        await self._bench.decide(self.transcript, self._log.append)

    async def _hold_all(self) -> None:
        if self.transcript.debaters:
            await self._take_up()
        else:
            self._open()
        for round_ in self._agenda:
            if self._over or self._limit_reached():
                break
            phase = round_.phase
            self._log.append(
                events.PhaseStarted(
                    phase=phase.name, round=round_.number, rounds=round_.total, words=phase.words
                )
            )
            await self._hold(round_)
            if self._agreed(round_):
                self._agenda.skip_phase()

    def _open(self) -> None:
        motion = self.motion
        self._log.append(
            events.DebateStarted(
                debate=motion.debate,
                topic=motion.topic,
                format=motion.format.name,
                debaters=tuple(
                    events.DebaterInfo(d.id, d.name, d.side, d.source, self._floor.model_of(d.id))
                    for d in motion.debaters
                ),
                outcome=motion.format.outcome,
                prices=motion.prices,
            )
        )
        for debater in self._roster.everybody:
            self._log.append(events.StreamStatus(debater=debater, state="waiting", attempt=1))

    async def _take_up(self) -> None:
        """Complete the round that was under way when the debate broke off."""
        left = progress(self.transcript, self.motion.format, self.motion.debaters)
        self._agenda = Agenda(left.ahead)
        self._log.append(events.DebateResumed(reason="continued", debater=None))
        if left.round is not None:
            broken_off = {self.transcript.turns[number].debater: number for number in left.open}
            await self._hold(left.round, only={*broken_off, *left.owing}, broken_off=broken_off)

    def _agreed(self, round_: Round) -> bool:
        """Whether all who spoke in the round just held gave the same answer, where that ends its phase."""
        if round_.phase.stop_when != "agreement":
            return False
        step = len(self.transcript.steps)
        said = (turn.text for turn in self.transcript.turns.values() if turn.step == step)
        return agreement(said) is not None

    @property
    def _over(self) -> bool:
        return self._ending or not self._roster.enough

    def _how_it_ended(self) -> Ending:
        if self._ending:
            return "failed" if self.blocked_by else "stopped"
        said_something = any(turn.reason == "complete" for turn in self.transcript.turns.values())
        return "complete" if said_something else "failed"

    async def _hold(
        self, round_: Round, *, only: Container[str] = (), broken_off: Mapping[str, int] | None = None
    ) -> None:
        """Hold a round, wave after wave; `only` some speakers, some of whose turns were `broken_off`."""
        numbers = broken_off or {}
        for wave in waves(round_, self.motion.debaters):
            if self._over or self._limit_reached():
                return
            speakers = [d for d in wave if d.id in self._roster and (not only or d.id in only)]
            await self._floor.hold(
                [self._prepare(debater, round_, numbers.get(debater.id)) for debater in speakers]
            )

    def _limit_reached(self) -> bool:
        """Whether what was spent forbids another turn; says so, once, and ends the debate."""
        motion, so_far = self.motion, bill(self.transcript).total
        tokens, cost = so_far.tokens or 0, so_far.cost or 0.0
        if motion.max_tokens is not None and tokens >= motion.max_tokens:
            spent = f"{tokens:,} tokens are used; the limit is {motion.max_tokens:,}"
        elif motion.max_cost is not None and cost >= motion.max_cost:
            spent = f"${cost:.2f} is spent; the limit is ${motion.max_cost:.2f}"
        else:
            return False
        if not self._ending:
            self._ending = True
            self._log.append(events.DebatePaused(reason=f"{spent}. No further turn begins.", debater=None))
        return True

    def _prepare(self, debater: Debater, round_: Round, broken_off: int | None) -> Turn:
        past = self.transcript.turns[broken_off] if broken_off is not None else None
        number = broken_off or max(self.transcript.turns, default=0) + 1
        request = Request(
            topic=self.motion.topic,
            phase=round_.phase.name,
            turn=number,
            messages=prompts.messages(brief(self.motion, self.transcript, debater, round_, number)),
            max_output_tokens=self.motion.max_output_tokens,
        )
        return self._floor.turn(debater.id, request, past)

    # Commands

    def pause(self, debater: str | None = None) -> None:
        """Stop reading from one debater, or from all, so that the senders feel it."""
        if not self._finished:
            self._floor.pause(debater)

    def resume(self, debater: str | None = None) -> None:
        """Read on, from all or from one, whatever of it was paused."""
        if not self._finished:
            self._floor.resume(debater)

    def stop(self, debater: str) -> None:
        """End the debater's turn where it is; what was said stays."""
        self._floor.stop(debater)

    def retry(self, debater: str) -> None:
        """Ask for the debater's present turn again: on from its text if it was broken off, else anew.

        One that is paused is read on from, whoever else is not.
        """
        self._floor.retry(debater)

    def replace(self, debater: str, source: Source, spec: str, cost: Cost = unknown_cost) -> None:
        """Let another source speak for the debater from its next connection on, at its own cost."""
        if not self._finished:
            self._floor.replace(debater, source, cost)
            self._roster.replace(debater, spec, source.model)

    def interject(self, text: str, to: str | None = None) -> None:
        """Put a remark to one debater or to all; they are told at their next turn."""
        if not self._finished:
            self._log.append(events.Interjection(text=text, to=to))

    def vote(self, when: Literal["before", "after"], debater: str | None, voter: str = "user") -> None:
        """Note how somebody sees the debate, before or after it; `None` is undecided.

        After a vote for a debate that is over its end is told again: the log's last event says how it ended.
        """
        self._log.append(events.Vote(when=when, voter=voter, debater=debater))
        if self.transcript.finished is not None:
            self._log.append(events.DebateFinished(reason=self.transcript.finished, cut=self.transcript.cut))

    def decide(self, debater: str, choice: Choice) -> None:
        """Say how to go on with a debater whose fault paused the debate."""
        self._floor.decide(debater, choice)

    def add_round(self) -> None:
        """Hold the phase under way once more than planned."""
        self._agenda.add_round()

    def skip_phase(self) -> None:
        """Break off the phase under way: its open turns end as ``skipped``, and it has no further round."""
        self._agenda.skip_phase()
        self._floor.skip()

    def set_words(self, words: int) -> None:
        """Ask for that many words in every turn from the next round on."""
        self._agenda.set_words(words)

    def end(self) -> None:
        """End the debate: turns under way are stopped, and no further one begins."""
        self._end(None)

    def _end(self, fault: Fault | None) -> None:
        self._ending = True
        self.blocked_by = fault or self.blocked_by
        self._floor.close()
        if self._judging is not None:
            self._judging.cancel()

    @property
    def _finished(self) -> bool:
        """Whether the log has said how the debate ended."""
        return self.transcript.finished is not None
