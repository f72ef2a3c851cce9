"""Who has the floor: the turns of a wave, held at once, and what is done to them meanwhile."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Fault
from debate_tui.resilience.classify import Action, action
from debate_tui.session.gate import Gate
from debate_tui.session.gathering import Gathering
from debate_tui.session.turn import Turn, unknown_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from debate_tui.domain import transcript
    from debate_tui.domain.stream import Request, Source
    from debate_tui.record.log import DebateLog
    from debate_tui.session.motion import Backpressure
    from debate_tui.session.roster import Roster
    from debate_tui.session.turn import Cost

    Guard = Callable[[str, Source, Callable[[], bool]], Source]
    """Puts recovery around a debater's source; the last argument tells whether a pause holds reading back."""

Choice = Literal["fix", "replace", "remove", "end"]

ALL, OWN = "all", "own"
"""Why a debater is paused: with all others, or alone."""


class Floor:
    """Has each debater's source, and lets those speak whose turn it is.

    A fault that only a person can mend (a wrong key, an empty account) pauses everybody until `decide` is
    called; an `unattended` debate ends instead. `end` ends the debate, with that fault or with none.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        log: DebateLog,
        roster: Roster,
        *,
        guard: Guard,
        backpressure: Backpressure,
        unattended: bool,
        costs: Mapping[str, Cost],
        end: Callable[[Fault | None], None],
    ) -> None:
        self._log = log
        self._roster = roster
        self._guard = guard
        self._backpressure = backpressure
        self._unattended = unattended
        self._costs = dict(costs)
        self._end = end
        self._gates = {debater: Gate() for debater in roster.everybody}
        self._sources = {
            debater: guard(debater, sources[debater], gate.is_closed) for debater, gate in self._gates.items()
        }
        self._turns: dict[str, Turn] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wave: asyncio.TaskGroup | None = None
        self._decisions: dict[str, asyncio.Future[Choice]] = {}
        self._closed = False

    def model_of(self, debater: str) -> str:
        """What to call the model that speaks for the debater."""
        return self._sources[debater].model

    @property
    def cut(self) -> tuple[int, ...]:
        """The turns that were stopped by nobody's wish but that the debate should end."""
        return tuple(
            turn.request.turn
            for turn in self._turns.values()
            if turn.reason == "stopped" and not turn.dismissed
        )

    # Turns

    def turn(self, debater: str, request: Request, past: transcript.Turn | None) -> Turn:
        """The debater's next turn, or one that was broken off."""
        cost = self._costs.get(debater, unknown_cost)
        turn = self._turns[debater] = Turn(debater, request, self._log, cost=cost, past=past)
        return turn

    async def hold(self, turns: Sequence[Turn]) -> None:
        """Hold these turns, all at once, to their ends."""
        async with asyncio.TaskGroup() as self._wave:
            for turn in turns:
                self._start(turn, self._wave)
        self._wave = None
        for turn in turns:
            turn.finish("stopped")  # a task cancelled before its first step never said so itself

    def _start(self, turn: Turn, wave: asyncio.TaskGroup) -> None:
        task = self._tasks[turn.debater] = wave.create_task(self._speak(turn))
        task.add_done_callback(self._leave)

    def _leave(self, _: asyncio.Task[None]) -> None:
        """With its last turn the wave is over: from now on it takes no other."""
        if all(task.done() for task in self._tasks.values()):
            self._wave = None

    async def _speak(self, turn: Turn) -> None:
        while not turn.over:
            try:
                await self._connect(turn)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.uncancel() or self._closed or not turn.wanted_again:
                    turn.finish(turn.cut_short_as)
                    raise
                turn.start_again()

    async def _connect(self, turn: Turn) -> None:
        try:
            await self._listen(turn, self._sources[turn.debater])
        except Fault as fault:
            await self._cope(turn, fault)

    async def _listen(self, turn: Turn, source: Source) -> None:
        gate, pressure, clock = self._gates[turn.debater], self._backpressure, time.monotonic
        await gate.passed()
        async with source.open(turn.request, turn.resume(source)) as stream:
            gathering, free = Gathering(), clock()
            async for item in stream:
                now = clock()
                waited = now - free
                if gate.is_closed():
                    await gate.passed()
                turn.take(item)
                if turn.over:
                    return
                if not pressure.has_room(turn.debater):
                    await pressure.room(turn.debater)
                elif type(item) is Chunk and (pause := gathering.pause(waited, now, pressure.patience)):
                    await asyncio.sleep(pause)
                free = clock()

    # Faults that recovery could not mend

    async def _cope(self, turn: Turn, fault: Fault) -> None:
        match action(fault):
            case Action.REFUSED:
                turn.finish("refused", fault)
            case Action.PAUSE_ALL if self._unattended:
                self._drop(turn, fault)
                self._end(fault)
            case Action.PAUSE_ALL:
                await self._ask(turn, fault)
            case _:
                self._drop(turn, fault)

    async def _ask(self, turn: Turn, fault: Fault) -> None:
        debater, reason = turn.debater, f"{fault.kind} of {turn.debater}"
        turn.show("failed", fault)
        self._log.append(events.DebatePaused(reason=_in_full(fault), debater=debater))
        for gate in self._gates.values():
            gate.close(reason)
        decision = self._decisions[debater] = asyncio.get_running_loop().create_future()
        try:
            choice = await decision
        finally:
            del self._decisions[debater]
            for gate in self._gates.values():
                gate.open(reason)
            self._log.append(events.DebateResumed(reason="decided", debater=debater))
        if choice in ("remove", "end"):
            self._drop(turn, fault)
        if choice == "end":
            self._end(None)

    def _drop(self, turn: Turn, fault: Fault) -> None:
        """Fail the turn and go on without its debater."""
        turn.finish("failed", fault)
        self._roster.remove(turn.debater, fault.message)

    # Commands: see `Session`

    def pause(self, debater: str | None) -> None:
        """Let nobody read from one debater, or from all, and say so."""
        self._log.append(events.DebatePaused(reason="user", debater=debater))
        for name in self._gates if debater is None else (debater,):
            self._gates[name].close(ALL if debater is None else OWN)
            if (turn := self._turns.get(name)) is not None and not turn.over:
                turn.hold()

    def resume(self, debater: str | None) -> None:
        """Let them be read from, one who is named whatever paused it, and say so."""
        self._log.append(events.DebateResumed(reason="user", debater=debater))
        for name in self._gates if debater is None else (debater,):
            gate = self._gates[name]
            gate.open(ALL)
            if debater is not None:
                gate.open(OWN)
            if not gate.is_closed() and (turn := self._turns.get(name)) is not None:
                turn.let_go()

    def stop(self, debater: str) -> None:
        """End the debater's turn where it is."""
        if (task := self._tasks.get(debater)) is not None:
            self._turns[debater].dismissed = True
            task.cancel()

    def retry(self, debater: str) -> None:
        """Have the debater's turn in this wave held again."""
        turn, task, wave = self._turns.get(debater), self._tasks.get(debater), self._wave
        if turn is None or task is None or wave is None or self._closed:
            return
        if self._gates[debater].is_closed():
            self.resume(debater)
        if decision := self._decisions.get(debater):
            if not decision.done():
                decision.set_result("fix")
        elif task.done():
            self._roster.bring_back(debater)
            turn.start_again()
            self._start(turn, wave)
        elif turn.opened:  # else it is about to be
            turn.wanted_again = True
            task.cancel()

    def replace(self, debater: str, source: Source, cost: Cost) -> None:
        """Have another source speak for the debater from its next connection on, at its own cost."""
        self._costs[debater] = cost
        self._sources[debater] = self._guard(debater, source, self._gates[debater].is_closed)

    def decide(self, debater: str, choice: Choice) -> None:
        """Say how to go on with a debater whose fault paused the debate."""
        decision = self._decisions.get(debater)
        if decision is not None and not decision.done():
            decision.set_result(choice)

    def skip(self) -> None:
        """End all turns under way as ``skipped``."""
        for debater, task in self._tasks.items():
            self._turns[debater].cut_short_as = "skipped"
            task.cancel()

    def close(self) -> None:
        """End all turns under way, for good."""
        self._closed = True
        for task in self._tasks.values():
            task.cancel()


def _in_full(fault: Fault) -> str:
    """A fault for whoever has to mend it: what kind it is, what the other side said, and what to do."""
    kind = fault.kind.replace("_", " ") + (f" ({fault.status})" if fault.status else "")
    return " ".join(filter(None, (f"{kind}: {fault.message}", fault.hint)))
