"""Prompts built again from the log are those that the session's sources were given, in their order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from debate_tui.domain import events
from debate_tui.domain.briefs import Chair, StoredSetup
from debate_tui.domain.exports.prompts import SentPrompt, sent_prompts
from debate_tui.domain.prompts import messages_to_send
from debate_tui.domain.stream import Chunk, Connected, Fault, FaultKind, Finished, RecoveryPolicy
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.session.commands import AddRound, Interject, Retry, SetWords
from debate_tui.session.judges import Judge
from tests.session.scripted_session import events_of_type, motion, phase, start_session, wait_until_logged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from debate_tui.domain.stream import Message, ResumePoint, Source, StreamItem, TurnRequest
    from debate_tui.session.session import Session

DEBATE = motion(phase("opening"), phase("cross", order="turns", sees="all", rounds=2), phase("closing"))
POLICY = RecoveryPolicy(initial=0)

Step = Chunk | Fault | asyncio.Event


class SendingModel:
    """Keeps the messages that a model's source would send, and answers with the next script."""

    model = "sending"

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.sent: list[tuple[Message, ...]] = []
        self._scripts = [*scripts]

    @asynccontextmanager
    async def open(
        self, request: TurnRequest, resume: ResumePoint | None = None
    ) -> AsyncIterator[AsyncIterator[StreamItem]]:
        partial = resume.for_new_answer().text if resume else ""
        self.sent.append(messages_to_send(request.messages, "", partial))
        yield self._items(request, partial)

    async def _items(self, request: TurnRequest, partial: str) -> AsyncIterator[StreamItem]:
        yield Connected()
        for step in self._scripts.pop(0) if self._scripts else ():
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Fault):
                raise step
            else:
                yield step
        text = f"What is said in turn {request.turn}, and it is long enough to be continued."
        for start in range(len(partial), len(text), 8):
            yield Chunk(text[start : start + 8])
            await asyncio.sleep(0)
        yield Finished()


class StatingJudge(SendingModel):
    """Gives a stance, and never a verdict that can be read."""

    async def _items(self, request: TurnRequest, partial: str) -> AsyncIterator[StreamItem]:
        yield Connected()
        yield Chunk("50")
        yield Finished()


def recovering(_: str, source: Source, is_paused: Callable[[], bool]) -> Source:
    return RecoveringSource(source, POLICY, is_paused=is_paused)


def start(models: Sequence[SendingModel], **options: Any) -> tuple[Session, list[events.Event]]:
    """Start a session that recovers, and return it with the list of its events to come."""
    session, _, seen = start_session(DEBATE, models, with_recovery=recovering, **options)
    return session, seen


def exported(log: Sequence[events.Event], *judges: str) -> list[SentPrompt]:
    setup = StoredSetup(DEBATE.format, tuple(map(Chair, DEBATE.debaters)), judges)
    return list(sent_prompts(log, setup))


def sent_to(name: str, prompts: Sequence[SentPrompt]) -> list[tuple[Message, ...]]:
    return [sent.messages for sent in prompts if f": {name} (" in sent.title]


def check(log: Sequence[events.Event], models: Sequence[SendingModel]) -> None:
    prompts = exported(log)
    assert [sent_to(name, prompts) for name in ("Ada", "Ben")] == [model.sent for model in models]


def cut() -> Fault:
    return Fault(FaultKind.NETWORK, "It broke.")


async def run(*models: SendingModel, past: Sequence[events.Event] = ()) -> list[events.Event]:
    session, seen = start(models, past_events=past)
    await session.run()
    return seen


async def test_undisturbed_debate() -> None:
    models = SendingModel(), SendingModel()
    check(await run(*models), models)
    assert [len(model.sent) for model in models] == [4, 4]


async def test_cut_answers_are_continued_or_begun_again() -> None:
    long, short = Chunk("What is said in turn 1, and "), Chunk("What is")
    models = (
        SendingModel([long, cut()], [cut()], [], [Chunk("Hm.", True), cut()]),
        SendingModel([short, cut()]),
    )
    check(await run(*models), models)
    assert [message.role for message in models[0].sent[1]] == ["system", "user", "assistant", "user"]
    assert models[1].sent[1] == models[1].sent[0]


async def test_retry_begins_again_until_there_is_new_text() -> None:
    held = asyncio.Event()
    models = SendingModel([Chunk("A text that is dropped later. "), held], [cut()]), SendingModel()
    session, seen = start(models)
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnDelta) and event.debater == "d1")
    session.handle(Retry("d1"))
    await running
    check(seen, models)
    assert models[0].sent[0] == models[0].sent[1] == models[0].sent[2]


async def test_what_the_moderator_does_changes_the_prompts() -> None:
    models = SendingModel(), SendingModel()
    session, seen = start(models)
    session.handle(Interject("Mind the gap.", "d2"))
    session.handle(SetWords(77))
    running = asyncio.create_task(session.run())
    await wait_until_logged(seen, lambda event: isinstance(event, events.TurnStarted) and event.turn == 3)
    session.handle(AddRound())
    session.handle(Interject("And the door.", None))
    await running
    check(seen, models)
    assert "Mind the gap." in models[1].sent[0][1].content
    assert "And the door." in models[0].sent[2][1].content
    assert "round 3 of 3" in models[0].sent[3][1].content
    assert "77 words" in models[0].sent[2][1].content


@pytest.mark.parametrize("share", range(6))
async def test_interrupted_anywhere_and_resumed(share: int) -> None:
    def models() -> tuple[SendingModel, SendingModel]:
        return SendingModel([Chunk("What is said in turn 1, and "), cut()]), SendingModel()

    first = models()
    original = await run(*first)
    began = next(place for place, event in enumerate(original) if isinstance(event, events.TurnStarted))
    for place in range(began + share, len(original), 6):
        past = original[:place]
        second = SendingModel(), SendingModel()
        prompts = exported([*past, *await run(*second, past=past)])
        for name, debater, before, after in zip(("Ada", "Ben"), ("d1", "d2"), first, second, strict=True):
            connecting = [
                status
                for status in events_of_type(past, events.StreamStatus)
                if status.debater == debater and status.state == "connecting"
            ]
            assert sent_to(name, prompts) == [*before.sent[: len(connecting)], *after.sent], place


async def test_judges_are_asked_before_and_after() -> None:
    models, judge, late, reporter = (
        (SendingModel(), SendingModel()),
        StatingJudge(),
        StatingJudge(),
        StatingJudge(),
    )
    session, seen = start(models, judges=[Judge("first", judge)])
    await session.run()
    await session.judge([Judge("late", late)], reporter=Judge("reporter", reporter))
    prompts = exported(seen, "first")
    asked = {name: [p for p in prompts if p.source == name] for name in ("first", "late", "reporter")}
    # An answer that cannot be read is asked for again, which is not in the log.
    assert [sent.messages for sent in asked["first"]] == judge.sent[:2]
    assert [sent.messages for sent in asked["late"]] == late.sent[:2]
    assert asked["first"][0] is prompts[0]
    assert [sent.messages for sent in asked["reporter"]] == reporter.sent[:1]
    assert prompts[-3:] == [*asked["late"], *asked["reporter"]]
