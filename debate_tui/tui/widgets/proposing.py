"""The start screen's list: who debates, how it is held, who judges, and the row that begins it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.domain.debate import deal_sides
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.modes import BRIEFLY
from debate_tui.tui.proposal import Item, misfit
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Piece, Row, clip, width_of
from debate_tui.tui.widgets.pointing import Pointing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.events import Click

    from debate_tui.domain.debate import Format
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.proposal import Offer, Proposal, What

LABEL = 11
NUMBER = 3
SOURCE = 29
SIDE = 11
LEAST = 8
"""Cells below which nothing is said of a source."""
MAX_SOURCE = 200

_LABELS: dict[What, str] = {"debater": "Debaters", "format": "Format", "mode": "Mode", "judge": "Judges"}
_PARTS = ("format", "judge", "begin")
"""What has a blank row above it."""


class Proposing(Pointing):
    """Shows a proposal; whoever hears of what is asked for changes it, and has it shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "change(-1)"),
        Binding("right", "change(1)"),
        Binding("enter,space", "open"),
        Binding("delete,backspace,minus", "remove"),
        Binding("plus", "add"),
        Binding("e", "edit"),
    ]

    class Asked(Message):
        """What is asked for an item: the next offer (`change`, `steps` on), all, none, or another role."""

        def __init__(
            self, how: Literal["change", "open", "remove", "edit"], item: Item, steps: int = 0
        ) -> None:
            super().__init__()
            self.how = how
            self.item = item
            self.steps = steps

    class Left(Message):
        """What is above the list is wanted."""

    def __init__(self, proposal: Proposal, formats: Mapping[str, Format], glyphs: Glyphs) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._glyphs = glyphs
        self._formats = formats
        self._about: dict[str, str] = {}
        self._proposal = proposal
        self._items = proposal.items

    def show(self, proposal: Proposal, offers: Sequence[Offer]) -> None:
        """Show this proposal; what is known of its sources is in `offers`."""
        here = self.item
        self._proposal = proposal
        self._about = {offer.source: offer.about for offer in offers}
        self._items = proposal.items
        self.styles.height = self.wanted_height
        same = [place for place, item in enumerate(self._items) if item.what == here.what]
        self._at = max((place for place in same if self._items[place].place <= here.place), default=same[0])
        self.point(self._at)
        self.sync()

    @property
    def item(self) -> Item:
        """What is pointed at."""
        return self._items[self._at]

    @property
    def count(self) -> int:
        """How many things there are to choose."""
        return len(self._items)

    @property
    def room(self) -> int:
        """How many of them fit; blank rows go first."""
        return max(1, self.size.height)

    @property
    def wanted_height(self) -> int:
        """The rows it takes with blank ones between its parts."""
        return len(self._items) + len(_PARTS)

    # What is shown

    def rows(self, width: int) -> tuple[Row, ...]:
        """The items in view."""
        return tuple(Row() if place is None else self._row(place, width) for place in self._laid())

    def _laid(self) -> list[int | None]:
        """Which item is in which row."""
        height = self.size.height
        if height < self.wanted_height:
            return [*range(self._top, min(self._top + height, self.count))]
        laid: list[int | None] = []
        for place, item in enumerate(self._items):
            laid += [None, place] if item.what in _PARTS and item.place == 0 else [place]
        return laid

    def _row(self, place: int, width: int) -> Row:
        item = self._items[place]
        here = place == self._at and self.has_focus
        mark = Piece(f"{self._glyphs.interjection} " if here else "  ", Tone.FOCUS, bold=True)
        if item.what == "begin":
            begin = f"{self._glyphs.streaming} Begin the debate"
            return Row((mark, Piece(begin, Tone.FOCUS, bold=True)))
        label = Piece(_LABELS[item.what] if item.place == 0 else "", Tone.QUIET)
        *value, told = self._value(item, Tone.FOCUS if here else Tone.TEXT)
        pieces = (mark, self._filled(label, LABEL), *value)
        return Row((*pieces, told) if width - width_of(pieces) >= LEAST else pieces)

    def _value(self, item: Item, tone: Tone) -> tuple[Piece, ...]:
        proposal = self._proposal
        match item.what:
            case "debater":
                return self._source(proposal.debaters, item.place, tone, self._sides)
            case "judge":
                return self._source(proposal.judges, item.place, tone, ())
            case "format":
                value, told = proposal.format, self._format_told()
            case _:
                value, told = proposal.mode.value, Piece(BRIEFLY[proposal.mode], Tone.QUIET)
        return self._filled(Piece(value, tone), NUMBER + SOURCE), told

    def _source(
        self, sources: tuple[str, ...], place: int, tone: Tone, sides: tuple[str, ...]
    ) -> tuple[Piece, ...]:
        if place == len(sources):
            tone = tone if tone is Tone.FOCUS else Tone.QUIET
            return Piece("+".ljust(NUMBER), tone), Piece("one more" if sources else "nobody yet", tone)
        source = sources[place]
        name = self._proposal.role(place).name if sources is self._proposal.debaters else ""
        shown = f"{name}={source}" if name else source
        number = Piece(str(place + 1).ljust(NUMBER), tone if tone is Tone.FOCUS else Tone.QUIET)
        value = self._filled(Piece(one_line(shown, MAX_SOURCE), tone), SOURCE)
        about = Piece(one_line(self._about.get(source, "")), Tone.QUIET)
        if any(sides):
            return number, value, self._filled(Piece(one_line(sides[place], MAX_SOURCE)), SIDE), about
        return number, value, about

    @property
    def _sides(self) -> tuple[str, ...]:
        format_, count = self._formats.get(self._proposal.format), len(self._proposal.debaters)
        dealt = deal_sides(format_, count) if format_ is not None else ("",) * count
        return tuple(self._proposal.role(place).side or side for place, side in enumerate(dealt))

    def _format_told(self) -> Piece:
        format_ = self._formats.get(self._proposal.format)
        if format_ is None:
            return Piece("")
        if wrong := misfit(format_, len(self._proposal.debaters)):
            return Piece(wrong, Tone.RECONNECTING)
        return Piece(one_line(format_.title, 60), Tone.QUIET)

    def _filled(self, piece: Piece, cells: int) -> Piece:
        """A piece that takes exactly so many cells, the last one blank."""
        (cut,) = clip((piece,), cells - 1, self.ellipsis) or (piece._replace(text=""),)
        return cut._replace(text=cut.text + " " * (cells - cell_len(cut.text)))

    # Keys

    def action_move(self, steps: int) -> None:
        """Point further up or down; above the first row is what is above the list."""
        if self._at + steps < 0:
            self.post_message(self.Left())
        else:
            self.point(self._at + steps)

    def action_change(self, steps: int) -> None:
        """The next thing offered here, or the one before."""
        self.post_message(self.Asked("change", self.item, steps))

    def action_open(self) -> None:
        """All that is offered here."""
        self.post_message(self.Asked("open", self.item))

    def action_edit(self) -> None:
        """Give a debater another name, side or persona."""
        self.post_message(self.Asked("edit", self.item))

    def action_remove(self) -> None:
        """Leave this one out."""
        self.post_message(self.Asked("remove", self.item))

    def action_add(self) -> None:
        """One more of those that are pointed at, else one more debater."""
        what: What = "judge" if self.item.what == "judge" else "debater"
        sources = self._proposal.judges if what == "judge" else self._proposal.debaters
        if (item := Item(what, len(sources))) in self._items:
            self.post_message(self.Asked("open", item))

    def on_click(self, event: Click) -> None:
        """Open what is clicked on."""
        laid = self._laid()
        place = laid[event.y] if event.y < len(laid) else None
        if place is not None:
            self.point(place)
            self.action_open()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Nothing is pointed at while the keys are elsewhere."""
        super().watch_has_focus(has_focus)
        self.sync()
