"""The data of the start screen: a debate that has not been validated yet, and how to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain.debate import ModelParameters, fill_debaters, format_parameter, parse_parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.debate import Format

MAX_DEBATERS = 4
MIN_DEBATERS = 2
MAX_JUDGES = 3

SetupItemKind = Literal["debater", "format", "mode", "judge", "begin"]


class SetupItem(NamedTuple):
    """An item of the form.

    `position` is the index of a debater or judge; the index after the last stands for adding one.
    """

    kind: SetupItemKind
    position: int = 0


class SourceOption(Struct, frozen=True):
    """An available source, written as for ``-d``.

    `summary` describes it in a word or two, `description` in a sentence.
    """

    source: str
    summary: str = ""
    description: str = ""


class DebaterProfile(ModelParameters, frozen=True, kw_only=True):
    """A debater's settings besides its source; an empty name or side is set automatically.

    The parameters only apply to models: see `takes_parameters`.
    """

    name: str = ""
    side: str = ""
    persona: str = ""


EMPTY_PROFILE = DebaterProfile()

_SOURCES_WITHOUT_MODEL = frozenset({"demo", "http", "https", "ws", "wss"})


def takes_parameters(source: str) -> bool:
    """Return whether a source is a model, whose parameters can be set."""
    return source.partition(":")[0].lower() not in _SOURCES_WITHOUT_MODEL


def field_label(name: str) -> str:
    """Return the label of a profile field."""
    return name.replace("_", " ")


def profile_text(profile: DebaterProfile, name: str) -> str:
    """Return a profile field as the user would type it."""
    return (
        format_parameter(profile, name)
        if name in ModelParameters.__struct_fields__
        else getattr(profile, name)
    )


def parse_profile_field(name: str, text: str) -> Any:
    """Parse a profile field from typed text; raise `UsageError` if it is invalid."""
    return parse_parameter(name, text) if name in ModelParameters.__struct_fields__ else text


class DebateSetup(Struct, frozen=True, kw_only=True):
    """A debate being set up; debaters and judges are sources, `format` is a name.

    `profiles` are in the order of the debaters; debaters after the last profile have none.
    """

    topic: str = ""
    debaters: tuple[str, ...] = ("demo", "demo")
    profiles: tuple[DebaterProfile, ...] = ()
    format: str = "oxford"
    mode: DisplayMode = DisplayMode.HYBRID
    judges: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[SetupItem, ...]:
        """The items of the form from top to bottom; the last one starts the debate."""
        debaters = min(len(self.debaters) + 1, MAX_DEBATERS)
        judges = min(len(self.judges) + 1, MAX_JUDGES)
        return (
            *(SetupItem("debater", place) for place in range(debaters)),
            SetupItem("format"),
            SetupItem("mode"),
            *(SetupItem("judge", place) for place in range(judges)),
            SetupItem("begin"),
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of the debaters, then of the judges."""
        return (*self.debaters, *self.judges)

    def source(self, item: SetupItem) -> str:
        """Return the source of a debater or judge; empty for the item that adds one."""
        sources = self._sources_like(item)
        return sources[item.position] if item.position < len(sources) else ""

    def profile(self, position: int) -> DebaterProfile:
        """Return the profile of the debater at an index."""
        return self.profiles[position] if position < len(self.profiles) else EMPTY_PROFILE

    def with_profile(self, position: int, profile: DebaterProfile) -> DebateSetup:
        """Return a copy with another profile for the debater at an index."""
        profiles = [self.profile(each) for each in range(len(self.debaters))]
        profiles[position] = profile
        return replace(self, profiles=tuple(profiles))

    def with_source(self, item: SetupItem, source: str) -> DebateSetup:
        """Return a copy with another source for a debater or judge, or with one added."""
        sources = self._sources_like(item)
        return self._with_sources(item, (*sources[: item.position], source, *sources[item.position + 1 :]))

    def can_remove(self, item: SetupItem) -> bool:
        """Return whether an item can be removed."""
        least = {"debater": MIN_DEBATERS, "judge": 0}.get(item.kind)
        return least is not None and least < len(self._sources_like(item)) > item.position

    def without(self, item: SetupItem) -> DebateSetup:
        """Return a copy without a debater or judge, or the same setup if it cannot be removed."""
        sources = self._sources_like(item)
        if not self.can_remove(item):
            return self
        less = self._with_sources(item, sources[: item.position] + sources[item.position + 1 :])
        if item.kind != "debater":
            return less
        return replace(less, profiles=self.profiles[: item.position] + self.profiles[item.position + 1 :])

    def cycled(
        self, item: SetupItem, steps: int, options: Sequence[SourceOption], formats: Sequence[str]
    ) -> DebateSetup:
        """Return a copy with the option that is `steps` after the current one."""
        match item.kind:
            case "format":
                return replace(self, format=cycle(self.format, formats, steps))
            case "mode":
                return replace(self, mode=DisplayMode(cycle(self.mode.value, [*DisplayMode], steps)))
            case "begin":
                return self
        sources = [offer.source for offer in options]
        now = self.source(item)
        if not now:
            return self.with_source(item, sources[0 if steps > 0 else -1])
        return self.with_source(item, cycle(now, sources, steps))

    def with_min_debaters(self, format_: Format) -> DebateSetup:
        """Return a copy with at least as many debaters as the format needs; see `debate.fill_debaters`."""
        return replace(self, debaters=fill_debaters(self.debaters, format_))

    def _sources_like(self, item: SetupItem) -> tuple[str, ...]:
        return self.judges if item.kind == "judge" else self.debaters

    def _with_sources(self, item: SetupItem, sources: tuple[str, ...]) -> DebateSetup:
        if item.kind == "judge":
            return replace(self, judges=sources[:MAX_JUDGES])
        return replace(self, debaters=sources[:MAX_DEBATERS])


def cycle(current: str, options: Sequence[str], steps: int) -> str:
    """Return the option `steps` after the current one, wrapping around.

    A `current` value that is not among the options counts as the first.
    """
    if current not in options:
        options = (current, *options)
    return options[(options.index(current) + steps) % len(options)]


def format_mismatch(format_: Format, debaters: int) -> str:
    """Return why a format does not fit this many debaters, and how many join; empty if it fits."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= debaters <= most:
        return ""
    takes = f"takes {least}" if least == most else f"takes {least} to {most}"
    joining = least - debaters
    return (
        f"{takes}: {joining} more join{'s' if joining == 1 else ''}" if joining > 0 else f"{takes} debaters"
    )
