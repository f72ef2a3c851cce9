"""Plans for recorded debates that are resumed; their setup is stored with their events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui import config
from debate_tui.cli.judges import parse_judges, plan_reporter
from debate_tui.cli.plan import Plan, PlannedDebater, make_notice
from debate_tui.domain.debate import NO_PARAMETERS, Debater, Format
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import DebaterReplaced
from debate_tui.domain.progress import compute_progress
from debate_tui.domain.sanitise import MASK, one_line
from debate_tui.domain.transcript import Transcript
from debate_tui.sources import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.events import Event
    from debate_tui.record.log import DebateStore
    from debate_tui.record.summary import DebateSummary
    from debate_tui.sources.registry import SourceSpec


_LIST_HINT = "List the recorded debates: debate-tui history"


class _DebaterRecord(Struct, frozen=True):
    debater: Debater
    seat: config.DebaterSettings


class _SetupRecord(Struct, frozen=True):
    """The part of a plan that is not in the events. Sources are stored without credentials."""

    format: Format
    chairs: tuple[_DebaterRecord, ...]
    judges: tuple[str, ...] = ()
    reporter: str = ""


def encode_setup(plan: Plan) -> str:
    """Return the setup of a debate as JSON, to be stored with its events."""
    chairs = tuple(
        _DebaterRecord(
            each.debater,
            msgspec.structs.replace(each.settings.without_secrets(), source=each.source_spec.public_name),
        )
        for each in plan.debaters
    )
    judges = tuple(judge.public_name for judge in plan.judges)
    reporter = plan.reporter.public_name if plan.reporter is not None else ""
    return msgspec.json.encode(_SetupRecord(plan.format, chairs, judges, reporter)).decode()


def decode_format(setup: str) -> Format | None:
    """Return the format in a stored setup, or `None` if the setup cannot be read."""
    try:
        return msgspec.json.decode(setup, type=_SetupRecord).format
    except msgspec.DecodeError:
        return None


async def plan_continuation(store: DebateStore, debate: str, settings: config.Settings) -> Plan:
    """Plan the rest of a recorded debate, the latest if `debate` is empty.

    Raise `UsageError` if the debate is live or complete, if its setup cannot be read, or if it needs
    credentials that were not stored.
    """
    summary = await store.find(debate)
    past_events, setup = tuple(await store.events(summary.debate)), await store.setup(summary.debate)
    hint = await _suggest_debate(store)
    plan = await asyncio.to_thread(_build_continuation, summary, setup, past_events, settings, hint)
    return msgspec.structs.replace(plan, material=await store.material(summary.debate))


async def _suggest_debate(store: DebateStore) -> str:
    """Return a hint that names the latest debate that can be resumed."""
    for each in await store.debates():
        if not each.live and each.finished != "complete":
            return f"Resume “{one_line(each.topic, 60)}”: debate-tui --continue {each.debate}"
    return _LIST_HINT


def check_not_live(summary: DebateSummary, hint: str = _LIST_HINT) -> None:
    """Raise `UsageError` if another program is running the debate."""
    if summary.live:
        raise UsageError(
            f"The debate {summary.debate} is running in another program: “{summary.topic}”.", hint
        )


def _build_continuation(
    summary: DebateSummary, setup: str, past_events: tuple[Event, ...], settings: config.Settings, hint: str
) -> Plan:
    check_not_live(summary, hint)
    try:
        saved_setup = msgspec.json.decode(setup, type=_SetupRecord)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"The debate {summary.debate} was started by another version and cannot be resumed: {error}.",
            f"You can still export it: debate-tui export {summary.debate}",
        ) from None
    transcript = Transcript(past_events)
    debaters = tuple(chair.debater for chair in saved_setup.chairs)
    if _is_complete(saved_setup, transcript, debaters) and not transcript.is_blind:
        raise UsageError(f"The debate {summary.debate} is complete: “{summary.topic}”.", hint)
    current_sources = _current_sources(transcript)
    debater_settings = [
        _restore_seat(chair, current_sources.get(chair.debater.id), settings) for chair in saved_setup.chairs
    ]
    source_specs = [
        _parse_saved_source(seat.source, chair.debater.name)
        for chair, seat in zip(saved_setup.chairs, debater_settings, strict=True)
    ]
    judges = _restore_judges(saved_setup.judges, settings)
    reporter = _restore_reporter(saved_setup.reporter, judges, settings, summary.topic)
    for specification in (*source_specs, *judges, *filter(None, [reporter])):
        registry.check_availability(specification)
    planned_debaters = tuple(map(PlannedDebater, debaters, debater_settings, source_specs))
    blind = bool(transcript.letters)
    return Plan(
        summary.topic,
        saved_setup.format,
        planned_debaters,
        settings,
        tuple(judges),
        reporter,
        notice=make_notice(planned_debaters, judges, blind=blind),
        past_events=past_events,
        debate=summary.debate,
        blind=blind,
    )


def _is_complete(setup: _SetupRecord, transcript: Transcript, debaters: tuple[Debater, ...]) -> bool:
    """Return whether nothing is left of the debate, its verdicts and its report."""
    if transcript.finish_reason is None:
        return False
    missing_judges = set(setup.judges) - {verdict.judge for verdict in transcript.verdicts}
    misses_report = bool(setup.reporter) and transcript.report is None
    if transcript.finish_reason != "complete" and (missing_judges or misses_report):
        return False
    return compute_progress(transcript, setup.format, debaters).complete


def _current_sources(transcript: Transcript) -> dict[str, str]:
    """Return the sources that replaced others during the debate, by debater id.

    Those of a blind debate are not recorded: it resumes with its first sources.
    """
    replaced = (note.event for note in transcript.side_events if isinstance(note.event, DebaterReplaced))
    return {event.debater: event.source for event in replaced if event.source}


def _restore_judges(names: Sequence[str], settings: config.Settings) -> list[SourceSpec]:
    """Return the recorded judges, or the configured ones if none are recorded.

    Parameters are not recorded, so they come from the current settings.
    """
    present = parse_judges(settings)
    by_name = {judge.public_name: judge for judge in present}
    return [by_name.get(name) or _parse_saved_source(name, "a judge") for name in names] or present


def _restore_reporter(
    name: str, judges: Sequence[SourceSpec], settings: config.Settings, topic: str
) -> SourceSpec | None:
    """Return who was recorded to report on the debate, or who the settings say if no one was."""
    if not name:
        return plan_reporter(settings, judges, topic)
    known = (judge for judge in judges if judge.public_name == name)
    return next(known, None) or _parse_saved_source(name, "a judge")


def _restore_seat(
    chair: _DebaterRecord, current_source: str | None, settings: config.Settings
) -> config.DebaterSettings:
    """Return a debater's settings, with masked headers and secrets taken from the current settings.

    Raise `UsageError` if the current settings do not have them.
    """
    seat = chair.seat
    if current_source is not None:  # the parameters belong to the old model
        return msgspec.structs.replace(seat, source=current_source, **msgspec.structs.asdict(NO_PARAMETERS))
    if not seat.has_masked_secrets:
        return seat
    for given in settings.debater:
        if given.source == seat.source and given.without_secrets().parameters == seat.parameters:
            return msgspec.structs.replace(seat, headers=given.headers, extra_body=given.extra_body)
    raise UsageError(
        f"The headers and secrets of {chair.debater.name} were not recorded.",
        "Use the debate file that has them: --config FILE.",
    )


def _parse_saved_source(source: str, owner: str) -> SourceSpec:
    if MASK in source:
        raise UsageError(
            f"The source of {owner} contained a secret, which was not recorded.",
            "This debate cannot be resumed; start a new one.",
        )
    return registry.parse_source(source)
