"""The start screen's form: a debate that is not validated yet, how to change it, its rows and its help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import set_cell_size

from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain.debate import (
    ModelParameters,
    assign_sides,
    fill_debaters,
    format_parameter,
    parse_parameter,
)
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import count_of
from debate_tui.tui.key_hints import MODE_SUMMARIES
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from debate_tui.domain.debate import Format, Phase
    from debate_tui.tui.symbols import Glyphs

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
_SOURCES_WITHOUT_MODEL = frozenset({"demo", "http", "https", "ws", "wss"})


def takes_parameters(source: str) -> bool:
    """Return whether a source is a model, whose parameters can be set."""
    return source.partition(":")[0].lower() not in _SOURCES_WITHOUT_MODEL


def profile_fields(source: str) -> tuple[ProfileField, ...]:
    """Return the profile fields that apply to a debater's source."""
    return _ROLE_FIELDS + (_MODEL_FIELDS if takes_parameters(source) else ())


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
        """Return the source of a debater or judge; empty for the item that adds one, and other items."""
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
        """Return a copy with another source for a debater or judge, or with one added."""
        sources = self._sources_like(item)
        return self._with_sources(item, (*sources[: item.position], source, *sources[item.position + 1 :]))

    def can_remove(self, item: SetupItem) -> bool:
        """Return whether an item can be removed."""
        least = MIN_DEBATERS if item.kind == "debater" else 0
        return least < len(self._sources_like(item)) > item.position

    def without(self, item: SetupItem) -> DebateSetup:
        """Return a copy without a debater or judge, or the same setup if it cannot be removed."""
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
                    SetupChoice(name, each.title, replace(self, format=name))
                    for name, each in formats.items()
                ]
            case "mode":
                return [
                    SetupChoice(mode.value, summary, replace(self, mode=mode))
                    for mode, summary in MODE_SUMMARIES.items()
                ]
            case "begin":
                return []
        return [
            SetupChoice(option.source, option.summary, self.with_source(item, option.source))
            for option in options
        ]

    def cycled(self, choices: Sequence[SetupChoice], steps: int) -> DebateSetup:
        """Return the choice `steps` after this setup, wrapping around; a missing one counts as the first."""
        setups = [choice.setup for choice in choices]
        if self not in setups:
            setups.insert(0, self)
        return setups[(setups.index(self) + steps) % len(setups)]

    def with_min_debaters(self, format_: Format) -> DebateSetup:
        """Return a copy with at least as many debaters as the format needs; see `debate.fill_debaters`."""
        return replace(self, debaters=fill_debaters(self.debaters, format_))

    def _sources_like(self, item: SetupItem) -> tuple[str, ...]:
        return {"debater": self.debaters, "judge": self.judges}.get(item.kind, ())

    def _with_sources(self, item: SetupItem, sources: tuple[str, ...]) -> DebateSetup:
        if item.kind == "judge":
            return replace(self, judges=sources[:MAX_JUDGES])
        return replace(self, debaters=sources[:MAX_DEBATERS])


def format_mismatch(format_: Format, debaters: int) -> str:
    """Return why a format does not fit this many debaters, or how many are added; empty if it fits."""
    least, most = format_.min_debaters, format_.max_debaters
    if least <= debaters <= most:
        return ""
    takes = f"needs {least}" if least == most else f"needs {least} to {most}"
    return f"{takes}: {least - debaters} will be added" if debaters < least else f"{takes} debaters"


# The row of an item: its label, value and notes.


LABEL_CELLS = 11
NUMBER_CELLS = 3
SOURCE_CELLS = 29
SIDE_CELLS = 11
ITEM_LABELS: dict[SetupItemKind, str] = {
    "debater": "Debaters",
    "format": "Format",
    "mode": "Mode",
    "judge": "Judges",
    "begin": "Start the debate",
}


def item_row(
    item: SetupItem,
    setup: DebateSetup,
    options: Sequence[SourceOption],
    formats: Mapping[str, Format],
    glyphs: Glyphs,
) -> tuple[Piece, ...]:
    """Return the row of an item."""
    label, format_ = ITEM_LABELS[item.kind], formats.get(setup.format)
    match item.kind:
        case "begin":
            return (Piece(f"{glyphs.streaming} {label}", Tone.FOCUS, bold=True),)
        case "mode":
            columns = [(Piece(setup.mode.value), NUMBER_CELLS + SOURCE_CELLS)]
            note = Piece(MODE_SUMMARIES[setup.mode], Tone.QUIET)
        case "format":
            columns = [(Piece(setup.format), NUMBER_CELLS + SOURCE_CELLS)]
            wrong = format_mismatch(format_, len(setup.debaters)) if format_ is not None else ""
            title = format_.title if format_ is not None else ""
            note = Piece(wrong, Tone.RECONNECTING) if wrong else Piece(title, Tone.QUIET)
        case _:
            columns = _source_columns(item, setup, format_)
            source = setup.source(item)
            summaries = (option.summary for option in options if option.source == source)
            note = Piece(next(summaries, "") if source else _ADD_TEXTS[item.kind], Tone.QUIET)
    columns.insert(0, (Piece("" if item.position else label, Tone.QUIET), LABEL_CELLS))
    return *(_fit(piece, cells, glyphs.ellipsis) for piece, cells in columns), note


