"""What is going to be debated, by whom, and how: settings and options, checked and made definite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui import config
from debate_tui.domain.debate import (
    Debater,
    Format,
    assign_sides,
    check_debater_count,
    fill_debaters,
    with_round_count,
)
from debate_tui.domain.errors import UsageError
from debate_tui.domain.events import Event
from debate_tui.domain.formats import DEFAULT_FORMAT
from debate_tui.sources import registry
from debate_tui.sources.registry import SourceSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DEFAULT_NAMES = ("Ada", "Ben", "Cleo", "Dan")


class PlannedDebater(Struct, frozen=True):
    """A debater, and what its source is made from."""

    debater: Debater
    settings: config.DebaterSettings
    source_spec: SourceSpec


class Plan(Struct, frozen=True):
    """A debate that can begin.

    `notice` is said on screen as long as it lasts; with `chaos`, its streams break on purpose. `past_events`
    are the events of a debate that is taken up again, and `debate` its id. With `stats` its figures are told
    at the end; what its streams go through is written to the file `stream_log_file`. It is hosted at the
    address `share_address`, if there is one; once it is, `sharing_notice` says where others watch it.
    """

    topic: str
    format: Format
    debaters: tuple[PlannedDebater, ...]
    settings: config.Settings
    notice: str = ""
    chaos: bool = False
    judges: tuple[SourceSpec, ...] = ()
    past_events: tuple[Event, ...] = ()
    debate: str = ""
    stats: bool = False
    stream_log_file: Path | None = None
    share_address: str = ""
    sharing_notice: str = ""


def make_plan(
    topic: str, debaters: Sequence[config.DebaterSettings], settings: config.Settings, *, chaos: bool = False
) -> Plan:
    """Check everything that can be checked before anything is connected.

    Raises `UsageError` for what was typed wrongly, `ConfigError` for a missing key or a wrong format file.
    """
    source_specs = [registry.parse_source(seat.source) for seat in debaters]
    format_ = _choose_format(debaters, source_specs, settings)
    check_debater_count(format_, len(debaters))
    for specification in source_specs:
        registry.check_availability(specification)
    if chaos and any(specification.kind != "demo" for specification in source_specs):
        raise UsageError("--chaos breaks the demo's streams only.", "Leave -d out, or say -d demo.")
    judges = assign_voices(topic, [registry.parse_source(text) for text in settings.judge])
    for judge in judges:
        registry.check_availability(judge)
    source_specs = assign_voices(topic, source_specs)
    sides = assign_sides(format_, len(debaters))
    planned_debaters = tuple(
        PlannedDebater(
            Debater(
                id=f"d{place + 1}",
                name=name,
                side=seat.side or sides[place],
                source=specification.public_name,
                persona=seat.persona,
            ),
            seat,
            specification,
        )
        for place, (seat, specification, name) in enumerate(
            zip(debaters, source_specs, _debater_names(debaters, source_specs), strict=True)
        )
    )
    notice_text = " ".join(
        filter(None, (sources_notice(source_specs), judge_bias_notice(judges, source_specs)))
    )
    return Plan(topic, format_, planned_debaters, settings, notice_text, chaos, tuple(judges))


def default_debaters(sources: Sequence[str], settings: config.Settings) -> tuple[config.DebaterSettings, ...]:
    """Seats for who named no debater: of these sources as many as the format takes, some more than once.

    Raises as `make_plan` does where there is no such format.
    """
    format_ = config.find_format(settings.format or DEFAULT_FORMAT)
    return tuple(
        config.DebaterSettings(source=source)
        for source in fill_debaters(sources, format_)[: format_.max_debaters]
    )


def _choose_format(
    debaters: Sequence[config.DebaterSettings], source_specs: Iterable[SourceSpec], settings: config.Settings
) -> Format:
    all_receive_only = all(
        specification.kind == "endpoint" and seat.method == "GET"
        for seat, specification in zip(debaters, source_specs, strict=True)
    )
    chosen = config.find_format(settings.format or ("listen" if all_receive_only else DEFAULT_FORMAT))
    return chosen if settings.rounds is None else with_round_count(chosen, settings.rounds)


def assign_voices(topic: str, source_specs: Sequence[SourceSpec]) -> list[SourceSpec]:
    """Give each demo debater without a voice one that nobody else has; another topic, another cast."""
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


def _debater_names(
    debaters: Sequence[config.DebaterSettings], source_specs: Sequence[SourceSpec]
) -> list[str]:
    """What the debaters are called: as asked for, a voice after itself, the others in turn; no two alike."""
    names: list[str] = []
    for seat, specification in zip(debaters, source_specs, strict=True):
        voice = _voice_name(specification)
        wanted = seat.name or voice or next(name for name in _DEFAULT_NAMES if name not in names)
        count = sum(name == wanted or name.startswith(f"{wanted} ") for name in names)
        names.append(f"{wanted} {count + 1}" if count else wanted)
    return names


def _voice_name(source_spec: SourceSpec) -> str:
    if source_spec.kind != "demo":
        return ""
    from debate_tui.sources.demo import VOICES

    return VOICES.get(source_spec.detail, "")


def judge_bias_notice(judges: Iterable[SourceSpec], debaters: Iterable[SourceSpec]) -> str:
    """What there is to say of judges that judge their own kind; models prefer their own family's words."""
    families = {each.scheme for each in debaters if each.kind in ("provider", "local")}
    related = dict.fromkeys(judge.public_name for judge in judges if judge.scheme in families)
    if not related:
        return ""
    judge = "judges its" if len(related) == 1 else "judge their"
    return f"Not impartial: {', '.join(related)} {judge} own model family."


def sources_notice(source_specs: Iterable[SourceSpec]) -> str:
    """What the screen says about these sources as long as the debate lasts."""
    source_specs = tuple(source_specs)
    scripted = [specification.kind == "demo" for specification in source_specs]
    if not any(scripted):
        return _local_model_notice(source_specs)
    if not all(scripted):
        return "Demo debaters are scripted: no model speaks for them."
    from debate_tui.sources.demo import DEMO_NOTICE

    return DEMO_NOTICE


def _local_model_notice(source_specs: Iterable[SourceSpec]) -> str:
    """How small the model in the box is, if it speaks."""
    if all(each.kind != "local" or each.detail for each in source_specs):
        return ""
    from debate_tui.sources import local_model

    return local_model.BUNDLED_NOTICE
