"""The start screen's form: a debate that is not validated yet, and how to change it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain.debate import (
    ModelParameters,
    assign_sides,
    fill_debaters,
    format_parameter,
    parse_parameter,
    with_round_count,
)
from debate_tui.domain.errors import UsageError
from debate_tui.domain.wording import format_money
from debate_tui.tui.key_hints import MODE_SUMMARIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from debate_tui.domain.debate import Format, Phase

MAX_DEBATERS = 4
MIN_DEBATERS = 2
MAX_JUDGES = 3

EXAMPLE_TOPICS = (
    "Should cities ban private cars?",
    "Is it wrong to eat meat?",
    "Would you rather live forever?",
    "Was the internet good for democracy?",
    "Should homework be abolished?",
    "Is a four-day week better for everyone?",
    "Should we bring back extinct animals?",
    "Tabs or spaces?",
)
OFFERED_ROUNDS = range(1, 7)
OFFERED_BUDGETS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""In US dollars."""

SetupItemKind = Literal[
    "debater", "format", "rounds", "budget", "mode", "pace", "blind", "judge", "material", "begin"
]


class SetupItem(NamedTuple):
    """An item of the form.

    `position` is the index of a debater, a judge or a piece of material; the index after the last stands for
    adding one.
    """

    kind: SetupItemKind
    position: int = 0


class SourceOption(Struct, frozen=True):
    """An available source, written as for ``-d``.

    `summary` describes it in a word or two, `description` in a sentence. What cannot judge can only debate.
    """

    source: str
    summary: str = ""
    description: str = ""
    can_judge: bool = True


class SetupEstimate(NamedTuple):
    """What is expected of a debate: its cost in US dollars, `None` if that is not known, and its material.

    `tokens` says roughly how much material there is, `problem` why it cannot be used; both may be empty.
    """

    cost: float | None = None
    tokens: str = ""
    problem: str = ""


class SetupChoice(NamedTuple):
    """An option for an item: its name, a short description, and the setup that results from it."""

    label: str
    description: str
    setup: DebateSetup


class DebaterProfile(ModelParameters, frozen=True, kw_only=True):
    """A debater's settings besides its source; an empty name or side is set automatically.

    The parameters only apply to models: see `takes_parameters`.
    """

    name: str = ""
    side: str = ""
    persona: str = ""


EMPTY_PROFILE = DebaterProfile()


class ProfileField(NamedTuple):
    """A field of a debater's profile: description, default and maximum length."""

    name: str
    key: str
    description: str
    default: str
    max_characters: int

    @property
    def label(self) -> str:
        """The name as shown to users."""
        return self.name.replace("_", " ")

    def text(self, profile: DebaterProfile) -> str:
        """Return the field of a profile as the user would type it."""
        value = getattr(profile, self.name)
        return format_parameter(profile, self.name) if self.name in _PARAMETERS else value

    def parse(self, text: str) -> Any:
        """Parse the field from typed text; raise `UsageError` if it is invalid."""
        return parse_parameter(self.name, text) if self.name in _PARAMETERS else text


_PARAMETERS = frozenset(ModelParameters.__struct_fields__)
_ROLE_FIELDS = (
    ProfileField("name", "n", "Shown above the pane and used by the other debaters.", "automatic", 40),
    ProfileField("side", "s", "What it argues for. Empty: set by the format.", "set by the format", 200),
    ProfileField("persona", "p", "Who it is and how it speaks, such as: a sceptical judge.", "none", 1000),
)
_MODEL_FIELDS = (
    ProfileField("effort", "e", "Reasoning effort: none, minimal, low, medium or high.", "not set", 10),
    ProfileField("temperature", "t", "Randomness of the text, from 0 to 2.", "not set", 10),
    ProfileField("seed", "d", "An integer that makes some models repeatable.", "not set", 20),
    ProfileField("max_output_tokens", "m", "Maximum tokens in one turn, including reasoning.", "not set", 10),
    ProfileField("system", "y", "Added to its instructions.", "none", 4000),
    ProfileField("extra_body", "x", 'JSON added to each request, such as {"top_k": 3}.', "none", 4000),
    ProfileField("headers", "h", 'HTTP headers as JSON, such as {"X-Team": "red"}.', "none", 4000),
)
_SOURCES_WITHOUT_PARAMETERS = frozenset({"acp", "demo", "http", "https", "me", "ws", "wss"})


def takes_parameters(source: str) -> bool:
    """Return whether a source is a model, whose parameters can be set."""
    return source.partition(":")[0].lower() not in _SOURCES_WITHOUT_PARAMETERS


def has_model(options: Sequence[SourceOption]) -> bool:
    """Return whether any of the sources is a model worth debating: the very small one does not count.

    An agent counts, though its model is its own business.
    """
    sources = [option.source for option in options if option.source != "local"]
    return any(takes_parameters(source) or source.startswith("acp:") for source in sources)


