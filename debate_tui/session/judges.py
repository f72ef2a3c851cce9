"""The judges: their stances before the debate, their verdicts after it, and the report on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import structs

from debate_tui.domain import events
from debate_tui.domain.briefs import build_brief, public_record
from debate_tui.domain.debate import VERDICT_PHASE, Round
from debate_tui.domain.judging.prompt import (
    build_judge_prompt,
    build_reading_orders,
    build_stance_prompt,
)
from debate_tui.domain.judging.reply import parse_judge_reply, parse_stance
from debate_tui.domain.judging.scoring import (
    combine_readings,
    count_borda,
    find_agreement,
    parse_answer,
    parse_ranking,
    resolve_letters,
)
from debate_tui.domain.material import material_for
from debate_tui.domain.prompts import assign_letters
from debate_tui.domain.report import build_report_prompt, parse_report
from debate_tui.domain.stream import Chunk, Fault, Finished, Superseded, TurnRequest, Usage, UsageUpdate
from debate_tui.domain.wording import count_of
from debate_tui.session.turn import unknown_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.briefs import DebateSpec
    from debate_tui.domain.debate import ParameterValue
    from debate_tui.domain.judging.prompt import ReadingOrder
    from debate_tui.domain.judging.reply import JudgeReading
    from debate_tui.domain.quotes import QuoteChecker
    from debate_tui.domain.stream import Message, Source
    from debate_tui.domain.transcript import Transcript, Turn
    from debate_tui.session.turn import CostFunction


MAX_ANSWER_TRIES = 2
"""How often a judge is asked before an unusable answer counts as no answer."""

_UNREADABLE = "its answer could not be read"


@dataclass(frozen=True)
class Judge:
    """A judge: the name of its source, and the guarded source.

    `parameters` are those of its model, as they may be recorded.
    """

    name: str
    source: Source
    cost: CostFunction = unknown_cost
    parameters: dict[str, ParameterValue] = field(default_factory=dict)


class _JudgeRun:
    """A judge at work: its cost so far, and its stance before the debate."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.usage: Usage | None = None
        self._stated_costs: list[float | None] = []
        self.stance_before: int | None = None

    async def ask(self, topic: str, messages: tuple[Message, ...]) -> str:
        """Return the judge's whole answer; raise `Fault` if recovery gives up."""
        request = TurnRequest(topic=topic, phase=VERDICT_PHASE, turn=0, messages=messages)
        parts: list[str] = []
        usage: Usage | None = None
        stated_cost: float | None = None
        try:
            async with self.judge.source.open(request) as stream:
                async for item in stream:
                    match item:
                        case Chunk(reasoning=False):
                            parts.append(item.text)
                        case Superseded():
                            parts.clear()
                        case UsageUpdate():
                            usage = item.usage
                        case Finished():
                            usage, stated_cost = item.usage or usage, item.cost
        finally:  # an interrupted answer is charged too
            self.usage = self.usage + usage if self.usage and usage else self.usage or usage
            self._stated_costs.append(stated_cost)
        return "".join(parts)

    @property
    def cost(self) -> float | None:
        """The cost of all answers in US dollars, `None` if unknown.

        This is what the server reports, if it does for each of them, otherwise computed from prices.
        """
        stated = [cost for cost in self._stated_costs if cost is not None]
        if stated and len(stated) == len(self._stated_costs):
            return sum(stated)
        return self.judge.cost(self.usage) if self.usage else None


