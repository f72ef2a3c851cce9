"""Plans for debates, made from settings and options and checked before anything connects."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui import config
from debate_tui.cli.format_files import find_format
from debate_tui.cli.judges import assign_voices, plan_judges
from debate_tui.domain.debate import (
    NO_PARAMETERS,
    Debater,
    Format,
    assign_sides,
    check_debater_count,
    mask_debaters,
    with_round_count,
)
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.domain.events import DebaterInfo, Event
from debate_tui.domain.formats import DEFAULT_FORMAT
from debate_tui.domain.material import Material
from debate_tui.sources import registry
from debate_tui.sources.providers import configure_providers, providers
from debate_tui.sources.registry import SourceSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from debate_tui.sources.prices import Rates


def load_settings(options: Mapping[str, object], *, debate_file: Path | None = None) -> config.Settings:
    """Load the settings with `config.load_settings`, and register the user's providers.

    Raise `ConfigError` if the debate file, which may come from anyone, has a source that runs a command.
    """
    layers = config.load_layers(options, debate_file=debate_file)
    settings = config.combine_layers(layers)
    configure_providers({name: provider.fields for name, provider in settings.provider.items()})
    in_debate_file = (layer.sources for layer in layers if debate_file and layer.file == debate_file)
    for source in chain.from_iterable(in_debate_file):
        if registry.is_agent(source) and registry.parse_source(source).runs_command:
            raise ConfigError(
                f"{debate_file} runs the command '{source}', which is not allowed in a debate file.",
                f"Use a known agent, or move it to {config.user_file()}.",
            )
    return settings


_DEFAULT_NAMES = ("Ada", "Ben", "Cleo", "Dan")


class PlannedDebater(Struct, frozen=True):
    """A debater with its settings and parsed source."""

    debater: Debater
    settings: config.DebaterSettings
    source_spec: SourceSpec

    @property
    def reads_material(self) -> bool:
        """Whether the source gets all of its prompt and uses it, or a person can read the material."""
        match self.source_spec.kind:
            case "demo":
                return False
            case "local":
                return bool(self.source_spec.detail)
            case "endpoint":
                return self.settings.method != "GET"
            case _:
                return True

    @property
    def info(self) -> DebaterInfo:
        """What the debate's first event will say about the debater."""
        debater = self.debater
        return DebaterInfo(
            debater.id, debater.name, debater.side, debater.source, self.source_spec.model, debater.parameters
        )


class RunOptions(Struct, frozen=True):
    """How a debate is run and shown; options that cannot be set in a file.

    With `chaos`, the demo's streams break on purpose. With `stats`, stream statistics are printed at the end.
    Connections, waits, faults and recoveries are appended to `stream_log_file`. The debate is hosted at
    `share_address` if that is set. `sides` and `personas` are typed for single debaters, by their names.
    `context` is the material for all, `context_for` pairs the name of a debater with material for it alone.
    """

    plain: bool = False
    json_lines: bool = False
    chaos: bool = False
    stats: bool = False
    stream_log_file: Path | None = None
    share_address: str = ""
    sides: dict[str, str] = {}
    personas: dict[str, str] = {}
    context: tuple[str, ...] = ()
    context_for: tuple[tuple[str, str], ...] = ()

    @property
    def debate_parts(self) -> tuple[Collection[object], ...]:
        """The options that say what is debated, and so cannot change when a debate is resumed."""
        return self.sides, self.personas, self.context, self.context_for


DEFAULT_OPTIONS = RunOptions()


class Plan(Struct, frozen=True):
    """A debate that is ready to start.

    `reporter` writes the report on it: one of the `judges` or another source, `None` without a report.
    `notice` stays on screen during the debate. `past_events` are the events of a debate to resume, and
    `debate` is its id. `left_out` are the files in folders of the material that have no text. A `blind`
    debate shows its debaters under letters, in the order of `debaters`.
    """

    topic: str
    format: Format
    debaters: tuple[PlannedDebater, ...]
    settings: config.Settings
    judges: tuple[SourceSpec, ...] = ()
    reporter: SourceSpec | None = None
    notice: str = ""
    past_events: tuple[Event, ...] = ()
    debate: str = ""
    options: RunOptions = DEFAULT_OPTIONS
    material: tuple[Material, ...] = ()
    left_out: tuple[str, ...] = ()
    blind: bool = False

    @property
    def source_specs(self) -> tuple[SourceSpec, ...]:
        """The sources of all debaters and judges, and of the reporter."""
        debaters = (each.source_spec for each in self.debaters)
        return (*debaters, *self.judges, *filter(None, [self.reporter]))

    @property
    def asks_for_material(self) -> bool:
        """Whether options or settings name material to be read."""
        named = (self.options.context, self.options.context_for, self.settings.context)
        return any(named) or any(each.settings.context for each in self.debaters)

    @property
    def shown_debaters(self) -> tuple[Debater, ...]:
        """The debaters as the debate shows them, to each other as well."""
        debaters = tuple(each.debater for each in self.debaters)
        return mask_debaters(debaters) if self.blind else debaters

    @property
    def shown_infos(self) -> tuple[DebaterInfo, ...]:
        """What the debate's first event will say about the debaters."""
        if not self.blind:
            return tuple(each.info for each in self.debaters)
        return tuple(DebaterInfo(each.id, each.name, each.side, "", "") for each in self.shown_debaters)


