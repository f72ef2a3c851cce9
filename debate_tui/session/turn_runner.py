"""The turns that run at the same time, and the commands that apply to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.stream import Chunk, Fault, FaultReport, Source
from debate_tui.domain.wording import describe_fault_kind
from debate_tui.resilience.backoff import FaultAction, fault_action
from debate_tui.session.turn import PricedSource, RunningTurn, TurnState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.domain.quotes import QuoteCheck
    from debate_tui.domain.stream import TurnRequest
    from debate_tui.domain.transcript import Transcript
    from debate_tui.record.log import DebateLog
    from debate_tui.session.commands import FaultDecision
    from debate_tui.session.rounds import Backpressure, Roster

RecoveryWrapper = Callable[[str, Source, Callable[[], bool]], Source]
"""A function that wraps a debater's source in recovery; its last argument says if reading is paused."""

# Pauses of one debater or of the whole debate


class PauseGate:
    """A gate for a reader, closed while there is at least one reason to wait."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._opened = asyncio.Event()
        self._opened.set()

    def is_closed(self) -> bool:
        """Return whether there is a reason to wait."""
        return bool(self._reasons)

    def close(self, reason: str) -> None:
        """Close the gate for this reason."""
        self._reasons.add(reason)
        self._opened.clear()

    def open(self, reason: str) -> None:
        """Remove one reason; the gate opens when none is left."""
        self._reasons.discard(reason)
        if not self._reasons:
            self._opened.set()

    async def wait_until_open(self) -> None:
        """Wait until the gate is open."""
        await self._opened.wait()


# Delay reads briefly: a wake-up for every token is the largest cost


MIN_WAIT_S = 0.0002
"""A chunk that took longer than this to arrive, in seconds, was waited for: no more data is ready."""

MAX_CHUNKS_BETWEEN_DELAYS = 150
"""Chunks between two delays above which the sender counts as faster than the reader."""

FAST_SENDER_HOLDOFF_S = 1.0
"""How long no further delay is made after that, in seconds."""


class ReadCoalescer:
    """The delays during which a reader leaves its socket alone; one instance per stream.

    Never before the second chunk, at most half of the time, and not while the sender is fast: a reader that
    may be lagging continues at once. All times are in seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._chunks = 0
        self._no_delay_until = float("-inf")

    def next_delay(self, waited: float, now: float, read_delay: float) -> float:
        """Return how long to pause after a chunk that took `waited` to arrive; 0 means no pause."""
        self._chunks += 1
        if waited < MIN_WAIT_S or not read_delay or now < self._no_delay_until:
            return 0.0
        sender_is_fast, self._chunks = self._chunks > MAX_CHUNKS_BETWEEN_DELAYS, 0
        self._no_delay_until = now + (FAST_SENDER_HOLDOFF_S if sender_is_fast else 2 * read_delay)
        return 0.0 if sender_is_fast else read_delay


PAUSED_WITH_ALL, PAUSED_ALONE = "all", "own"
"""Reasons why a debater is paused: with all others, or alone."""


