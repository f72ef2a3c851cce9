"""Who judges a debate, and who reports on it: from the settings, or as typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from debate_tui import config
from debate_tui.domain.debate import NO_PARAMETERS
from debate_tui.domain.errors import UsageError
from debate_tui.sources import registry
from debate_tui.sources.registry import SourceSpec

if TYPE_CHECKING:
    from collections.abc import Sequence


def plan_judges(settings: config.Settings, topic: str) -> tuple[list[SourceSpec], SourceSpec | None]:
    """Return the judges in the settings, and who reports on the debate, all checked for availability.

    Raise `UsageError` if a source is invalid or there is no one to report, `ConfigError` if a key is missing.
    """
    judges = parse_judges(settings)
    for specification in judges:
        registry.check_availability(specification)
    judges = assign_voices(topic, judges)
    return judges, plan_reporter(settings, judges, topic)


def parse_judges(settings: config.Settings) -> list[SourceSpec]:
    """Return the configured judges with their parameters; raise `UsageError` for an invalid source."""
    judges: list[SourceSpec] = []
    for judge in settings.judge:
        if isinstance(judge, str):
            judges.append(parse_judge(judge))
        else:
            specification = parse_judge(judge.source)
            parameters = specification.merge_parameters(judge)
            judges.append(msgspec.structs.replace(specification, parameters=parameters))
    return judges


def parse_judge(source: str) -> SourceSpec:
    """Parse the source of a judge; raise `UsageError` if it is invalid, or a person."""
    specification = registry.parse_source(source)
    if specification.kind == "person":
        raise UsageError(
            "'me' can debate, but not judge or report.", "Name a model, and vote yourself after the debate."
        )
    return specification


def plan_reporter(settings: config.Settings, judges: Sequence[SourceSpec], topic: str) -> SourceSpec | None:
    """Return who reports on the debate: the first judge or the source in the settings, or `None`.

    Raise `UsageError` if there is no judge, or if the source is invalid, `ConfigError` if its key is missing.
    """
    wanted = str(settings.report)
    if wanted.lower() in ("", "false"):
        return None
    if wanted.lower() == "true":
        if not judges:
            raise UsageError(
                "A report needs a judge to write it.",
                "Add one with --judge SOURCE, or name the source of the report: --report=SOURCE.",
            )
        return judges[0]
    specification = parse_judge(wanted)
    registry.check_availability(specification)
    typed = specification.parameters
    same_source = (
        judge
        for judge in judges
        if (judge.scheme, judge.detail) == (specification.scheme, specification.detail)
        and typed in (NO_PARAMETERS, judge.parameters)
    )
    return next(same_source, None) or assign_voices(topic, [specification])[0]


_JUDGING = re.compile(r"(?P<judge>.*?)\s*(?P<report>--report(=(?P<source>.*))?)?", re.DOTALL)


def parse_judging(text: str) -> config.Settings:
    """Return the settings for what is typed to judge a finished debate, such as ``demo --report``.

    Raise `UsageError` if a source is invalid or missing.
    """
    typed = _JUDGING.fullmatch(text.strip())
    assert typed is not None  # everything in it is optional
    judges = () if typed["source"] and not typed["judge"] else (typed["judge"],)
    settings = config.Settings(judge=judges, report=typed["source"] or bool(typed["report"]))
    for source in (*judges, *filter(None, [typed["source"]])):
        parse_judge(source)
    return settings


def assign_voices(topic: str, source_specs: Sequence[SourceSpec]) -> list[SourceSpec]:
    """Give each demo debater without a voice an unused one, chosen by topic."""
    if all(specification.kind != "demo" or specification.detail for specification in source_specs):
        return list(source_specs)
    from debate_tui.sources.demo import VOICES, pick_voices

    used_voices = {specification.detail for specification in source_specs}
    free = iter(
        [voice for voice in pick_voices(len(VOICES), seed=sum(topic.encode())) if voice not in used_voices]
    )
    return [
        SourceSpec("demo", "demo", next(free))
        if specification.kind == "demo" and not specification.detail
        else specification
        for specification in source_specs
    ]
