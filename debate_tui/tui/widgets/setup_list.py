"""The start screen's list of the setup's items, one row each, and the help for each item."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import set_cell_size
from textual.binding import Binding, BindingType

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import count_of, format_estimate
from debate_tui.tui.key_hints import MODE_SUMMARIES
from debate_tui.tui.setup_form import (
    EXAMPLE_TOPICS,
    NAMES_CHOICES,
    NAMES_SUMMARIES,
    PACE_NAMES,
    PACE_SUMMARIES,
    SET_BY_FORMAT,
    SetupItem,
    format_mismatch,
    has_model,
    profile_fields,
    repeated_phases,
)
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.option_list import MarkedList
from debate_tui.tui.widgets.rows import Piece, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from debate_tui.domain.debate import Format, Phase
    from debate_tui.tui.setup_form import DebateSetup, SetupEstimate, SetupItemKind, SourceOption
    from debate_tui.tui.symbols import Glyphs


class SetupList(MarkedList):
    """The list of the setup's items; its keys run actions of the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move_up"),
        Binding("left", "screen.change(-1)"),
        Binding("right", "screen.change(1)"),
        Binding("space", "select"),
        Binding("delete,backspace,minus", "screen.remove"),
        Binding("plus", "screen.add"),
        Binding("e", "screen.edit"),
    ]
    marks_unfocused = False

    async def action_move_up(self) -> None:
        """Move the highlight up; from the first item, move to the topic."""
        if self.highlighted:
            self.action_cursor_up()
        else:
            await self.run_action("screen.focus_topic")


# The row of an item: its label, value and notes


NARROW_COLUMNS = 64
"""Below this many columns, rows have no notes and narrower columns."""

ITEM_LABELS: dict[SetupItemKind, str] = {
    "debater": "Debaters",
    "format": "Format",
    "rounds": "Rounds",
    "budget": "Budget",
    "mode": "Mode",
    "pace": "Pace",
    "blind": "Names",
    "judge": "Judges",
    "material": "Material",
    "begin": "Start the debate",
}
_ADD_TEXTS = {
    "debater": "Add a debater",
    "judge": "Add a judge",
    "material": "Add a file, a folder or a web page",
}


class SetupRows:
    """The rows of a setup's items on a screen of `width` columns."""

    def __init__(
        self,
        setup: DebateSetup,
        options: Sequence[SourceOption],
        format_: Format | None,
        glyphs: Glyphs,
        width: int,
        estimate: SetupEstimate,
    ) -> None:
        self._setup = setup
        self._options = options
        self._format = format_
        self._glyphs = glyphs
        self._estimate = estimate
        self._is_narrow = width < NARROW_COLUMNS
        self._label_cells, self._number_cells = (9, 2) if self._is_narrow else (11, 3)
        self._source_cells = min(29, width - 25) if self._is_narrow else 29
        self._value_cells, self._side_cells = (26, 9) if self._is_narrow else (32, 11)

    def row(self, item: SetupItem) -> tuple[Piece, ...]:
        label = ITEM_LABELS[item.kind]
        if item.kind == "begin":
            return (Piece(f"{self._glyphs.streaming} {label}", Tone.FOCUS, bold=True),)
        columns = [(Piece("" if item.position else label, Tone.QUIET), self._label_cells)]
        if item.kind in _ADD_TEXTS:
            columns += self._source_columns(item)
        else:
            columns.append((Piece(self._value(item.kind)), self._value_cells))
        fitted = (self._fit(piece, cells) for piece, cells in columns)
        note = self._note(item)
        adds = item.kind in _ADD_TEXTS and not self._setup.source(item)
        return (*fitted, *(() if self._is_narrow and not adds else (note,)))

    def _value(self, kind: SetupItemKind) -> str:
        setup = self._setup
        match kind:
            case "format":
                return setup.format
            case "rounds":
                return SET_BY_FORMAT if setup.rounds is None else str(setup.rounds)
            case "budget":
                return setup.budget
            case "pace":
                return PACE_NAMES[setup.step]
            case "blind":
                return NAMES_CHOICES[setup.blind]
        return setup.mode.value

    def _note(self, item: SetupItem) -> Piece:
        setup, format_ = self._setup, self._format
        match item.kind:
            case "format":
                wrong = format_mismatch(format_, len(setup.debaters)) if format_ is not None else ""
                title = format_.title if format_ is not None else ""
                return Piece(wrong, Tone.RECONNECTING) if wrong else Piece(title, Tone.QUIET)
            case "rounds":
                return self._rounds_note()
            case "budget":
                return self._cost_note()
            case "mode":
                return Piece(MODE_SUMMARIES[setup.mode], Tone.QUIET)
            case "pace":
                return Piece(PACE_SUMMARIES[setup.step], Tone.QUIET)
            case "blind":
                return Piece(NAMES_SUMMARIES[setup.blind], Tone.QUIET)
        source = setup.source(item)
        if not source:
            return Piece(_ADD_TEXTS[item.kind], Tone.QUIET)
        if item.kind == "material":
            return self._material_note(item)
        summary = next((option.summary for option in self._options if option.source == source), "")
        parameters = _parameter_texts(setup, item) if item.kind == "debater" else ()
        return Piece(", ".join(filter(None, (*parameters, summary))), Tone.QUIET)

    def _rounds_note(self) -> Piece:
        repeated = repeated_phases(self._format) if self._format is not None else ()
        if not repeated:
            wrong = self._setup.rounds is not None
            return Piece("no phase is repeated", Tone.RECONNECTING if wrong else Tone.QUIET)
        phases = (f"{phase.title} × {self._setup.rounds or phase.rounds}" for phase in repeated)
        return Piece(", ".join(phases), Tone.QUIET)

    def _cost_note(self) -> Piece:
        cost, limit = self._estimate.cost, self._setup.max_cost
        if cost is None:
            return Piece("")
        is_over = limit is not None and cost > limit
        text = format_estimate(cost)
        return Piece(
            f"{text}, over budget" if is_over else text, Tone.RECONNECTING if is_over else Tone.QUIET
        )

    def _material_note(self, item: SetupItem) -> Piece:
        """Return how much material there is, in the row of the last one, or why it cannot be used."""
        if item.position < len(self._setup.material) - 1:
            return Piece("")
        if self._estimate.problem:
            return Piece(self._estimate.problem, Tone.RECONNECTING)
        return Piece(self._estimate.tokens, Tone.QUIET)

    def _source_columns(self, item: SetupItem) -> list[tuple[Piece, int]]:
        """Return number, name and source or place, and side of a debater, a judge or material."""
        setup, source = self._setup, self._setup.source(item)
        number = (Piece(str(item.position + 1) if source else "+", Tone.QUIET), self._number_cells)
        if not source:
            return [number]
        if item.kind != "debater":
            return [number, (Piece(source), self._source_cells)]
        name, sides = setup.profile(item.position).name, setup.sides(self._format)
        return [
            number,
            (Piece(f"{name}={source}" if name else source), self._source_cells),
            *([(Piece(sides[item.position]), self._side_cells)] if any(sides) else []),
        ]

    def _fit(self, piece: Piece, cells: int) -> Piece:
        """Return a piece padded or cut to exactly `cells` cells, the last one blank; empty without room."""
        kept = clip((piece._replace(text=one_line(piece.text)),), cells - 1, self._glyphs.ellipsis)
        return piece._replace(text=set_cell_size("".join(each.text for each in kept), cells))


