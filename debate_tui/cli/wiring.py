"""Open and close everything a planned debate needs: sources, log and session."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui import config
from debate_tui.cli.continuation import encode_setup
from debate_tui.cli.judges import assign_voices, parse_judging, plan_judges
from debate_tui.cli.plan import price_rates
from debate_tui.display.statistics import Statistics
from debate_tui.domain.briefs import DebateSpec
from debate_tui.domain.stream import Connected
from debate_tui.record.log import DebateLog, MemoryLog, TakenOverError
from debate_tui.resilience.chaos import ChaosSource, shorten_timeouts
from debate_tui.resilience.masking import Mask, MaskedSource, own_names
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.session.commands import EndDebate
from debate_tui.session.judges import Judge
from debate_tui.session.session import Session
from debate_tui.session.turn import PricedSource
from debate_tui.session.turn_runner import RecoveryWrapper
from debate_tui.sources import registry
from debate_tui.sources.prices import Rates, cost_function, price_table_for
from debate_tui.sources.registry import SourceFactory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from debate_tui.cli.plan import Plan
    from debate_tui.domain.errors import DebateError
    from debate_tui.domain.events import Event
    from debate_tui.domain.stream import Source
    from debate_tui.record.log import DebateStore
    from debate_tui.resilience.recovery import Announcement
    from debate_tui.resilience.stream_log import StreamLog
    from debate_tui.session.rounds import Backpressure
    from debate_tui.sources.registry import PersonFactory, SourceSpec

    OnError = Callable[[DebateError], None]
    OnProgress = Callable[[str, str], None]


class DebateContext(Struct, frozen=True):
    """Everything a running debate needs.

    `rates` are the user's own prices by model. `masks` hide the debaters of a blind debate, by id.
    """

    log: DebateLog
    session: Session
    statistics: Statistics
    sources: SourceFactory
    rates: dict[str, Rates]
    with_recovery: RecoveryWrapper
    masks: dict[str, Mask]

    async def swap_source(self, debater: str, text: str) -> None:
        """Replace a debater's source by the one typed as for ``-d``, from its next connection on.

        Raise `UsageError` if it is invalid, `ConfigError` if its key is missing.
        """
        spec = self.session.spec
        (specification,) = assign_voices(spec.topic, [registry.parse_source(text)])
        await asyncio.to_thread(registry.check_availability, specification)
        names = (debater, next(each.name for each in spec.debaters if each.id == debater))
        source = self.sources.make(specification, names=names)
        if debater in self.masks:
            masked = _names_to_mask("", specification, source)
            self.masks[debater] = self.masks[debater]._replace(names=masked)
        self.session.replace(
            debater,
            PricedSource(source, cost_function(specification.scheme, specification.detail, self.rates)),
            specification.public_name,
            specification.parameters.to_public(),
        )

    async def judge(self, text: str) -> None:
        """Let the judge typed as for ``--judge``, and ``--report`` after it, read the finished debate.

        Raise `UsageError` if a source is invalid, `ConfigError` if its key is missing.
        """
        specs = await asyncio.to_thread(plan_judges, parse_judging(text), self.session.spec.topic)
        await self.session.judge(*make_judges(*specs, self.sources, self.rates, self.with_recovery))


@asynccontextmanager
async def open_debate(
    plan: Plan,
    *,
    unattended: bool,
    on_error: OnError,
    on_progress: OnProgress | None = None,
    backpressure: Backpressure | None = None,
    statistics: Statistics | None = None,
    store: DebateStore | None = None,
    make_person: PersonFactory | None = None,
    public_only: bool = False,
) -> AsyncIterator[DebateContext]:
    """Prepare the debate; on exit, make its record durable and close all connections.

    The debate is recorded in `store`, which stays open, or else in the user's SQLite file. `on_error` is
    called when the record or the stream log cannot be written. `on_progress` is called while a local model
    starts, with the task and its progress, and with empty strings at the end. `statistics` is used instead of
    a new object; for `make_person` and `public_only` see `SourceFactory`. The debate ends if another process
    takes it over. Raise `DebateError` if the debate cannot start.
    """

    def handle_error(error: DebateError) -> None:
        on_error(error)
        if isinstance(error, TakenOverError):
            session.handle(EndDebate())

    async with AsyncExitStack() as stack:
        stream_log = _open_stream_log(stack, plan, on_error)
        sources = await stack.enter_async_context(
            _make_source_factory(
                plan, on_progress, stream_log, make_person, public_only=public_only, unattended=unattended
            )
        )
        debate = plan.debate or os.urandom(4).hex()
        log = await _open_log(stack, plan, debate, handle_error, store)
        statistics = statistics or Statistics()
        _subscribe(log, plan.past_events, statistics, stream_log)
        masks: dict[str, Mask] = {}
        with_recovery = _recovery_wrapper(plan, statistics, stream_log, masks)
        context = _make_context(
            plan, debate, log, sources, statistics, with_recovery, masks, backpressure, unattended
        )
        session = context.session
        yield context


def _subscribe(
    log: DebateLog, past_events: Iterable[Event], statistics: Statistics, stream_log: StreamLog | None
) -> None:
    """Let the statistics and the stream log read the debate."""
    for event in past_events:
        statistics(event)
    log.subscribe(statistics)
    if stream_log:
        log.subscribe(stream_log.record_event)


def _make_context(
    plan: Plan,
    debate: str,
    log: DebateLog,
    sources: SourceFactory,
    statistics: Statistics,
    with_recovery: RecoveryWrapper,
    masks: dict[str, Mask],
    backpressure: Backpressure | None,
    unattended: bool,
) -> DebateContext:
    rates = price_rates(plan.settings)
    priced_sources = _make_sources(plan, sources, rates)
    if plan.blind:
        masks.update(_make_masks(plan, priced_sources))
    judges, reporter = make_judges(plan.judges, plan.reporter, sources, rates, with_recovery)
    spec = DebateSpec(
        debate=debate,
        topic=plan.topic,
        format=plan.format,
        debaters=plan.shown_debaters,
        max_tokens=plan.settings.max_tokens,
        max_cost=plan.settings.max_cost,
        prices=price_table_for(((each.scheme, each.detail) for each in plan.source_specs), rates),
        step=plan.settings.step and not unattended,
        material=plan.material,
        hidden=tuple(
            msgspec.structs.replace(each.info, model=priced_sources[each.debater.id].source.model)
            for each in plan.debaters
            if plan.blind
        ),
    )
    session = Session(
        spec,
        priced_sources,
        log,
        with_recovery=with_recovery,
        backpressure=backpressure,
        unattended=unattended,
        judges=judges,
        reporter=reporter,
        past_events=plan.past_events,
    )
    return DebateContext(log, session, statistics, sources, rates, with_recovery, masks)


def make_judges(
    specifications: Sequence[SourceSpec],
    reporter: SourceSpec | None,
    sources: SourceFactory,
    rates: dict[str, Rates],
    with_recovery: RecoveryWrapper,
) -> tuple[list[Judge], Judge | None]:
    """Make the judges with these sources, and the one who reports: one of them, or another."""
    readers = [*specifications]
    if reporter is not None and reporter not in readers:
        readers.append(reporter)
    judges = [
        Judge(
            judge.public_name,
            with_recovery(f"j{number}", sources.make(judge), lambda: False),
            cost_function(judge.scheme, judge.detail, rates),
            judge.parameters.to_public(),
        )
        for number, judge in enumerate(readers, 1)
    ]
    return judges[: len(specifications)], None if reporter is None else judges[readers.index(reporter)]


def make_source_factory(
    settings: config.Settings,
    on_progress: OnProgress | None = None,
    log_line: Callable[[str, str], None] | None = None,
    *,
    make_person: PersonFactory | None = None,
    public_only: bool = False,
    readable_demo: bool = False,
) -> SourceFactory:
    """Return a source factory with the user's settings; see `open_debate` and `SourceFactory`."""
    return SourceFactory(
        connect_timeout=settings.recovery.connect_timeout,
        http2=settings.http2 == "auto",
        model_folder=config.model_folder(),
        report_progress=on_progress,
        log_line=log_line,
        make_person=make_person,
        public_only=public_only,
        readable_demo=readable_demo,
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
        parameters=specification.merge_parameters(seat),
    )