class TurnRunner:
    """The debaters' sources and their running turns.

    A fault that only the user can fix (a wrong key, an empty account) pauses all debaters until `decide` is
    called; an `unattended` debate ends instead. `end_debate` ends the debate, with that fault or `None`.
    """

    def __init__(
        self,
        sources: Mapping[str, PricedSource],
        log: DebateLog,
        transcript: Transcript,
        roster: Roster,
        *,
        with_recovery: RecoveryWrapper,
        backpressure: Backpressure,
        unattended: bool,
        end_debate: Callable[[Fault | None], None],
    ) -> None:
        self._log = log
        self._transcript = transcript
        self._roster = roster
        self._with_recovery = with_recovery
        self._backpressure = backpressure
        self._unattended = unattended
        self._end_debate = end_debate
        self._gates = {debater: PauseGate() for debater in roster.all_ids}
        self._sources: dict[str, PricedSource] = {}
        for debater in roster.all_ids:
            self.replace_source(debater, sources[debater])
        self._turns: dict[str, RunningTurn] = {}
        self._wave: asyncio.TaskGroup | None = None
        self._decisions: dict[str, asyncio.Future[FaultDecision]] = {}
        self._closed = False

    def model_of(self, debater: str) -> str:
        """Return the name of the model that speaks for the debater."""
        return self._sources[debater].source.model

    @property
    def interrupted_turns(self) -> tuple[int, ...]:
        """The turns that were stopped only because the debate ended."""
        turns = self._turns.values()
        return tuple(turn.request.turn for turn in turns if turn.state is TurnState.INTERRUPTED)

    # Turns

    def create_turn(
        self, debater: str, request: TurnRequest, check_quotes: QuoteCheck | None = None
    ) -> RunningTurn:
        """Create the debater's next turn, or continue the one of that number if it was interrupted."""
        cost = self._sources[debater].cost
        turn = self._turns[debater] = RunningTurn(
            debater, request, self._log, self._transcript, cost, check_quotes
        )
        if self._gates[debater].is_closed():
            turn.hold()
        return turn

    async def run_turns(self, turns: Sequence[RunningTurn]) -> None:
        """Run these turns to their ends, all at the same time."""
        async with asyncio.TaskGroup() as self._wave:
            for turn in turns:
                self._start_task(turn, self._wave)
        self._wave = None
        for turn in turns:
            turn.finish_cancelled()  # a task cancelled before its first step has not finished its turn

    def _start_task(self, turn: RunningTurn, wave: asyncio.TaskGroup) -> None:
        turn.task = wave.create_task(self._run_turn(turn))
        turn.task.add_done_callback(self._on_task_done)

    def _on_task_done(self, _: asyncio.Task[None]) -> None:
        """Close the group after its last turn: a finished task group takes no new task."""
        if all(turn.task is None or turn.task.done() for turn in self._turns.values()):
            self._wave = None

    async def _run_turn(self, turn: RunningTurn) -> None:
        while not turn.finished:
            try:
                await self._try_stream(turn)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.uncancel() or self._closed or turn.state is not TurnState.RETRYING:
                    turn.finish_cancelled()
                    raise
                turn.restart()

    async def _try_stream(self, turn: RunningTurn) -> None:
        try:
            await self._read_stream(turn)
        except Fault as fault:
            await self._handle_fault(turn, fault)

    async def _read_stream(self, turn: RunningTurn) -> None:
        gate, pressure, clock = self._gates[turn.debater], self._backpressure, time.monotonic
        source = self._sources[turn.debater].source
        await gate.wait_until_open()
        async with source.open(turn.request, turn.start_stream(source)) as stream:
            coalescer, last_read_at = ReadCoalescer(), clock()
            async for item in stream:
                now = clock()
                waited = now - last_read_at
                if gate.is_closed():
                    await gate.wait_until_open()
                turn.handle_item(item)
                if turn.finished:
                    return
                if not pressure.has_room(turn.debater):
                    await pressure.wait_for_room(turn.debater)
                elif type(item) is Chunk and (
                    delay := coalescer.next_delay(waited, now, pressure.read_delay)
                ):
                    await asyncio.sleep(delay)
                last_read_at = clock()

    # Faults that recovery could not fix

    async def _handle_fault(self, turn: RunningTurn, fault: Fault) -> None:
        match fault_action(fault):
            case FaultAction.REFUSED:
                turn.finish("refused", fault)
            case FaultAction.PAUSE_ALL if self._unattended:
                self._fail_and_remove(turn, fault)
                self._end_debate(fault)
            case FaultAction.PAUSE_ALL:
                await self._wait_for_decision(turn, fault)
            case _:
                self._fail_and_remove(turn, fault)

    async def _wait_for_decision(self, turn: RunningTurn, fault: Fault) -> None:
        debater, reason = turn.debater, f"{fault.kind} of {turn.debater}"
        turn.log_state("failed", fault)
        self._log.append(events.DebatePaused(reason=_describe_fault(fault), debater=debater))
        for name in self._gates:
            self._close_gate(name, reason)
        decision = self._decisions[debater] = asyncio.get_running_loop().create_future()
        try:
            choice = await decision
        finally:
            del self._decisions[debater]
            for name in self._gates:
                self._open_gate(name, reason)
            self._log.append(events.DebateResumed(reason="decided", debater=debater))
        if choice in ("remove", "end"):
            self._fail_and_remove(turn, fault)
        if choice == "end":
            self._end_debate(None)

    def _fail_and_remove(self, turn: RunningTurn, fault: Fault) -> None:
        """Fail the turn and continue without its debater."""
        turn.finish("failed", fault)
        self._roster.remove(turn.debater, fault.message)

    # Commands: see `session.commands`

    def pause(self, debater: str | None) -> None:
        """Pause reading from one debater, or from all, and log it."""
        self._log.append(events.DebatePaused(reason="user", debater=debater))
        for name in self._gates if debater is None else (debater,):
            self._close_gate(name, PAUSED_WITH_ALL if debater is None else PAUSED_ALONE)
            if (turn := self._turns.get(name)) is not None:
                turn.log_pause()

    def resume(self, debater: str | None) -> None:
        """Resume reading and log it; a named debater resumes whatever paused it."""
        self._log.append(events.DebateResumed(reason="user", debater=debater))
        for name in self._gates if debater is None else (debater,):
            self._open_gate(name, PAUSED_WITH_ALL)
            if debater is not None:
                self._open_gate(name, PAUSED_ALONE)
            if not self._gates[name].is_closed() and (turn := self._turns.get(name)) is not None:
                turn.log_unpause()

    def _close_gate(self, debater: str, reason: str) -> None:
        self._gates[debater].close(reason)
        if (turn := self._turns.get(debater)) is not None:
            turn.hold()

    def _open_gate(self, debater: str, reason: str) -> None:
        self._gates[debater].open(reason)
        if not self._gates[debater].is_closed() and (turn := self._turns.get(debater)) is not None:
            turn.release()

    def stop(self, debater: str) -> None:
        """Stop the debater's current turn."""
        if (turn := self._turns.get(debater)) is not None:
            turn.stop()

    def retry(self, debater: str) -> None:
        """Run the debater's turn again, while its group is still running."""
        turn, wave = self._turns.get(debater), self._wave
        if turn is None or turn.task is None or wave is None or self._closed:
            return
        if self._gates[debater].is_closed():
            self.resume(debater)
        if debater in self._decisions:
            self.decide(debater, "fix")
        elif turn.task.done():
            self._roster.reinstate(debater)
            turn.restart()
            self._start_task(turn, wave)
        else:
            turn.retry()

    def replace_source(self, debater: str, source: PricedSource) -> None:
        """Use this source for the debater from its next connection on."""
        guarded = self._with_recovery(debater, source.source, self._gates[debater].is_closed)
        self._sources[debater] = PricedSource(guarded, source.cost)

    def decide(self, debater: str, choice: FaultDecision) -> None:
        """Decide what to do about a debater whose fault paused the debate."""
        decision = self._decisions.get(debater)
        if decision is not None and not decision.done():
            decision.set_result(choice)

    def skip_turns(self) -> None:
        """End all running turns as ``skipped``."""
        for turn in self._turns.values():
            turn.skip()

    def close(self) -> None:
        """End all running turns and allow no retry."""
        self._closed = True
        for turn in self._turns.values():
            if turn.task is not None:
                turn.task.cancel()


def _describe_fault(fault: Fault) -> str:
    """Describe a fault for the user who must fix it: its cause, the server's message, and a hint."""
    cause = describe_fault_kind(FaultReport(fault.kind, fault.message, fault.status))
    status = f" ({fault.status})" if fault.status else ""
    is_named = fault.message.casefold().startswith(cause)  # so it is in a blind debate
    message = fault.message if is_named else f"{cause[0].upper()}{cause[1:]}{status}: {fault.message}"
    return " ".join(filter(None, (message, fault.hint)))
