"""A planned debate made ready: its sources, its log and its session, and all of it put away afterwards."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui import config
from debate_tui.cli.continuing import setup
from debate_tui.cli.swapping import Swapper
from debate_tui.display.statistics import Statistics
from debate_tui.domain.stream import Connected
from debate_tui.record.log import DebateLog, MemoryLog, TakenOver
from debate_tui.resilience.chaos import Chaotic, impatient
from debate_tui.resilience.recovery import Guarded
from debate_tui.session import Judge, Motion, Session
from debate_tui.sources.prices import asked_of, cost_of
from debate_tui.sources.registry import Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from debate_tui.cli.plan import Plan
    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.stream import Source
    from debate_tui.record.log import DebateStore
    from debate_tui.resilience.journal import Journal
    from debate_tui.resilience.recovery import Announce, Announcement
    from debate_tui.session import Backpressure

    OnTrouble = Callable[[DebateError], None]
    OnProgress = Callable[[str, str], None]


class Stage(Struct, frozen=True):
    """Everything a debate needs to be held."""

    log: DebateLog
    session: Session
    statistics: Statistics
    swap: Swapper


@asynccontextmanager
async def staged(
    plan: Plan,
    *,
    backpressure: Backpressure | None = None,
    unattended: bool,
    on_trouble: OnTrouble,
    on_progress: OnProgress | None = None,
    store: DebateStore | None = None,
    statistics: Statistics | None = None,
) -> AsyncIterator[Stage]:
    """Make the debate ready to run; leaving makes its record durable and closes every connection.

    The record is kept in `store`, which stays open, or in the user's own file. `on_trouble` is told when the
    record or the journal cannot be written on, `on_progress` what a local model's start is waiting for and
    how far that is, nothing once it is over. `statistics` measures it, where that is there already. A debate
    that another process has taken over ends here. Raises `DebateError` where the debate cannot be begun.
    """
    settings = plan.settings

    def hear(trouble: DebateError) -> None:
        on_trouble(trouble)
        if isinstance(trouble, TakenOver):
            session.end()

    async with AsyncExitStack() as stack:
        journal = _journal(stack, plan, on_trouble)
        sources = await stack.enter_async_context(
            Sources(
                connect_timeout=settings.recovery.connect_timeout,
                http2=settings.http2 == "auto",
                models=config.model_folder(),
                tell=on_progress,
            )
        )
        debate = plan.debate or os.urandom(4).hex()
        log = await _log(stack, plan, debate, hear, store)
        statistics = statistics or Statistics()
        for event in plan.past:
            statistics(event)
        log.subscribe(statistics)
        if journal:
            log.subscribe(journal.event)
        policy = impatient(settings.recovery) if plan.chaos else settings.recovery

        def guard(debater: str, source: Source, held: Callable[[], bool]) -> Source:
            return Guarded(source, policy, held=held, announce=_told(debater, statistics, journal))

        rates = {model: (price.input, price.output) for model, price in settings.price.items()}
        session = Session(
            _motion(
                plan, debate, asked_of([*(each.specification for each in plan.speakers), *plan.judges], rates)
            ),
            _made(plan, sources),
            log,
            guard=guard,
            backpressure=backpressure,
            unattended=unattended,
            costs={each.debater.id: cost_of(each.specification, rates) for each in plan.speakers},
            judges=[
                Judge(
                    f"j{number}",
                    judge.public,
                    guard(f"j{number}", sources.make(judge), _never),
                    cost_of(judge, rates),
                )
                for number, judge in enumerate(plan.judges, 1)
            ],
            past=plan.past,
        )
        yield Stage(log, session, statistics, Swapper(sources, session, rates))


def _never() -> bool:
    return False


def _motion(plan: Plan, debate: str, prices: str) -> Motion:
    return Motion(
        debate=debate,
        topic=plan.topic,
        format=plan.format,
        debaters=tuple(speaker.debater for speaker in plan.speakers),
        max_tokens=plan.settings.max_tokens,
        max_cost=plan.settings.max_cost,
        prices=prices,
    )


def _made(plan: Plan, sources: Sources) -> dict[str, Source]:
    """Each debater's source, by the debater's id."""
    made: dict[str, Source] = {}
    for place, speaker in enumerate(plan.speakers):
        debater, seat = speaker.debater, speaker.seat
        source = sources.make(
            speaker.specification,
            method=seat.method,
            background=seat.background,
            names=(debater.id, debater.name),
        )
        made[debater.id] = Chaotic(source, seed=place) if plan.chaos else source
    return made


def _told(debater: str, statistics: Statistics, journal: Journal | None) -> Announce:
    """What takes the announcements of one debater's streams."""
    write = journal.of(debater) if journal else None

    def announce(announcement: Announcement) -> None:
        if isinstance(announcement, Connected):
            statistics.connected(debater, announcement)
        if write:
            write(announcement)

    return announce


def _journal(stack: AsyncExitStack, plan: Plan, on_trouble: OnTrouble) -> Journal | None:
    if plan.journal is None:
        return None
    from debate_tui.resilience.journal import Journal

    journal = Journal(plan.journal, on_trouble=on_trouble)
    stack.callback(journal.close)
    return journal


async def _log(
    stack: AsyncExitStack, plan: Plan, debate: str, on_trouble: OnTrouble, store: DebateStore | None
) -> DebateLog:
    if not plan.settings.record:
        return MemoryLog(plan.past)
    if store is None:
        from debate_tui.record.stores import open_store

        store = open_store(config.record_file())
        stack.push_async_callback(store.aclose)
    if plan.past:
        log = await store.resume(debate, on_trouble=on_trouble)
    else:
        log = await store.create(debate, setup=setup(plan), on_trouble=on_trouble)
    stack.push_async_callback(log.aclose)
    return log
