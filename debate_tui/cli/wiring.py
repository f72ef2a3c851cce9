"""Open and close everything a planned debate needs: sources, log and session."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui import config
from debate_tui.cli.continuation import encode_setup
from debate_tui.cli.plan import assign_voices, model_parameters
from debate_tui.display.statistics import Statistics
from debate_tui.domain.stream import Connected
from debate_tui.record.log import DebateLog, MemoryLog, TakenOverError
from debate_tui.resilience.chaos import ChaosSource, shorten_timeouts
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.session.commands import EndDebate
from debate_tui.session.judges import Judge
from debate_tui.session.rounds import DebateSpec
from debate_tui.session.session import Session
from debate_tui.session.turn import PricedSource
from debate_tui.sources import registry
from debate_tui.sources.prices import Rates, cost_function, price_table_for
from debate_tui.sources.registry import SourceFactory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from debate_tui.cli.plan import Plan
    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.stream import Source
    from debate_tui.record.log import DebateStore
    from debate_tui.resilience.recovery import Announce, Announcement
    from debate_tui.resilience.stream_log import StreamLog
    from debate_tui.session.rounds import Backpressure
    from debate_tui.session.turn_runner import RecoveryWrapper
    from debate_tui.sources.registry import SourceSpec

    OnError = Callable[[DebateError], None]
    OnProgress = Callable[[str, str], None]


# Replacing a debater's source during the debate.


class SourceSwapper:
    """Replaces a debater's source, given as for ``-d``, from its next connection on."""

    def __init__(self, sources: SourceFactory, session: Session, rates: Mapping[str, Rates]) -> None:
        self._sources = sources
        self._session = session
        self._rates = rates

    async def __call__(self, debater: str, text: str) -> None:
        """Replace the source; raise `UsageError` if it is invalid, `ConfigError` if its key is missing."""
        spec = self._session.spec
        (specification,) = assign_voices(spec.topic, [registry.parse_source(text)])
        await asyncio.to_thread(registry.check_availability, specification)
        names = (debater, next(each.name for each in spec.debaters if each.id == debater))
        source = self._sources.make(specification, names=names)
        self._session.replace(
            debater,
            PricedSource(source, cost_function(specification.scheme, specification.detail, self._rates)),
            specification.public_name,
            specification.parameters.to_public(),
        )


class DebateContext(Struct, frozen=True):
    """Everything a running debate needs."""

    log: DebateLog
    session: Session
    statistics: Statistics
    swap_source: SourceSwapper


@asynccontextmanager
async def open_debate(
    plan: Plan,
    *,
    backpressure: Backpressure | None = None,
    unattended: bool,
    on_error: OnError,
    on_progress: OnProgress | None = None,
    store: DebateStore | None = None,
    statistics: Statistics | None = None,
    public_only: bool = False,
) -> AsyncIterator[DebateContext]:
    """Prepare the debate; on exit, make its record durable and close all connections.

    The debate is recorded in `store`, which stays open, or else in the user's SQLite file. `on_error` is
    called when the record or the stream log cannot be written. `on_progress` is called while a local model
    starts, with the task and its progress, and with empty strings at the end. `statistics` is used instead of
    a new object. With `public_only`, endpoints on this machine or a private network are refused. The debate
    ends if another process takes it over. Raise `DebateError` if the debate cannot start.
    """
    settings = plan.settings

    def handle_error(error: DebateError) -> None:
        on_error(error)
        if isinstance(error, TakenOverError):
            session.handle(EndDebate())

    async with AsyncExitStack() as stack:
        stream_log = _open_stream_log(stack, plan, on_error)
        sources = await stack.enter_async_context(
            SourceFactory(
                connect_timeout=settings.recovery.connect_timeout,
                http2=settings.http2 == "auto",
                model_folder=config.model_folder(),
                report_progress=on_progress,
                public_only=public_only,
            )
        )
        debate = plan.debate or os.urandom(4).hex()
        log = await _open_log(stack, plan, debate, handle_error, store)
        statistics = statistics or Statistics()
        for event in plan.past_events:
            statistics(event)
        log.subscribe(statistics)
        if stream_log:
            log.subscribe(stream_log.record_event)
        policy = shorten_timeouts(settings.recovery) if plan.chaos else settings.recovery

        def with_recovery(debater: str, source: Source, is_paused: Callable[[], bool]) -> Source:
            return RecoveringSource(
                source, policy, is_paused=is_paused, announce=_make_announce(debater, statistics, stream_log)
            )

        rates = {
            model: Rates(price.input, price.output, price.cached) for model, price in settings.price.items()
        }
        session = Session(
            _make_debate_spec(
                plan,
                debate,
                _price_table(plan, rates),
            ),
            _make_sources(plan, sources, rates),
            log,
            with_recovery=with_recovery,
            backpressure=backpressure,
            unattended=unattended,
            judges=_make_judges(plan, sources, rates, with_recovery),
            past_events=plan.past_events,
        )
        yield DebateContext(log, session, statistics, SourceSwapper(sources, session, rates))