class JudgePanel:
    """The judges of one debate, and `reporter`, the one of them who reports on it, if any.

    What `record` has already is not asked for again: judges with a verdict are left out, and so is the
    reporter if there is a report.
    """

    def __init__(
        self,
        judges: Sequence[Judge],
        spec: DebateSpec,
        *,
        reporter: Judge | None = None,
        record: Transcript | None = None,
    ) -> None:
        self._spec = spec
        self._reporter = reporter if record is None or record.report is None else None
        recorded_verdicts = Counter(verdict.judge for verdict in record.verdicts) if record else Counter()
        self._runs: list[_JudgeRun] = []
        for judge in judges:
            if recorded_verdicts[judge.name]:
                recorded_verdicts[judge.name] -= 1
            else:
                self._runs.append(_JudgeRun(judge))

    def __bool__(self) -> bool:
        """Return whether any judge is left to ask for a verdict or a report."""
        return bool(self._runs) or self._reporter is not None

    async def ask_stances(self) -> None:
        """Ask every judge for its stance before the debate; a judge that gives none still judges."""
        async with asyncio.TaskGroup() as group:
            for asked in self._runs:
                group.create_task(self._ask_stance(asked))

    async def read(
        self, transcript: Transcript, checker: QuoteChecker, append: Callable[[events.Event], object]
    ) -> None:
        """Let every judge read the debate; append each verdict as it arrives, and then the report."""
        entries, rounds = public_record(self._spec, transcript)
        reading_orders = build_reading_orders(self._spec.format, entries, rounds)
        async with asyncio.TaskGroup() as group:
            for asked in self._runs:
                group.create_task(self._collect_verdict(asked, reading_orders, checker.check_text, append))
        if self._reporter is not None:
            append(await self._write_report(self._reporter, reading_orders[0], transcript, checker))

    async def judge_finished(
        self, transcript: Transcript, checker: QuoteChecker, append: Callable[[events.Event], object]
    ) -> None:
        """Let the judges read a finished debate; however this ends, its last event stays its end.

        The judges give their stance first, without having read the debate.
        """
        end = transcript.end
        try:
            await self.ask_stances()
            await self.read(transcript, checker, append)
        finally:
            if end is not None:
                append(end)

    async def _ask_stance(self, run: _JudgeRun) -> None:
        try:
            answer = await run.ask(self._spec.topic, build_stance_prompt(self._spec.topic))
        except Fault:
            return
        run.stance_before = parse_stance(answer)

    async def _collect_verdict(
        self,
        run: _JudgeRun,
        reading_orders: Sequence[ReadingOrder],
        check_quotes: Callable[[str], tuple[events.Quote, ...]],
        append: Callable[[events.Event], object],
    ) -> None:
        readings: list[JudgeReading | None] = []
        problem = _UNREADABLE
        try:
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(self._request_reading(run, case)) for case in reading_orders]
            readings = [task.result() for task in reading]
        except* Fault as faults:
            problem = str(faults.exceptions[0])
        judge, opinion = run.judge, combine_readings(readings, len(reading_orders))
        verdict = events.Verdict(
            judge=judge.name,
            model=judge.source.model,
            winner=None,
            agreed=False,
            controlled=False,
            stance_before=run.stance_before,
            problem=problem,
            usage=run.usage,
            cost=run.cost,
            parameters=judge.parameters,
        )
        if opinion is not None:
            usable = next(reading for reading in readings if reading is not None)
            verdict = structs.replace(
                verdict,
                winner=opinion.winner,
                agreed=opinion.agreed,
                controlled=opinion.controlled,
                scores=dict(opinion.scores),
                marks=usable.marks,
                why=usable.why,
                quotes=check_quotes(usable.why),
                stance_after=opinion.stance,
                problem="",
            )
        append(verdict)

    async def _write_report(
        self,
        reporter: Judge,
        reading_order: ReadingOrder,
        transcript: Transcript,
        checker: QuoteChecker,
    ) -> events.Report:
        """Return the report, or one that says why there is none."""
        run, report, problem = _JudgeRun(reporter), None, _UNREADABLE
        messages = build_report_prompt(
            self._spec.topic,
            self._spec.format,
            reading_order,
            transcript.verdicts,
            material_for(self._spec.material),
        )
        try:
            for _ in range(MAX_ANSWER_TRIES):
                answer = await run.ask(self._spec.topic, messages)
                report = parse_report(answer, reading_order, checker.is_said)
                if report is not None:
                    break
        except Fault as fault:
            problem = str(fault)
        return structs.replace(
            report or events.Report(judge="", model="", problem=problem),
            judge=reporter.name,
            model=reporter.source.model,
            usage=run.usage,
            cost=run.cost,
            parameters=reporter.parameters,
        )

    async def _request_reading(self, run: _JudgeRun, reading_order: ReadingOrder) -> JudgeReading | None:
        spec = self._spec
        messages = build_judge_prompt(spec.topic, spec.format, reading_order, material_for(spec.material))
        for _ in range(MAX_ANSWER_TRIES):
            reading = parse_judge_reply(await run.ask(self._spec.topic, messages), reading_order)
            if reading is not None:
                return reading
        return None


