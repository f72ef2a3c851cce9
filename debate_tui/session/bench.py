"""The judges: asked where they stand before the debate, and to read it in every order after it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from debate_tui.domain import events
from debate_tui.domain.debate import VERDICT
from debate_tui.domain.judging import Entry, hearings, opinion, question, read, read_stance, stance_question
from debate_tui.domain.prompts import Speech
from debate_tui.domain.stream import Chunk, Fault, Finished, Request, Superseded, Usage, UsageSoFar
from debate_tui.session.hearing import PUBLIC_ENDINGS
from debate_tui.session.turn import unknown_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.judging import Hearing, Reading
    from debate_tui.domain.stream import Message, Source
    from debate_tui.domain.transcript import Transcript
    from debate_tui.session.motion import Motion
    from debate_tui.session.turn import Cost

CHANCES = 2
"""How often a judge is asked before an unusable answer counts as none."""


@dataclass(frozen=True)
class Judge:
    """Who judges: an id of its own (``j1``), what its source is called, and the guarded source."""

    id: str
    name: str
    source: Source
    cost: Cost = unknown_cost


class _Asked:
    """A judge while it works: what it has cost so far, and where it stood."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.usage: Usage | None = None
        self.before: int | None = None

    async def ask(self, topic: str, messages: tuple[Message, ...]) -> str:
        """The judge's whole answer; raises `Fault` where recovery gives up."""
        request = Request(topic=topic, phase=VERDICT, turn=0, messages=messages)
        answer: list[str] = []
        usage: Usage | None = None
        try:
            async with self.judge.source.open(request) as stream:
                async for item in stream:
                    match item:
                        case Chunk(reasoning=False):
                            answer.append(item.text)
                        case Superseded():
                            answer.clear()
                        case UsageSoFar() | Finished():
                            usage = item.usage or usage
        finally:  # a broken answer was paid for too
            self.usage = self.usage + usage if self.usage and usage else self.usage or usage
        return "".join(answer)


class Bench:
    """The judges of one debate; those whose verdict its `transcript` already has are not asked again."""

    def __init__(self, judges: Sequence[Judge], motion: Motion, transcript: Transcript) -> None:
        self._motion = motion
        heard = Counter(verdict.judge for verdict in transcript.verdicts)
        self._asked: list[_Asked] = []
        for judge in judges:
            if heard[judge.name]:
                heard[judge.name] -= 1
            else:
                self._asked.append(_Asked(judge))

    def __bool__(self) -> bool:
        """Whether anybody is left to judge."""
        return bool(self._asked)

    async def take_seats(self) -> None:
        """Ask every judge where it stands, before it hears anything; one that does not say so stays."""
        async with asyncio.TaskGroup() as group:
            for asked in self._asked:
                group.create_task(self._ask_stance(asked))

    async def decide(self, transcript: Transcript, say: Callable[[events.Verdict], object]) -> None:
        """Have every judge read the debate, and `say` each verdict as it comes."""
        entries, rounds = _record(self._motion, transcript)
        cases = hearings(self._motion.format, entries, rounds)
        async with asyncio.TaskGroup() as group:
            for asked in self._asked:
                group.create_task(self._judge(asked, cases, say))

    async def _ask_stance(self, asked: _Asked) -> None:
        try:
            answer = await asked.ask(self._motion.topic, stance_question(self._motion.topic))
        except Fault:
            return
        asked.before = read_stance(answer)

    async def _judge(
        self, asked: _Asked, cases: Sequence[Hearing], say: Callable[[events.Verdict], object]
    ) -> None:
        readings: list[Reading | None] = []
        problem = "its answer could not be read"
        try:
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(self._read(asked, case)) for case in cases]
            readings = [task.result() for task in reading]
        except* Fault as faults:
            problem = str(faults.exceptions[0])
        judge, found = asked.judge, opinion(asked.judge.name, readings, len(cases))
        usable = [reading for reading in readings if reading is not None]
        say(
            events.Verdict(
                judge=judge.name,
                model=judge.source.model,
                winner=found.winner if found else None,
                agreed=found is not None and found.agreed,
                controlled=found is not None and found.controlled,
                scores=dict(found.scores) if found else {},
                marks=usable[0].marks if found else (),
                why=usable[0].why if found else "",
                stance_before=asked.before,
                stance_after=found.stance if found else None,
                problem="" if found else problem,
                usage=asked.usage,
                cost=judge.cost(asked.usage) if asked.usage else None,
            )
        )

    async def _read(self, asked: _Asked, case: Hearing) -> Reading | None:
        messages = question(self._motion.topic, self._motion.format, case)
        for _ in range(CHANCES):
            reading = read(await asked.ask(self._motion.topic, messages), case)
            if reading is not None:
                return reading
        return None


def _record(motion: Motion, transcript: Transcript) -> tuple[list[Entry], list[list[Speech]]]:
    """Who spoke, and what was said in each round: public words only, nobody's reasoning."""
    titles = {phase.name: phase.title for phase in motion.format.phases}
    rounds: dict[int, list[Speech]] = {}
    spoke: set[str] = set()
    for _, turn in sorted(transcript.turns.items()):
        if turn.reason in PUBLIC_ENDINGS and turn.text.strip():
            info = transcript.debaters[turn.debater]
            spoke.add(info.id)
            rounds.setdefault(turn.step, []).append(
                Speech(info.name, info.side, titles.get(turn.phase, turn.phase), turn.text)
            )
    known = transcript.debaters.values()
    entries = [Entry(info.id, info.name, info.side) for info in known if info.id in spoke]
    return entries, [rounds[step] for step in sorted(rounds)]