def _price_table(plan: Plan, rates: Mapping[str, Rates]) -> str:
    sources = (*(each.source_spec for each in plan.debaters), *plan.judges)
    return price_table_for(((source.scheme, source.detail) for source in sources), rates)


def _make_judges(
    plan: Plan, sources: SourceFactory, rates: Mapping[str, Rates], with_recovery: RecoveryWrapper
) -> list[Judge]:
    return [
        Judge(
            f"j{number}",
            judge.public_name,
            with_recovery(f"j{number}", sources.make(judge), _never_paused),
            cost_function(judge.scheme, judge.detail, rates),
            judge.parameters.to_public(),
        )
        for number, judge in enumerate(plan.judges, 1)
    ]


def _never_paused() -> bool:
    return False


def _make_debate_spec(plan: Plan, debate: str, prices: str) -> DebateSpec:
    return DebateSpec(
        debate=debate,
        topic=plan.topic,
        format=plan.format,
        debaters=tuple(speaker.debater for speaker in plan.debaters),
        max_tokens=plan.settings.max_tokens,
        max_cost=plan.settings.max_cost,
        prices=prices,
    )


def make_source(
    sources: SourceFactory,
    specification: SourceSpec,
    seat: config.DebaterSettings,
    *,
    names: Sequence[str] = (),
) -> Source:
    """Make the source of a debater with its settings; for `names` see `SourceFactory.make`."""
    return sources.make(
        specification,
        method=seat.method,
        background=seat.background,
        names=names,
        parameters=model_parameters(seat, specification),
    )


def _make_sources(plan: Plan, sources: SourceFactory, rates: Mapping[str, Rates]) -> dict[str, PricedSource]:
    """Make the debaters' sources; return them by debater id."""
    sources_by_debater: dict[str, PricedSource] = {}
    for place, speaker in enumerate(plan.debaters):
        debater, seat = speaker.debater, speaker.settings
        source = make_source(sources, speaker.source_spec, seat, names=(debater.id, debater.name))
        sources_by_debater[debater.id] = PricedSource(
            ChaosSource(source, seed=place) if plan.chaos else source,
            cost_function(speaker.source_spec.scheme, speaker.source_spec.detail, rates),
        )
    return sources_by_debater


def _make_announce(debater: str, statistics: Statistics, stream_log: StreamLog | None) -> Announce:
    """Return a function that handles the announcements of one debater's streams."""
    write = stream_log.announcer_for(debater) if stream_log else None

    def announce(announcement: Announcement) -> None:
        if isinstance(announcement, Connected):
            statistics.record_connection(debater, announcement)
        if write:
            write(announcement)

    return announce


def _open_stream_log(stack: AsyncExitStack, plan: Plan, on_error: OnError) -> StreamLog | None:
    if plan.stream_log_file is None:
        return None
    from debate_tui.resilience.stream_log import StreamLog

    stream_log = StreamLog(plan.stream_log_file, on_error=on_error)
    stack.callback(stream_log.close)
    return stream_log


async def _open_log(
    stack: AsyncExitStack, plan: Plan, debate: str, on_error: OnError, store: DebateStore | None
) -> DebateLog:
    if not plan.settings.record:
        return MemoryLog(plan.past_events)
    if store is None:
        from debate_tui.record.stores import open_store

        store = open_store(config.record_file())
        stack.push_async_callback(store.aclose)
    if plan.past_events:
        log = await store.resume(debate, on_write_error=on_error)
    else:
        log = await store.create(debate, setup=encode_setup(plan), on_write_error=on_error)
    stack.push_async_callback(log.aclose)
    return log