def _make_sources(plan: Plan, sources: SourceFactory, rates: dict[str, Rates]) -> dict[str, PricedSource]:
    """Make the debaters' sources; return them by debater id."""
    priced: dict[str, PricedSource] = {}
    for place, speaker in enumerate(plan.debaters):
        debater = speaker.debater
        names = (debater.id, debater.name)
        source = make_source(sources, speaker.source_spec, speaker.settings, names=names)
        priced[debater.id] = PricedSource(
            ChaosSource(source, seed=place) if plan.options.chaos else source,
            cost_function(speaker.source_spec.scheme, speaker.source_spec.detail, rates),
        )
    return priced


def _make_source_factory(
    plan: Plan,
    on_progress: OnProgress | None,
    stream_log: StreamLog | None,
    make_person: PersonFactory | None,
    *,
    public_only: bool,
    unattended: bool,
) -> SourceFactory:
    """Return the source factory of a debate; a blind one hides what programs print of themselves."""
    return make_source_factory(
        plan.settings,
        _hide_progress(on_progress) if plan.blind and on_progress else on_progress,
        stream_log.record_line if stream_log and not plan.blind else None,
        make_person=make_person,
        public_only=public_only,
        readable_demo=not unattended,
    )


def _hide_progress(on_progress: OnProgress) -> OnProgress:
    """Return a function that reports progress without the name of the model that is prepared."""
    return lambda task, progress: on_progress("Preparing a debater" if task else "", progress)


