"""Taking up a recorded debate: what it was begun with is kept beside its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui import config
from debate_tui.cli.plan import Plan, PlannedDebater, judge_bias_notice, sources_notice
from debate_tui.domain.debate import Debater, Format
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebaterReplaced
from debate_tui.domain.progress import compute_progress
from debate_tui.domain.transcript import Transcript
from debate_tui.record.sqlite_log import SqliteStore
from debate_tui.sources import registry
from debate_tui.sources.credentials import CREDENTIAL_MASK

if TYPE_CHECKING:
    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateStore
    from debate_tui.record.summary import DebateSummary
    from debate_tui.sources.registry import SourceSpec


class _DebaterRecord(Struct, frozen=True):
    debater: Debater
    seat: config.DebaterSettings


class _SetupRecord(Struct, frozen=True):
    """What no event says. Sources are kept as they may be shown: without credentials."""

    format: Format
    chairs: tuple[_DebaterRecord, ...]
    judges: tuple[str, ...] = ()


def encode_setup(plan: Plan) -> str:
    """What a debate is begun with, for its record."""
    chairs = tuple(
        _DebaterRecord(
            each.debater, msgspec.structs.replace(each.settings, source=each.source_spec.public_name)
        )
        for each in plan.debaters
    )
    judges = tuple(judge.public_name for judge in plan.judges)
    return msgspec.json.encode(_SetupRecord(plan.format, chairs, judges)).decode()


def decode_format(setup: str) -> Format | None:
    """The format in what was kept of a debate, if that can be read."""
    try:
        return msgspec.json.decode(setup, type=_SetupRecord).format
    except msgspec.DecodeError:
        return None


def plan_continuation(debate: str, settings: config.Settings) -> Plan:
    """The plan of a recorded debate, the newest if `debate` is empty, with what is left to be held.

    Raises `UsageError` for a debate that is complete, or whose addresses had credentials that were not kept.
    """
    with SqliteStore(config.record_file()) as store:
        summary = store.find(debate)
        setup_json, past_events = store.setup(summary.debate), tuple(store.events(summary.debate))
    return _build_continuation(summary, setup_json, past_events, settings)


async def plan_continuation_from(store: DebateStore, debate: str, settings: config.Settings) -> Plan:
    """See `plan_continuation`, for a debate in any store."""
    summary = await store.find(debate)
    log = await store.watch(summary.debate)
    past_events: list[Event] = []
    try:
        while len(past_events) < summary.events:
            past_events += await log.read(len(past_events))
    finally:
        await log.aclose()
    return _build_continuation(summary, await store.setup(summary.debate), tuple(past_events), settings)


def check_not_live(summary: DebateSummary) -> None:
    """Raise `UsageError` for a debate that another program is holding."""
    if summary.live:
        raise UsageError(
            f"The debate {summary.debate} is being held by another program right now: “{summary.topic}”.",
            "debate-tui history lists those that were broken off.",
        )


def _build_continuation(
    summary: DebateSummary, setup: str, past_events: tuple[Event, ...], settings: config.Settings
) -> Plan:
    check_not_live(summary)
    try:
        saved_setup = msgspec.json.decode(setup, type=_SetupRecord)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"The debate {summary.debate} was begun by a version that this one cannot read: {error}.",
            f"debate-tui export {summary.debate} still writes down what was said.",
        ) from None
    transcript = Transcript(past_events)
    debaters = tuple(chair.debater for chair in saved_setup.chairs)
    missing_judges = set(saved_setup.judges) - {verdict.judge for verdict in transcript.verdicts}
    is_over = transcript.finish_reason == "complete" or (
        transcript.finish_reason is not None and not missing_judges
    )
    if is_over and compute_progress(transcript, saved_setup.format, debaters).complete:
        raise UsageError(
            f"The debate {summary.debate} is complete: “{summary.topic}”.",
            "debate-tui history lists those that were broken off.",
        )
    current_sources = _current_sources(transcript)
    debater_settings = [
        msgspec.structs.replace(chair.seat, source=current_sources.get(chair.debater.id, chair.seat.source))
        for chair in saved_setup.chairs
    ]
    source_specs = [
        _parse_saved_source(seat.source, chair.debater.name)
        for chair, seat in zip(saved_setup.chairs, debater_settings, strict=True)
    ]
    judges = [_parse_saved_source(judge, "a judge") for judge in saved_setup.judges or settings.judge]
    for specification in (*source_specs, *judges):
        registry.check_availability(specification)
    return Plan(
        summary.topic,
        saved_setup.format,
        tuple(map(PlannedDebater, debaters, debater_settings, source_specs)),
        settings,
        " ".join(filter(None, (sources_notice(source_specs), judge_bias_notice(judges, source_specs)))),
        judges=tuple(judges),
        past_events=past_events,
        debate=summary.debate,
    )


def _current_sources(transcript: Transcript) -> dict[str, str]:
    """The sources that were put in place of others while the debate was held."""
    replaced = (note.event for note in transcript.side_events if isinstance(note.event, DebaterReplaced))
    return {event.debater: event.source for event in replaced}


def _parse_saved_source(source: str, owner: str) -> SourceSpec:
    if CREDENTIAL_MASK in source:
        raise UsageError(
            f"The address of {owner} had a secret in it, which was not kept.",
            "This debate cannot be continued; hold a new one.",
        )
    return registry.parse_source(source)