def make_plan(
    topic: str,
    debaters: Sequence[config.DebaterSettings],
    settings: config.Settings,
    options: RunOptions = DEFAULT_OPTIONS,
) -> Plan:
    """Make a plan without material, checking everything that can be checked before connecting.

    Raise `UsageError` for wrong input, `ConfigError` for a missing key or an invalid format file.
    """
    source_specs = [registry.parse_source(seat.source) for seat in debaters]
    format_ = _choose_format(debaters, source_specs, settings)
    check_debater_count(format_, len(debaters))
    if options.chaos and any(specification.kind != "demo" for specification in source_specs):
        raise UsageError("--chaos works only with the demo.", "Use -d demo, or no -d at all.")
    for specification in source_specs:
        registry.check_availability(specification)
    judges, reporter = plan_judges(settings, topic)
    planned_debaters = _plan_debaters(format_, debaters, assign_voices(topic, source_specs), options)
    plan = Plan(
        topic,
        format_,
        planned_debaters,
        settings,
        tuple(judges),
        reporter,
        notice=make_notice(planned_debaters, judges, blind=settings.blind),
        options=options,
        blind=settings.blind,
    )
    return shuffle_places(plan) if plan.blind else plan


def _plan_debaters(
    format_: Format,
    debaters: Sequence[config.DebaterSettings],
    source_specs: Sequence[SourceSpec],
    options: RunOptions,
) -> tuple[PlannedDebater, ...]:
    names = _debater_names(debaters, source_specs)
    debaters = _with_roles(debaters, names, options)
    sides = assign_sides(format_, len(debaters))
    return tuple(
        PlannedDebater(
            Debater(
                id=f"d{number}",
                name=name,
                side=seat.side or side,
                source=specification.public_name,
                persona=seat.persona,
                parameters=specification.merge_parameters(seat).to_public(),
            ),
            seat,
            specification,
        )
        for number, (seat, specification, name, side) in enumerate(
            zip(debaters, source_specs, names, sides, strict=True), 1
        )
    )


def _with_roles(
    debaters: Sequence[config.DebaterSettings], names: Sequence[str], options: RunOptions
) -> list[config.DebaterSettings]:
    """Return the debaters with the sides and personas of `options`; raise `UsageError` for unknown names."""
    changed = list(debaters)
    for field, typed in (("side", options.sides), ("persona", options.personas)):
        for name, text in typed.items():
            place = find_debater(names, name, field)
            changed[place] = msgspec.structs.replace(changed[place], **{field: text})
    return changed


def check_without_screen(plan: Plan) -> None:
    """Raise `UsageError` if a person debates, which needs the full screen."""
    if any(each.source_spec.kind == "person" for each in plan.debaters):
        from debate_tui.sources.person import needs_terminal

        raise needs_terminal()


def find_debater(names: Sequence[str], name: str, option: str) -> int:
    """Return the place of the debater named by an option; raise `UsageError` if there is none."""
    places = {name.casefold(): place for place, name in enumerate(names)}
    if (place := places.get(name.casefold())) is None:
        raise UsageError(
            f"--{option}: no debater is named '{name}'.",
            f"The debaters are: {', '.join(names)}. Name your own with -d NAME=SOURCE.",
        )
    return place


def swap_sides(plan: Plan) -> Plan:
    """Return a plan for the same debate with each debater in the next one's place, and so on its side.

    Those of a blind debate are shuffled instead: otherwise the letters would be known.
    """
    again = msgspec.structs.replace(plan, past_events=(), debate="")
    if plan.blind:
        return shuffle_places(again)
    seats = (*plan.debaters[1:], *plan.debaters[:1])
    moved = tuple(
        PlannedDebater(
            seat.debater, msgspec.structs.replace(seat.settings, side=place.settings.side), seat.source_spec
        )
        for place, seat in zip(plan.debaters, seats, strict=True)
    )
    return _with_places(again, moved, [place.debater.side for place in plan.debaters])


def shuffle_places(plan: Plan) -> Plan:
    """Return a plan with the debaters in random places; those with a side of their own keep it."""
    from random import SystemRandom

    seats = list(plan.debaters)
    SystemRandom().shuffle(seats)
    given = iter([place.debater.side for place in plan.debaters if not place.settings.side])
    return _with_places(plan, seats, [seat.settings.side or next(given) for seat in seats])