def _make_masks(plan: Plan, sources: dict[str, PricedSource]) -> dict[str, Mask]:
    """Return what hides the debaters of a blind debate: their letters and the names to mask, by id."""
    sides = {each.debater.side.casefold() for each in plan.debaters}
    masks: dict[str, Mask] = {}
    for speaker, shown in zip(plan.debaters, plan.shown_debaters, strict=True):
        name = "" if speaker.settings.name.casefold() in sides else speaker.settings.name
        names = _names_to_mask(name, speaker.source_spec, sources[shown.id].source)
        masks[shown.id] = Mask(shown.name, names)
    return masks


def _names_to_mask(name: str, specification: SourceSpec, source: Source) -> tuple[str, ...]:
    has_model = specification.kind in ("agent", "endpoint", "local", "provider")
    model = source.model if has_model else ""  # else it is a word such as “scripted”
    return own_names(name, specification.scheme, model)


def _recovery_wrapper(
    plan: Plan, statistics: Statistics, stream_log: StreamLog | None, masks: Mapping[str, Mask]
) -> RecoveryWrapper:
    """Return a function that wraps sources in recovery, and reports what their streams go through.

    What is inside recovery is masked by the debater's mask at that time, if it has one.
    """
    policy = plan.settings.recovery
    if plan.options.chaos:
        policy = shorten_timeouts(policy)

    def with_recovery(debater: str, source: Source, is_paused: Callable[[], bool]) -> Source:
        write = stream_log.announcer_for(debater) if stream_log else None

        def announce(announcement: Announcement) -> None:
            if isinstance(announcement, Connected):
                statistics.record_connection(debater, announcement)
            if write:
                write(announcement)

        masked = MaskedSource(source, masks[debater]) if debater in masks else source
        return RecoveringSource(masked, policy, is_paused=is_paused, announce=announce)

    return with_recovery


def _open_stream_log(stack: AsyncExitStack, plan: Plan, on_error: OnError) -> StreamLog | None:
    if plan.options.stream_log_file is None:
        return None
    from debate_tui.resilience.stream_log import StreamLog

    stream_log = StreamLog(plan.options.stream_log_file, on_error=on_error)
    stack.callback(stream_log.close)
    return stream_log


async def _open_log(
    stack: AsyncExitStack, plan: Plan, debate: str, on_error: OnError, store: DebateStore | None
) -> DebateLog:
    if not plan.settings.record:
        return MemoryLog(plan.past_events, material=plan.material)
    if store is None:
        from debate_tui.record.stores import open_store

        store = open_store(config.record_file())
        stack.push_async_callback(store.aclose)
    if plan.past_events:
        log = await store.resume(debate, on_write_error=on_error)
    else:
        log = await store.create(
            debate, setup=encode_setup(plan), material=plan.material, on_write_error=on_error
        )
    stack.push_async_callback(log.aclose)
    return log