# Outcomes decided by the debaters: consensus or ranking


DEBATERS_AS_JUDGE = "the debaters"
"""The name of the judge if the debaters themselves decided."""


def debaters_verdict(spec: DebateSpec, transcript: Transcript) -> events.Verdict | None:
    """Return the verdict of the debaters, if the format lets them decide; otherwise `None`."""
    match spec.format.outcome:
        case "consensus":
            return _consensus_verdict(transcript)
        case "ranking":
            return _ranking_verdict(spec, transcript)
        case _:
            return None


def _consensus_verdict(transcript: Transcript) -> events.Verdict | None:
    """Return a verdict on whether all agree at the end, with each debater's first and last answer."""
    turns_by_debater: dict[str, list[Turn]] = {}
    for _, turn in sorted(transcript.turns.items()):
        if turn.debater in transcript.active_debaters and turn.text.strip():
            turns_by_debater.setdefault(turn.debater, []).append(turn)
    if not turns_by_debater:
        return None
    answer = find_agreement(turns[-1].text for turns in turns_by_debater.values())
    lines = [f"All agree: {answer}." if answer else "No agreement."]
    for heading, place in (("First answers:", 0), ("Final answers:", -1)):
        lines.append(heading)
        lines += [
            f"{transcript.debaters[debater].name}: {_format_position(turns[place])}"
            for debater, turns in turns_by_debater.items()
        ]
    return events.Verdict(
        judge=DEBATERS_AS_JUDGE,
        model="",
        winner=None,
        agreed=answer is not None,
        controlled=True,
        why="\n".join(lines),
    )


def _format_position(turn: Turn) -> str:
    position = parse_answer(turn.text)
    if position is None:
        return "no answer given"
    sure = "" if position.confidence is None else f" ({position.confidence} % sure)"
    return f"{position.answer}{sure}"


def _ranking_verdict(spec: DebateSpec, transcript: Transcript) -> events.Verdict | None:
    """Return a verdict from all ballots by Borda's rule; incomplete ballots are not counted."""
    ballots = list(_first_ballots(spec, transcript).values())
    if not ballots:
        return None
    standings = count_borda(ballots, sorted(ballots[0]))
    best = standings[0]
    tied = len(standings) > 1 and (standings[1].points, standings[1].firsts) == (best.points, best.firsts)
    names = {debater.id: debater.name for debater in spec.debaters}
    why = ", ".join(f"{names[each.candidate]} {each.points}" for each in standings)
    return events.Verdict(
        judge=DEBATERS_AS_JUDGE,
        model="",
        winner=None if tied else best.candidate,
        agreed=len({ballot[0] for ballot in ballots}) == 1,
        controlled=True,
        scores={each.candidate: float(each.points) for each in standings},
        why=f"Points from {count_of(len(ballots), 'ballot')}: {why}.",
    )


def _first_ballots(spec: DebateSpec, transcript: Transcript) -> dict[str, tuple[str, ...]]:
    """Return each debater's first valid ballot, with ids in place of letters."""
    ballots: dict[str, tuple[str, ...]] = {}
    phases = {phase.name: phase for phase in spec.format.phases}
    debaters = {debater.id: debater for debater in spec.debaters}
    ids = {debater.name: debater.id for debater in spec.debaters}
    for number, turn in sorted(transcript.turns.items()):
        phase = phases.get(turn.phase)
        if phase is None or not phase.anonymous:
            continue
        turn_brief = build_brief(
            spec, transcript, debaters[turn.debater], Round(phase, turn.round, phase.rounds), number
        )
        letters = {letter: ids[speech.name] for letter, speech in assign_letters(turn_brief)}
        if labels := parse_ranking(turn.text, sorted(letters)):
            ballots.setdefault(turn.debater, resolve_letters(labels, letters))
    return ballots