_ADD_TEXTS = {"debater": "Add a debater", "judge": "Add a judge"}


def _source_columns(item: SetupItem, setup: DebateSetup, format_: Format | None) -> list[tuple[Piece, int]]:
    """Return number, name and source, and side of a debater or judge."""
    source = setup.source(item)
    number = Piece(str(item.position + 1) if source else "+", Tone.QUIET)
    if not source or item.kind == "judge":
        return [(number, NUMBER_CELLS), *([(Piece(source), SOURCE_CELLS)] if source else [])]
    name, sides = setup.profile(item.position).name, setup.sides(format_)
    return [
        (number, NUMBER_CELLS),
        (Piece(f"{name}={source}" if name else source), SOURCE_CELLS),
        *([(Piece(sides[item.position]), SIDE_CELLS)] if any(sides) else []),
    ]


def _fit(piece: Piece, cells: int, ellipsis: str) -> Piece:
    """Return a piece padded or cut to exactly `cells` cells, the last one blank."""
    (cut,) = clip((piece._replace(text=one_line(piece.text)),), cells - 1, ellipsis)
    return cut._replace(text=set_cell_size(cut.text, cells))


# The help for an item: a title and paragraphs.


_EXAMPLE_TOPICS = (
    "Should cities ban private cars?",
    "Is it wrong to eat meat?",
    "Tabs or spaces?",
    "Would you rather live forever?",
)
_OUTCOME_DESCRIPTIONS = {
    "none": "There is no winner: you decide for yourself.",
    "swing": "The side that changes more opinions wins.",
    "panel": "Judges decide who wins.",
    "consensus": "It ends with what all debaters agree on.",
    "ranking": "The debaters rank each other's answers.",
}


def help_text(
    item: SetupItem | None,
    setup: DebateSetup,
    options: Sequence[SourceOption],
    formats: Mapping[str, Format],
) -> tuple[str, ...]:
    """Return the help for an item: a title and paragraphs; the topic is the item `None`."""
    format_ = formats.get(setup.format)
    match item:
        case None:
            examples = "\n".join(_EXAMPLE_TOPICS)
            return "Topic", "A question, or a motion to argue for and against. For example:", examples
        case SetupItem("debater"):
            return tuple(_debater_help(setup, item, options))
        case SetupItem("judge"):
            return (
                "Judges",
                "Each judge reads the debate twice, with the sides in either order and without names, and "
                "says who argued better. If the two decisions differ, it is a tie.",
                "Judges are more reliable if their model is not related to the debaters' models.",
            )
        case SetupItem("mode"):
            modes = "\n".join(f"{mode.value}: {summary}" for mode, summary in MODE_SUMMARIES.items())
            return "Display modes", modes, "Press m during the debate to change it."
        case SetupItem("format") if format_ is not None:
            phases = "\n".join(f"{phase.title}: {_phase_length(phase)}" for phase in format_.phases)
            return format_.title, format_.description, phases, _OUTCOME_DESCRIPTIONS[format_.outcome]
    return "Start", *([_length(setup, format_)] if format_ is not None else [])


def _debater_help(setup: DebateSetup, item: SetupItem, options: Sequence[SourceOption]) -> Iterator[str]:
    source, profile = setup.source(item), setup.profile(item.position)
    if not source:
        yield from ("Add a debater", "Two to four can debate. Sides are set by the format.")
        return
    yield source
    yield next((option.description for option in options if option.source == source), "")
    values = ((field, field.text(profile)) for field in profile_fields(source))
    yield "\n".join(
        f"{field.label.capitalize()}: {', '.join(profile.headers) if field.name == 'headers' else text}"
        for field, text in values
        if text
    )
    if setup.can_remove(item):
        yield "Delete removes it."


def _phase_length(phase: Phase) -> str:
    if not phase.words:
        return count_of(phase.rounds, "round")
    return f"{phase.rounds} × {phase.words} words" if phase.rounds > 1 else f"{phase.words} words"


def _length(setup: DebateSetup, format_: Format) -> str:
    debaters = len(setup.with_min_debaters(format_).debaters)
    turns = [(phase.rounds * (len(phase.speakers) or debaters), phase.words) for phase in format_.phases]
    words = sum(count * length for count, length in turns)
    about = f", about {words:,} words" if words else ""
    return f"{count_of(debaters, 'debater')}, {count_of(sum(count for count, _ in turns), 'turn')}{about}."