def profile_fields(source: str) -> tuple[ProfileField, ...]:
    """Return the profile fields that apply to a debater's source."""
    return _ROLE_FIELDS + (_MODEL_FIELDS if takes_parameters(source) else ())


class DebateSetup(Struct, frozen=True, kw_only=True):
    """A debate being set up; debaters and judges are sources, `format` is a name, `material` is places.

    `profiles` are in the order of the debaters; debaters after the last profile have none. `rounds`,
    `max_cost`, `max_tokens`, `step` and `blind` are as in the settings.
    """

    topic: str = ""
    debaters: tuple[str, ...] = ("demo", "demo")
    profiles: tuple[DebaterProfile, ...] = ()
    format: str = "oxford"
    mode: DisplayMode = DisplayMode.HYBRID
    judges: tuple[str, ...] = ()
    material: tuple[str, ...] = ()
    rounds: int | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    step: bool = False
    blind: bool = False

    @property
    def items(self) -> tuple[SetupItem, ...]:
        """The items of the form from top to bottom; the last one starts the debate."""
        debaters = min(len(self.debaters) + 1, MAX_DEBATERS)
        judges = min(len(self.judges) + 1, MAX_JUDGES)
        return (
            *(SetupItem("debater", place) for place in range(debaters)),
            SetupItem("format"),
            SetupItem("rounds"),
            SetupItem("budget"),
            SetupItem("mode"),
            SetupItem("pace"),
            SetupItem("blind"),
            *(SetupItem("judge", place) for place in range(judges)),
            *(SetupItem("material", place) for place in range(len(self.material) + 1)),
            SetupItem("begin"),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of the debaters, then of the judges."""
        return (*self.debaters, *self.judges)

    def source(self, item: SetupItem) -> str:
        """Return a debater's or judge's source or a place of material; empty for the item that adds one."""
        sources = self._sources_like(item)
        return sources[item.position] if item.position < len(sources) else ""

    def sides(self, format_: Format | None) -> tuple[str, ...]:
        """Return the debaters' sides: their own, or those that the format assigns."""
        count = len(self.debaters)
        assigned = assign_sides(format_, count) if format_ is not None else ("",) * count
        return tuple(self.profile(place).side or side for place, side in enumerate(assigned))

    def profile(self, position: int) -> DebaterProfile:
        """Return the profile of the debater at an index."""
        return self.profiles[position] if position < len(self.profiles) else EMPTY_PROFILE

    def with_profile(self, position: int, profile: DebaterProfile) -> DebateSetup:
        """Return a copy with another profile for the debater at an index."""
        profiles = [self.profile(each) for each in range(len(self.debaters))]
        profiles[position] = profile
        return replace(self, profiles=tuple(profiles))

    def with_source(self, item: SetupItem, source: str) -> DebateSetup:
        """Return a copy with another source for a debater or judge, another place, or with one added."""
        sources = self._sources_like(item)
        return self._with_sources(item, (*sources[: item.position], source, *sources[item.position + 1 :]))

    def can_remove(self, item: SetupItem) -> bool:
        """Return whether an item can be removed."""
        least = MIN_DEBATERS if item.kind == "debater" else 0
        return least < len(self._sources_like(item)) > item.position

    def without(self, item: SetupItem) -> DebateSetup:
        """Return a copy without a debater, a judge or material; the same setup if it cannot be removed."""
        if not self.can_remove(item):
            return self
        sources = self._sources_like(item)
        less = self._with_sources(item, sources[: item.position] + sources[item.position + 1 :])
        if item.kind != "debater":
            return less
        return replace(less, profiles=self.profiles[: item.position] + self.profiles[item.position + 1 :])

    def choices(
        self, item: SetupItem, options: Sequence[SourceOption], formats: Mapping[str, Format]
    ) -> list[SetupChoice]:
        """Return all options for an item."""
        match item.kind:
            case "format":
                return [
                    SetupChoice(name, each.title, self.with_format(each)) for name, each in formats.items()
                ]
            case "rounds":
                return self._round_choices(formats.get(self.format))
            case "budget":
                return [
                    SetupChoice(NO_LIMIT, "", replace(self, max_cost=None, max_tokens=None)),
                    *(
                        SetupChoice(format_money(cost), "", replace(self, max_cost=cost))
                        for cost in OFFERED_BUDGETS
                    ),
                ]
            case "pace":
                return [
                    SetupChoice(PACE_NAMES[step], PACE_SUMMARIES[step], replace(self, step=step))
                    for step in (False, True)
                ]
            case "blind":
                return [
                    SetupChoice(NAMES_CHOICES[blind], NAMES_SUMMARIES[blind], replace(self, blind=blind))
                    for blind in (False, True)
                ]
            case "mode":
                return [
                    SetupChoice(mode.value, summary, replace(self, mode=mode))
                    for mode, summary in MODE_SUMMARIES.items()
                ]
            case "material" | "begin":
                return []
        return [
            SetupChoice(option.source, option.summary, self.with_source(item, option.source))
            for option in options
            if option.can_judge or item.kind == "debater"
        ]

    def _round_choices(self, format_: Format | None) -> list[SetupChoice]:
        counts = OFFERED_ROUNDS if format_ is not None and repeated_phases(format_) else ()
        return [
            SetupChoice(SET_BY_FORMAT, "", replace(self, rounds=None)),
            *(SetupChoice(str(count), "", replace(self, rounds=count)) for count in counts),
        ]

    def with_format(self, format_: Format) -> DebateSetup:
        """Return a copy with another format; a number of rounds is kept if the format repeats a phase."""
        return replace(self, format=format_.name, rounds=self.rounds if repeated_phases(format_) else None)

    def with_typed(self, item: SetupItem, text: str) -> DebateSetup:
        """Return a copy with what was typed for an item; raise `UsageError` if it is invalid."""
        match item.kind:
            case "rounds":
                return replace(self, rounds=_parse_rounds(text))
            case "budget":
                return replace(self, **_parse_budget(text))
        return self.with_source(item, text)

    @property
    def budget(self) -> str:
        """The limits of money and tokens, in words."""
        limits = [format_money(self.max_cost)] if self.max_cost is not None else []
        limits += [f"{self.max_tokens:,} tokens"] if self.max_tokens is not None else []
        return " or ".join(limits) or NO_LIMIT

    def cycled(self, choices: Sequence[SetupChoice], steps: int) -> DebateSetup:
        """Return the choice `steps` after this setup, wrapping around; a missing one counts as the first."""
        setups = [choice.setup for choice in choices]
        if self not in setups:
            setups.insert(0, self)
        return setups[(setups.index(self) + steps) % len(setups)]

    def held_format(self, format_: Format) -> Format:
        """Return the format with the chosen number of rounds, if it repeats a phase."""
        if self.rounds is None or not repeated_phases(format_):
            return format_
        return with_round_count(format_, self.rounds)

    def with_min_debaters(self, format_: Format) -> DebateSetup:
        """Return a copy with at least as many debaters as the format needs; see `debate.fill_debaters`."""
        return replace(self, debaters=fill_debaters(self.debaters, format_))

    def _sources_like(self, item: SetupItem) -> tuple[str, ...]:
        listed = {"debater": self.debaters, "judge": self.judges, "material": self.material}
        return listed.get(item.kind, ())

    def _with_sources(self, item: SetupItem, sources: tuple[str, ...]) -> DebateSetup:
        if item.kind == "judge":
            return replace(self, judges=sources[:MAX_JUDGES])
        if item.kind == "material":
            return replace(self, material=sources)
        return replace(self, debaters=sources[:MAX_DEBATERS])


def format_mismatch(format_: Format, debaters: int) -> str:
    """Return why a format does not fit this many debaters, or how many are added; empty if it fits."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= debaters <= most:
        return ""
    takes = f"needs {least}" if least == most else f"needs {least} to {most}"
    return f"{takes}: {least - debaters} will be added" if debaters < least else f"{takes} debaters"


# Rounds and budget


SET_BY_FORMAT = "set by the format"
NO_LIMIT = "no limit"
PACE_NAMES = ("continuous", "step by step")
PACE_SUMMARIES = ("without waiting", "a key starts each round")
"""Names and summaries without and with waiting."""
NAMES_CHOICES = ("shown", "hidden")
NAMES_SUMMARIES = ("from the start", "until the vote")
"""Whether the debaters' names are shown: names and summaries without and with a blind debate."""


def repeated_phases(format_: Format) -> tuple[Phase, ...]:
    """Return the phases whose number of rounds can be set."""
    return tuple(phase for phase in format_.phases if phase.rounds > 1)


def _parse_rounds(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise UsageError(f"The number of rounds cannot be '{text}'.", "Use 1 or more.")


def _parse_budget(text: str) -> dict[str, float | int]:
    """Return the setting for an amount: of tokens if it says so, otherwise of US dollars."""
    amount, is_tokens = text.removeprefix("$").replace(",", "").split(), False
    if amount[1:] in (["token"], ["tokens"]):
        amount, is_tokens = amount[:1], True
    try:
        (number,) = map(int if is_tokens else float, amount)
    except ValueError:
        number = 0
    if not math.isfinite(number) or number <= 0:
        raise UsageError(
            f"The budget cannot be '{text}'.",
            "Use US dollars, such as 0.75, or tokens, such as 20000 tokens.",
        )
    return {"max_tokens" if is_tokens else "max_cost": number}