def _with_places(plan: Plan, seats: Sequence[PlannedDebater], sides: Sequence[str]) -> Plan:
    """Return a plan with its debaters in this order, on these sides; hidden material moves with them."""
    ids = [place.debater.id for place in plan.debaters]
    moved_to = {seat.debater.id: place for seat, place in zip(seats, ids, strict=True)}
    return msgspec.structs.replace(
        plan,
        debaters=tuple(
            PlannedDebater(
                msgspec.structs.replace(seat.debater, id=moved_to[seat.debater.id], side=side),
                seat.settings,
                seat.source_spec,
            )
            for seat, side in zip(seats, sides, strict=True)
        ),
        material=tuple(
            msgspec.structs.replace(each, debater=moved_to.get(each.debater, "")) for each in plan.material
        ),
    )


def default_judge(plan: Plan) -> str:
    """Return the judge to propose for a debate: its own, the last one used, or one of its models.

    A blind debate does not show its models.
    """
    debaters = () if plan.blind else plan.debaters
    specifications = (*plan.judges, *(each.source_spec for each in debaters))
    judges = [
        "demo" if each.kind == "demo" else each.public_name
        for each in specifications
        if each.kind not in ("endpoint", "person")
    ]
    known = [] if plan.judges else [*(config.load_remembered().judges or ())]
    return next(iter([*known, *judges]), "")


def price_rates(settings: config.Settings) -> dict[str, Rates]:
    """Return the user's own prices by model."""
    from debate_tui.sources.prices import Rates

    return {name: Rates(price.input, price.output, price.cached) for name, price in settings.price.items()}


def _choose_format(
    debaters: Sequence[config.DebaterSettings], source_specs: Iterable[SourceSpec], settings: config.Settings
) -> Format:
    all_receive_only = all(
        specification.kind == "endpoint" and seat.method == "GET"
        for seat, specification in zip(debaters, source_specs, strict=True)
    )
    chosen = find_format(settings.format or ("listen" if all_receive_only else DEFAULT_FORMAT))
    return chosen if settings.rounds is None else with_round_count(chosen, settings.rounds)


def _debater_names(
    debaters: Sequence[config.DebaterSettings], source_specs: Sequence[SourceSpec]
) -> list[str]:
    """Return the debaters' names: the configured one, else the demo voice's, else the next default name.

    A name that is already in use gets a number.
    """
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


BLIND_NOTICE = "Blind debate: you see who the debaters are at the end."


def make_notice(
    debaters: Sequence[PlannedDebater], judges: Iterable[SourceSpec], *, blind: bool = False
) -> str:
    """Return the notice shown during the debate: what to know about its sources and judges.

    That of a blind debate says nothing about them, unless all debaters are scripted.
    """
    source_specs = [each.source_spec for each in debaters]
    if blind:
        is_demo = all(each.kind == "demo" for each in source_specs)
        return " ".join(filter(None, (BLIND_NOTICE, _sources_notice(source_specs) if is_demo else "")))
    notices = (
        _sources_notice(source_specs),
        _parameters_notice(debaters),
        _bias_notice(judges, source_specs),
    )
    return " ".join(filter(None, notices))


def _bias_notice(judges: Iterable[SourceSpec], debaters: Iterable[SourceSpec]) -> str:
    """Return a warning if judges share a debater's model family: models prefer their own family's text."""
    families = {_model_family(each) for each in debaters} - {""}
    related = dict.fromkeys(judge.public_name for judge in judges if _model_family(judge) in families)
    if not related:
        return ""
    judge = "judges its" if len(related) == 1 else "judge their"
    return f"Not impartial: {', '.join(related)} {judge} own model family."


def _model_family(source_spec: SourceSpec) -> str:
    """Return who makes a model, else how its name begins; nothing if the source is no model."""
    if source_spec.kind not in ("agent", "provider", "local") or source_spec.runs_command:
        return ""
    name = source_spec.detail.rpartition("/")[2].lower()
    makers = [each.name for each in providers().values() if each.needs_key and name.startswith(each.families)]
    beginning = re.match("[a-z]*", name)
    return next(iter(makers), "") or (beginning and beginning[0]) or source_spec.scheme


def _parameters_notice(debaters: Iterable[PlannedDebater]) -> str:
    """Return a notice about parameters that have no effect because the source is not a model."""
    names = [
        each.debater.name
        for each in debaters
        if each.settings.parameters != NO_PARAMETERS and not each.source_spec.takes_parameters
    ]
    return f"Parameters have no effect for {', '.join(names)}: only models use them." if names else ""


def _sources_notice(source_specs: Sequence[SourceSpec]) -> str:
    """Return the notice about scripted or very small sources."""
    if any(each.kind == "demo" for each in source_specs):
        if not all(each.kind == "demo" for each in source_specs):
            return "Demo debaters are scripted: no model speaks for them."
        from debate_tui.sources.demo import DEMO_NOTICE

        return DEMO_NOTICE
    if any(each.kind == "local" and not each.detail for each in source_specs):
        from debate_tui.sources import local_model

        return local_model.BUNDLED_NOTICE
    return ""
