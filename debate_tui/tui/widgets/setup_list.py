"""The start screen's list of settings (debaters, format, mode, judges), and its help."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.domain.debate import assign_sides
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.key_hints import MODE_DESCRIPTIONS, MODE_SUMMARIES
from debate_tui.tui.setup_form import MIN_DEBATERS, SetupItem, field_label, format_mismatch, profile_text
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.option_list import SelectableList
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, clip, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from textual.events import Click

    from debate_tui.domain.debate import Format, Phase
    from debate_tui.tui.setup_form import DebateSetup, SetupItemKind, SourceOption
    from debate_tui.tui.symbols import Glyphs


LABEL_CELLS = 11
NUMBER_CELLS = 3
SOURCE_CELLS = 29
SIDE_CELLS = 11
MIN_NOTE_CELLS = 8
"""Below this number of cells, the note on a source is not shown."""
MAX_SOURCE_CHARACTERS = 200

_LABELS: dict[SetupItemKind, str] = {
    "debater": "Debaters",
    "format": "Format",
    "mode": "Mode",
    "judge": "Judges",
}
_SECTION_STARTS = ("format", "judge", "begin")
"""Items with a blank row above them."""


class SetupList(SelectableList):
    """The list for a setup; the owner changes it on `ActionRequested` and calls `update`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "change(-1)"),
        Binding("right", "change(1)"),
        Binding("enter,space", "open"),
        Binding("delete,backspace,minus", "remove"),
        Binding("plus", "add"),
        Binding("e", "edit"),
    ]

    class ActionRequested(Message):
        """Posted to request an action for an item.

        ``change`` selects the option `steps` after the current one, ``open`` shows all options, ``remove``
        removes the item, and ``edit`` edits the debater's profile.
        """

        def __init__(
            self, action: Literal["change", "open", "remove", "edit"], item: SetupItem, steps: int = 0
        ) -> None:
            super().__init__()
            self.action = action
            self.item = item
            self.steps = steps

    class MovedAbove(Message):
        """Posted when the user moves up from the first item."""

    def __init__(self, setup: DebateSetup, formats: Mapping[str, Format], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._formats = formats
        self._source_notes: dict[str, str] = {}
        self._setup = setup
        self._items = setup.items

    def update(self, setup: DebateSetup, source_options: Sequence[SourceOption]) -> None:
        """Show this setup; `source_options` describes its sources."""
        here = self.highlighted_item
        self._setup = setup
        self._source_notes = {offer.source: offer.summary for offer in source_options}
        self._items = setup.items
        self.styles.height = self.preferred_height
        same = [place for place, item in enumerate(self._items) if item.kind == here.kind]
        self._highlighted = max(
            (place for place in same if self._items[place].position <= here.position), default=same[0]
        )
        self.highlight(self._highlighted)
        self.refresh_rows()

    @property
    def highlighted_item(self) -> SetupItem:
        """The highlighted item."""
        return self._items[self._highlighted]

    @property
    def count(self) -> int:
        """Number of items."""
        return len(self._items)

    @property
    def visible_count(self) -> int:
        """Number of items that fit; blank rows are dropped first."""
        return max(1, self.size.height)

    @property
    def preferred_height(self) -> int:
        """Number of rows needed, including blank ones between the sections."""
        return len(self._items) + len(_SECTION_STARTS)

    # Rendering

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the rows of the visible items."""
        return tuple(
            Row() if place is None else self._item_row(place, width) for place in self._item_indexes()
        )

    def _item_indexes(self) -> list[int | None]:
        """Return the index of the item in each row, or `None` for a blank row."""
        height = self.size.height
        if height < self.preferred_height:
            return [*range(self._first_visible, min(self._first_visible + height, self.count))]
        laid: list[int | None] = []
        for place, item in enumerate(self._items):
            laid += [None, place] if item.kind in _SECTION_STARTS and item.position == 0 else [place]
        return laid

    def _item_row(self, index: int, width: int) -> Row:
        item = self._items[index]
        here = index == self._highlighted and self.has_focus
        mark = Piece(f"{self._glyphs.interjection} " if here else "  ", Tone.FOCUS, bold=True)
        if item.kind == "begin":
            begin = f"{self._glyphs.streaming} Begin the debate"
            return Row((mark, Piece(begin, Tone.FOCUS, bold=True)))
        label = Piece(_LABELS[item.kind] if item.position == 0 else "", Tone.QUIET)
        *value, told = self._value_pieces(item, Tone.FOCUS if here else Tone.TEXT)
        pieces = (mark, self._pad_to(label, LABEL_CELLS), *value)
        return Row((*pieces, told) if width - pieces_width(pieces) >= MIN_NOTE_CELLS else pieces)

    def _value_pieces(self, item: SetupItem, tone: Tone) -> tuple[Piece, ...]:
        proposal = self._setup
        match item.kind:
            case "debater":
                return self._source_pieces(proposal.debaters, item.position, tone, self._sides)
            case "judge":
                return self._source_pieces(proposal.judges, item.position, tone, ())
            case "format":
                value, told = proposal.format, self._format_note()
            case _:
                value, told = proposal.mode.value, Piece(MODE_SUMMARIES[proposal.mode], Tone.QUIET)
        return self._pad_to(Piece(value, tone), NUMBER_CELLS + SOURCE_CELLS), told

    def _source_pieces(
        self, sources: tuple[str, ...], index: int, tone: Tone, sides: tuple[str, ...]
    ) -> tuple[Piece, ...]:
        if index == len(sources):
            tone = tone if tone is Tone.FOCUS else Tone.QUIET
            return Piece("+".ljust(NUMBER_CELLS), tone), Piece("one more" if sources else "nobody yet", tone)
        source = sources[index]
        name = self._setup.profile(index).name if sources is self._setup.debaters else ""
        shown = f"{name}={source}" if name else source
        number = Piece(str(index + 1).ljust(NUMBER_CELLS), tone if tone is Tone.FOCUS else Tone.QUIET)
        value = self._pad_to(Piece(one_line(shown, MAX_SOURCE_CHARACTERS), tone), SOURCE_CELLS)
        about = Piece(one_line(self._source_notes.get(source, "")), Tone.QUIET)
        if any(sides):
            return (
                number,
                value,
                self._pad_to(Piece(one_line(sides[index], MAX_SOURCE_CHARACTERS)), SIDE_CELLS),
                about,
            )
        return number, value, about

    @property
    def _sides(self) -> tuple[str, ...]:
        format_, count = self._formats.get(self._setup.format), len(self._setup.debaters)
        dealt = assign_sides(format_, count) if format_ is not None else ("",) * count
        return tuple(self._setup.profile(place).side or side for place, side in enumerate(dealt))

    def _format_note(self) -> Piece:
        format_ = self._formats.get(self._setup.format)
        if format_ is None:
            return Piece("")
        if wrong := format_mismatch(format_, len(self._setup.debaters)):
            return Piece(wrong, Tone.RECONNECTING)
        return Piece(one_line(format_.title, 60), Tone.QUIET)

    def _pad_to(self, piece: Piece, cells: int) -> Piece:
        """Pad or cut a piece to exactly `cells` cells, the last one blank."""
        (cut,) = clip((piece,), cells - 1, self.ellipsis) or (piece._replace(text=""),)
        return cut._replace(text=cut.text + " " * (cells - cell_len(cut.text)))

    # Keys

    def action_move(self, steps: int) -> None:
        """Move the highlight up or down; above the first item, leave the list."""
        if self._highlighted + steps < 0:
            self.post_message(self.MovedAbove())
        else:
            self.highlight(self._highlighted + steps)

    def action_change(self, steps: int) -> None:
        """Select another option for the item."""
        self.post_message(self.ActionRequested("change", self.highlighted_item, steps))

    def action_open(self) -> None:
        """Show all options for the item."""
        self.post_message(self.ActionRequested("open", self.highlighted_item))

    def action_edit(self) -> None:
        """Edit the debater's profile."""
        self.post_message(self.ActionRequested("edit", self.highlighted_item))

    def action_remove(self) -> None:
        """Remove the item."""
        self.post_message(self.ActionRequested("remove", self.highlighted_item))

    def action_add(self) -> None:
        """Add a judge if a judge is highlighted, else a debater."""
        what: SetupItemKind = "judge" if self.highlighted_item.kind == "judge" else "debater"
        sources = self._setup.judges if what == "judge" else self._setup.debaters
        if (item := SetupItem(what, len(sources))) in self._items:
            self.post_message(self.ActionRequested("open", item))

    def on_click(self, event: Click) -> None:
        """Open the clicked item."""
        laid = self._item_indexes()
        place = laid[event.y] if event.y < len(laid) else None
        if place is not None:
            self.highlight(place)
            self.action_open()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the highlight only while the list has the focus."""
        super().watch_has_focus(has_focus)
        self.refresh_rows()


# The start screen's help for the focused item.


EXAMPLE_TOPICS = (
    "Should cities ban private cars?",
    "Is it wrong to eat meat?",
    "Tabs or spaces?",
    "Would you rather live forever?",
)
MAX_HELP_CHARACTERS = 2000
_OUTCOME_DESCRIPTIONS = {
    "none": "Nobody wins: you make up your own mind.",
    "swing": "Whoever moves more opinions wins.",
    "panel": "Judges decide.",
    "consensus": "It ends with what all agree on.",
    "ranking": "The debaters rank each other's answers.",
}


class SetupHelp(TextRows):
    """Help for an item, as much as fits; the topic is the item `None`."""

    inset = 2

    def __init__(self, formats: Mapping[str, Format], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._formats = formats
        self._build_help: Callable[[int], Iterator[Row]] = self._topic_rows

    def update(
        self, item: SetupItem | None, setup: DebateSetup, source_options: Sequence[SourceOption]
    ) -> None:
        """Show the help for an item of this setup; `source_options` describes its sources."""
        about = {offer.source: offer.description for offer in source_options}
        format_ = self._formats.get(setup.format)

        def tell(width: int) -> Iterator[Row]:
            match item and item.kind:
                case None:
                    return self._topic_rows(width)
                case "debater":
                    return self._debater_rows(setup, item.position if item else 0, about, width)
                case "judge":
                    return self._judge_rows(width)
                case "mode":
                    return self._mode_rows(setup, width)
                case "format" if format_ is not None:
                    return self._format_rows(format_, len(setup.debaters), width)
                case _:
                    return self._begin_rows(setup, format_, width)

        self._build_help = tell
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the help; what does not fit is cut off at the end."""
        height = self.size.height
        return (*self._build_help(max(width, 10)), *[Row()] * height)[:height]

    def _topic_rows(self, width: int) -> Iterator[Row]:
        yield _title_row("The topic")
        yield from _paragraph_rows("A question, or a motion to argue for and against. Such as:", width)
        yield Row()
        for example in EXAMPLE_TOPICS:
            yield Row((Piece(example),))

    def _debater_rows(
        self, setup: DebateSetup, index: int, about: Mapping[str, str], width: int
    ) -> Iterator[Row]:
        sources, role = setup.debaters, setup.profile(index)
        if index == len(sources):
            yield _title_row("One more debater")
            yield from _paragraph_rows("Two to four can debate. The format deals out the sides.", width)
            return
        source = sources[index]
        yield _title_row(one_line(source, 200))
        yield from _paragraph_rows(about.get(source, ""), width)
        for name in ("name", "side", "persona", *role.to_public()):
            if value := profile_text(role, name):
                shown = ", ".join(role.headers) if name == "headers" else value
                yield from _paragraph_rows(f"{field_label(name).capitalize()}: {one_line(shown)}", width)
        if len(sources) > MIN_DEBATERS:
            yield Row()
            yield from _paragraph_rows("Delete leaves it out.", width)

    def _judge_rows(self, width: int) -> Iterator[Row]:
        yield _title_row("Judges")
        yield from _paragraph_rows(
            "Each reads the debate twice, the sides in either order and without names, and says who argued "
            "better. A judge that decides differently each time has seen a tie.",
            width,
        )
        yield Row()
        yield from _paragraph_rows("Better ones are of another family than the debaters.", width)

    def _mode_rows(self, setup: DebateSetup, width: int) -> Iterator[Row]:
        yield _title_row("When words appear")
        for mode, about in MODE_DESCRIPTIONS.items():
            yield Row((Piece(mode.value, Tone.FOCUS if mode is setup.mode else Tone.TEXT),))
            yield from _paragraph_rows(f"{about}.", width)
        yield Row()
        yield from _paragraph_rows("It can be changed at any time, with m.", width)

    def _format_rows(self, format_: Format, debaters: int, width: int) -> Iterator[Row]:
        yield _title_row(one_line(format_.title, 60))
        if wrong := format_mismatch(format_, debaters):
            yield Row((Piece(f"{wrong[0].upper()}{wrong[1:]}.", Tone.RECONNECTING),))
        yield from _paragraph_rows(format_.description, width)
        yield Row()
        for phase in format_.phases:
            yield Row((Piece(one_line(phase.title, 40)),), (Piece(self._phase_length(phase), Tone.QUIET),))
        yield Row()
        yield from _paragraph_rows(_OUTCOME_DESCRIPTIONS[format_.outcome], width)

    def _phase_length(self, phase: Phase) -> str:
        times = f"{phase.rounds} {self._glyphs.times} " if phase.rounds > 1 else ""
        return f"{times}{phase.words} words" if phase.words else times.removesuffix(f" {self._glyphs.times} ")

    def _begin_rows(self, setup: DebateSetup, format_: Format | None, width: int) -> Iterator[Row]:
        yield _title_row("Begin")
        if format_ is None:
            return
        debaters = len(setup.with_min_debaters(format_).debaters)
        turns = sum(phase.rounds * (len(phase.speakers) or debaters) for phase in format_.phases)
        words = sum(p.rounds * (len(p.speakers) or debaters) * p.words for p in format_.phases)
        told = f"{debaters} debaters, {turns} turns"
        yield from _paragraph_rows(f"{told}, about {words:,} words." if words else f"{told}.", width)


def _title_row(text: str) -> Row:
    return Row((Piece(text, bold=True),))


def _paragraph_rows(text: str, width: int) -> Iterator[Row]:
    for line in textwrap.wrap(one_line(text, MAX_HELP_CHARACTERS), width):
        yield Row((Piece(line, Tone.QUIET),))
