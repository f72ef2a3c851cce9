"""The course of a debate: its rounds and turns, its verdict, and the moderator's commands."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Literal, assert_never

from debate_tui import __version__
from debate_tui.domain import events, prompts
from debate_tui.domain.briefs import build_brief
from debate_tui.domain.debate import VERDICT_PHASE, format_hash, iter_rounds, speaking_groups
from debate_tui.domain.judging.scoring import find_agreement
from debate_tui.domain.judging.votes import LOCAL_VOTER
from debate_tui.domain.progress import compute_progress
from debate_tui.domain.stream import TurnRequest
from debate_tui.domain.text import MAX_CHECKED_LENGTH, has_quotation_marks
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.usage import compute_costs
from debate_tui.domain.wording import format_money
from debate_tui.session import commands
from debate_tui.session.judges import DEBATERS_AS_JUDGE, JudgePanel, debaters_verdict
from debate_tui.session.rounds import NoBackpressure, Roster, RoundQueue
from debate_tui.session.turn_runner import TurnRunner

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from debate_tui.domain.briefs import DebateSpec
    from debate_tui.domain.debate import Debater, ParameterValue, Round
    from debate_tui.domain.quotes import QuoteChecker
    from debate_tui.domain.stream import Fault
    from debate_tui.domain.transcript import Turn
    from debate_tui.record.log import DebateLog
    from debate_tui.session.judges import Judge
    from debate_tui.session.rounds import Backpressure
    from debate_tui.session.turn import PricedSource, RunningTurn
    from debate_tui.session.turn_runner import RecoveryWrapper

DebateEndReason = Literal["complete", "stopped", "failed"]


class Session:
    """A running debate, recorded in its log.

    Commands may come at any time from the session's event loop; one that does not apply at the moment does
    nothing. A fault that only the user can fix (a wrong key, an empty account) pauses the debate until the
    command `Decide` comes. An `unattended` session ends instead, and `fatal_fault` says why.

    `past_events` are the events of an interrupted debate that `log` continues to record: the session
    completes the current round, including turns cut mid-word, and runs the remaining rounds.
    """

    def __init__(
        self,
        spec: DebateSpec,
        sources: Mapping[str, PricedSource],
        log: DebateLog,
        *,
        with_recovery: RecoveryWrapper,
        backpressure: Backpressure | None = None,
        unattended: bool = False,
        judges: Sequence[Judge] = (),
        reporter: Judge | None = None,
        past_events: Iterable[events.Event] = (),
    ) -> None:
        self.spec = spec
        self.transcript = Transcript(past_events)
        self.fatal_fault: Fault | None = None
        self._log = log
        self._roster = Roster(spec, self.transcript, log)
        self._turn_runner = TurnRunner(
            sources,
            log,
            self.transcript,
            self._roster,
            with_recovery=with_recovery,
            backpressure=backpressure or NoBackpressure(),
            unattended=unattended,
            end_debate=self._end_debate,
        )
        self._round_queue = RoundQueue(iter_rounds(spec.format))
        self._judge_panel = JudgePanel(judges, spec, reporter=reporter, record=self.transcript)
        self._judge_task: asyncio.Task[None] | None = None
        self._is_ending = False
        self._unattended = unattended
        self._waits_between_rounds = spec.step
        self._next_round = asyncio.Event()
        log.subscribe(self.transcript.apply)

    @cached_property
    def _quote_checker(self) -> QuoteChecker:
        from debate_tui.domain.quotes import QuoteChecker  # start-up does not need it

        return QuoteChecker(self.spec.material, self.transcript)

    def _check_quotes(self, turn: Turn, citations: int) -> tuple[events.Quote, ...]:
        if not has_quotation_marks(turn.start_of_text(MAX_CHECKED_LENGTH)):
            return ()
        return self._quote_checker.check_turn(turn, citations)

    # The course of the debate

    async def run(self) -> None:
        """Run the debate to its end; the last event of the log always says how it ended."""
        end_reason: DebateEndReason = "failed"
        try:
            async with asyncio.TaskGroup() as group:
                self._judge_task = group.create_task(self._judge_panel.ask_stances())
                if self.spec.material:
                    group.create_task(asyncio.to_thread(self._quote_checker.prepare))
                await self._run_rounds()
                end_reason = self._end_reason()
                if end_reason == "complete":
                    await self._settle_outcome(self._judge_task)
                    self._judge_task = group.create_task(self._run_judges())
                else:
                    self._judge_task.cancel()
            if end_reason == "complete" and self._is_ending:
                end_reason = "stopped"  # before all judges had finished
        except asyncio.CancelledError:
            end_reason = "stopped"
            raise
        finally:
            if end_reason != "stopped" and (self._unattended or self._user_has_voted):
                self._roster.reveal()
            self._log.append(
                events.DebateFinished(reason=end_reason, cut=self._turn_runner.interrupted_turns)
            )

    async def _settle_outcome(self, stances_task: asyncio.Task[None]) -> None:
        """Log the debaters' own verdict, if any, and wait until all judges have given their stance."""
        has_verdict = any(verdict.judge == DEBATERS_AS_JUDGE for verdict in self.transcript.verdicts)
        if not has_verdict and (verdict := debaters_verdict(self.spec, self.transcript)) is not None:
            self._log.append(verdict)
        await asyncio.wait([stances_task])

    async def judge(self, judges: Sequence[Judge], reporter: Judge | None = None) -> None:
        """Let other judges read the debate after its end, and one of them report on it."""
        panel = JudgePanel(judges, self.spec, reporter=reporter)
        await panel.judge_finished(self.transcript, self._quote_checker, self._log.append)

    async def _run_judges(self) -> None:
        if self._is_ending or not self._judge_panel:
            return
        self._log.append(events.PhaseStarted(phase=VERDICT_PHASE, round=1, rounds=1))
        await self._judge_panel.read(self.transcript, self._quote_checker, self._log.append)

    async def _run_rounds(self) -> None:
        if self.transcript.debaters:
            await self._resume_open_round()
        else:
            self._log_debate_start()
        for round_ in self._round_queue:
            if self._should_end or self._end_at_limit():
                break
            phase = round_.phase
            self._log.append(
                events.PhaseStarted(
                    phase=phase.name, round=round_.number, rounds=round_.total, words=phase.words
                )
            )
            await self._run_round(round_)
            if self._reached_agreement(round_):
                self._round_queue.skip_phase()
            await self._wait_for_next_round()

    async def _wait_for_next_round(self) -> None:
        """Wait until the debate is resumed, if it waits between rounds and another one follows."""
        if not (self._waits_between_rounds and self._round_queue):
            return
        if self._should_end or self._end_at_limit():
            return
        self._next_round.clear()
        self._log.append(events.DebatePaused(reason=events.STEP_PAUSE, debater=None))
        await self._next_round.wait()

    @property
    def _is_between_rounds(self) -> bool:
        """Whether the debate waits for the command to start the next round."""
        pause = self.transcript.pause
        return pause is not None and pause.reason == events.STEP_PAUSE

    def _log_debate_start(self) -> None:
        spec = self.spec
        self._log.append(
            events.DebateStarted(
                debate=spec.debate,
                topic=spec.topic,
                format=spec.format.name,
                debaters=tuple(
                    events.DebaterInfo(
                        d.id, d.name, d.side, d.source, self._turn_runner.model_of(d.id), d.parameters
                    )
                    for d in spec.debaters
                ),
                outcome=spec.format.outcome,
                prices="" if spec.hidden else spec.prices,
                version=__version__,
                format_hash=format_hash(spec.format),
                material=tuple(each.info for each in spec.material),
                blind=bool(spec.hidden),
            )
        )
        for debater in self._roster.all_ids:
            self._log.append(events.StreamStatus(debater=debater, state="waiting", attempt=1))

    async def _resume_open_round(self) -> None:
        """Complete the round that was running when the debate was interrupted."""
        remaining = compute_progress(self.transcript, self.spec.format, self.spec.debaters)
        self._round_queue = RoundQueue(remaining.remaining_rounds)
        self._log.append(events.DebateResumed(reason="continued", debater=None))
        if remaining.round is not None:
            interrupted_turns = {
                self.transcript.turns[number].debater: number for number in remaining.open_turns
            }
            await self._run_round(
                remaining.round,
                only_debaters={*interrupted_turns, *remaining.pending_speakers},
                interrupted_turns=interrupted_turns,
            )
            await self._wait_for_next_round()

    def _reached_agreement(self, round_: Round) -> bool:
        """Return whether the round ends its phase because all its speakers gave the same answer."""
        if round_.phase.stop_when != "agreement":
            return False
        step = len(self.transcript.steps)
        answers = (turn.text for turn in self.transcript.turns.values() if turn.step == step)
        return find_agreement(answers) is not None

    @property
    def _should_end(self) -> bool:
        return self._is_ending or not self._roster.has_enough_debaters

    def _end_reason(self) -> DebateEndReason:
        if self._is_ending:
            return "failed" if self.fatal_fault else "stopped"
        has_complete_turn = any(turn.reason == "complete" for turn in self.transcript.turns.values())
        return "complete" if has_complete_turn else "failed"

    async def _run_round(
        self,
        round_: Round,
        *,
        only_debaters: Container[str] = (),
        interrupted_turns: Mapping[str, int] | None = None,
    ) -> None:
        """Run a round, one group of speakers after another.

        `only_debaters` limits the round to these ids, if not empty; `interrupted_turns` has the number of
        the turn to resume for some of them.
        """
        numbers = interrupted_turns or {}
        for wave in speaking_groups(round_, self.spec.debaters):
            if self._should_end or self._end_at_limit():
                return
            speakers = [
                d for d in wave if d.id in self._roster and (not only_debaters or d.id in only_debaters)
            ]
            await self._turn_runner.run_turns(
                [self._prepare_turn(debater, round_, numbers.get(debater.id)) for debater in speakers]
            )

    def _end_at_limit(self) -> bool:
        """Return whether a limit forbids another turn; if so, log that once and end the debate."""
        spec, total = self.spec, compute_costs(self.transcript).total
        tokens, cost = total.tokens or 0, total.cost or 0.0
        if spec.max_tokens is not None and tokens >= spec.max_tokens:
            spent = f"{tokens:,} tokens are used; the limit is {spec.max_tokens:,}"
        elif spec.max_cost is not None and cost >= spec.max_cost:
            spent = f"{format_money(cost)} is spent; the limit is {format_money(spec.max_cost)}"
        else:
            return False
        if not self._is_ending:
            self._is_ending = True
            self._log.append(events.DebatePaused(reason=f"{spent}. No further turn starts.", debater=None))
        return True

    def _prepare_turn(self, debater: Debater, round_: Round, interrupted_turn: int | None) -> RunningTurn:
        number = interrupted_turn or max(self.transcript.turns, default=0) + 1
        request = TurnRequest(
            topic=self.spec.topic,
            phase=round_.phase.name,
            turn=number,
            messages=prompts.build_messages(build_brief(self.spec, self.transcript, debater, round_, number)),
        )
        return self._turn_runner.create_turn(debater.id, request, self._check_quotes)

    # Commands

    def handle(self, command: commands.Command) -> None:  # noqa: C901 (one case per command)
        """Carry out a command; after the end of the debate, those listed first still have an effect."""
        after_end = commands.CastVote | commands.Reveal | commands.EndDebate
        if self._end_logged and not isinstance(command, after_end):
            return
        match command:
            case commands.Pause():
                self._turn_runner.pause(command.debater)
            case commands.Resume():
                self._resume(command.debater)
            case commands.StopTurn():
                self._turn_runner.stop(command.debater)
            case commands.Retry():
                self._turn_runner.retry(command.debater)
            case commands.Decide():
                self._turn_runner.decide(command.debater, command.choice)
            case commands.Interject():
                self._log.append(events.Interjection(text=command.text, to=command.to))
            case commands.CastVote():
                self._log_vote(command)
            case commands.Reveal():
                if self.transcript.finish_reason in ("complete", "failed"):
                    self._reveal_after_end()
            case commands.AddRound():
                self._round_queue.add_round()
            case commands.SkipPhase():
                self._round_queue.skip_phase()
                self._turn_runner.skip_turns()
            case commands.SetWords():
                self._round_queue.set_words(command.words)
            case commands.WaitBetweenRounds():
                self._waits_between_rounds = command.on
                if self._is_between_rounds and not command.on:
                    self._resume(None)
            case commands.EndDebate():
                self._end_debate(None)
            case _:
                assert_never(command)

    def _resume(self, debater: str | None) -> None:
        """Resume reading; between two rounds, start the next one for all of them."""
        self._turn_runner.resume(None if self._is_between_rounds else debater)
        self._next_round.set()

    def _log_vote(self, vote: commands.CastVote) -> None:
        """Log a vote.

        After a vote in a finished debate the end is logged again: the last event always says how the debate
        ended. The user's own vote after the debate ends a blind debate's masking.
        """
        self._log.append(events.Vote(when=vote.when, voter=vote.voter, debater=vote.debater, side=vote.side))
        if self.transcript.end is not None:
            if self._user_has_voted:
                self._roster.reveal()
            self._log.append(self.transcript.end)

    def _reveal_after_end(self) -> None:
        if self.transcript.is_blind and self.transcript.end is not None:
            self._roster.reveal()
            self._log.append(self.transcript.end)

    @property
    def _user_has_voted(self) -> bool:
        """Whether the user of the debate's own screen has voted after the debate."""
        return any(vote.when == "after" and vote.voter == LOCAL_VOTER for vote in self.transcript.votes)

    def replace(
        self,
        debater: str,
        source: PricedSource,
        source_text: str,
        parameters: Mapping[str, ParameterValue] | None = None,
    ) -> None:
        """Switch the debater to another source from its next connection on.

        `source_text` is the specification of the source as typed. `parameters` are those of its model, as
        they may be recorded.
        """
        if not self._end_logged:
            self._turn_runner.replace_source(debater, source)
            model = source.source.model
            self._roster.log_replacement(debater, source_text, model, dict(parameters or {}))

    def _end_debate(self, fault: Fault | None) -> None:
        self._is_ending = True
        self.fatal_fault = fault or self.fatal_fault
        self._turn_runner.close()
        self._next_round.set()
        if self._judge_task is not None:
            self._judge_task.cancel()

    @property
    def _end_logged(self) -> bool:
        """Whether the end of the debate is logged."""
        return self.transcript.finish_reason is not None