def _parameter_texts(setup: DebateSetup, item: SetupItem) -> Iterator[str]:
    """Yield a debater's parameters that fit into a row: ``effort high``."""
    profile = setup.profile(item.position)
    for field in profile_fields(setup.source(item)):
        if field.name in ("effort", "temperature") and (text := field.text(profile)):
            yield f"{field.label} {text}"


# The help for an item: a title and paragraphs


CONNECT_HELP = (
    "No model was found",
    "The scripted demo speaks until you connect one: set a key such as OPENAI_API_KEY or ANTHROPIC_API_KEY, "
    "or start Ollama, LM Studio or llama.cpp on this machine, and start debate-tui again.",
    "debate-tui doctor shows what is found; debate-tui help providers lists all providers.",
)
"""A title and paragraphs."""

_OUTCOME_DESCRIPTIONS = {
    "none": "There is no winner: you decide for yourself.",
    "swing": "The side that changes more opinions wins.",
    "panel": "Judges decide who wins.",
    "consensus": "It ends with what all debaters agree on.",
    "ranking": "The debaters rank each other's answers.",
}


_ITEM_HELP: Final[Mapping[str, tuple[str, ...]]] = {
    "judge": (
        "Judges",
        "Each judge reads the debate twice, with the sides in either order and without names, and says who "
        "argued better. If the two decisions differ, it is a tie.",
        "Judges are more reliable if their model is not related to the debaters' models.",
    ),
    "material": (
        "Material",
        "Files, folders and web pages. All debaters and judges get their text with every request, and "
        "debaters are asked to quote it. Like --context.",
    ),
    "mode": (
        "Display modes",
        "\n".join(f"{mode.value}: {summary}" for mode, summary in MODE_SUMMARIES.items()),
        "Press m during the debate to change it.",
    ),
    "pace": (
        "Pace",
        "With “step by step”, the debate waits between rounds, so that you can read. Like --step.",
        "Press w during the debate to change it.",
    ),
    "blind": (
        "Names",
        "Hidden: the debaters are A, B, C and D until you vote. Like --blind.",
        "Their places are random, and a model that names itself is masked.",
    ),
    "rounds": ("Rounds", "How many rounds each repeated phase has. Like -r."),
    "budget": (
        "Budget",
        "No new turn starts after this much is spent; turns that have started are finished. Like --max-cost "
        "and --max-tokens.",
        "The expected cost is a rough estimate from list prices, without reasoning.",
    ),
}
"""The help for items that need no more than a text: a title and paragraphs, by the item's kind."""


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
            examples = "\n".join(("For example:", *EXAMPLE_TOPICS[:4]))
            about = "A question, or a motion to argue for and against."
            return ("Topic", about, examples) if has_model(options) else (*CONNECT_HELP, about, examples)
        case SetupItem("debater"):
            return tuple(_debater_help(setup, item, options))
        case SetupItem("format") if format_ is not None:
            phases = "\n".join(f"{phase.title}: {_phase_length(phase)}" for phase in format_.phases)
            return format_.title, format_.description, phases, _OUTCOME_DESCRIPTIONS[format_.outcome]
        case SetupItem(kind) if kind in _ITEM_HELP:
            return _ITEM_HELP[kind]
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
    if not has_model(options):
        yield " ".join(CONNECT_HELP[1:])


def _phase_length(phase: Phase) -> str:
    if not phase.words:
        return count_of(phase.rounds, "round")
    return f"{phase.rounds} × {phase.words} words" if phase.rounds > 1 else f"{phase.words} words"


def _length(setup: DebateSetup, format_: Format) -> str:
    debaters = len(setup.with_min_debaters(format_).debaters)
    phases = setup.held_format(format_).phases
    turns = [(phase.rounds * (len(phase.speakers) or debaters), phase.words) for phase in phases]
    words = sum(count * length for count, length in turns)
    about = f", about {words:,} words" if words else ""
    return f"{count_of(debaters, 'debater')}, {count_of(sum(count for count, _ in turns), 'turn')}{about}."
