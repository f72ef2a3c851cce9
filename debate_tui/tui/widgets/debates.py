"""A list of recorded debates, and all that a list knows of one of them."""

from __future__ import annotations

import textwrap
import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.domain.sanitise import one_line
from debate_tui.tui.recorded import ending, names, when
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.line import Lines, Piece, Row
from debate_tui.tui.widgets.pointing import Pointing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.events import Click

    from debate_tui.record.summary import Summary
    from debate_tui.tui.glyphs import Glyphs

AIRY_FROM = 30
"""Rows from which there is a blank one between two debates."""

MAX_TOPIC = 400
LABEL = 9


class Debates(Pointing):
    """Two lines for each debate, the newest at the top; one of them is pointed at."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("g", "first"), Binding("G", "last")]

    class Opened(Message):
        """The debate that is pointed at was clicked on twice."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._summaries: tuple[Summary, ...] = ()
        self._empty: tuple[str, ...] = ()

    def show(self, summaries: Sequence[Summary], empty: Sequence[str], at: str = "") -> None:
        """Show these, pointing at the one with the id `at` if there; `empty` is said if there are none."""
        self._summaries = tuple(summaries)
        self._empty = tuple(empty)
        places = (place for place, summary in enumerate(summaries) if summary.debate == at)
        self.point(next(places, self._at))

    @property
    def chosen(self) -> Summary | None:
        """The debate that is pointed at."""
        return self._summaries[self._at] if self._summaries else None

    @property
    def count(self) -> int:
        """How many debates are shown, in view or not."""
        return len(self._summaries)

    @property
    def room(self) -> int:
        """How many of them fit."""
        return (self.size.height + self._step - 2) // self._step

    @property
    def _step(self) -> int:
        return 3 if self.size.height >= AIRY_FROM else 2

    def rows(self, width: int) -> tuple[Row, ...]:
        """The debates in view."""
        height = self.size.height
        rows: list[Row] = []
        for place in range(self._top, min(self._top + self.room, self.count)):
            rows += self._entry(place)
        if not self.count:
            rows = [Row((Piece(line, Tone.QUIET),)) for line in ("", *self._empty)]
        return (*rows, *[Row()] * height)[:height]

    def _entry(self, place: int) -> list[Row]:
        summary, glyphs = self._summaries[place], self._glyphs
        here = place == self._at
        badge = ending(summary)
        mark = Piece(f"{glyphs.interjection} " if here else "  ", Tone.FOCUS, bold=True)
        topic = Piece(one_line(summary.topic, MAX_TOPIC), Tone.FOCUS if here else Tone.TEXT, bold=True)
        facts = when(summary.started, time.time()), one_line(summary.format, 40), names(summary)
        rows = [
            Row((mark, topic), (Piece(badge.text(glyphs), badge.tone),)),
            Row((Piece(f"  {f' {glyphs.between} '.join(facts)}", Tone.QUIET),)),
        ]
        return [*rows, *[Row()] * (self._step - len(rows))]

    def on_click(self, event: Click) -> None:
        """Point at what is clicked on; twice opens it."""
        place = self._top + event.y // self._step
        if place >= self.count:
            return
        self.point(place)
        if event.chain == 2:
            self.post_message(self.Opened())


class Details(Lines):
    """One debate: its whole topic, when and how it was held, and by whom."""

    inset = 2

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._summary: Summary | None = None

    def show(self, summary: Summary | None) -> None:
        """Show this one from now on."""
        self._summary = summary
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Everything about it; what does not fit is left out at the end."""
        height = self.size.height
        rows = list(self._told(self._summary, width)) if self._summary is not None else []
        return (*rows, *[Row()] * height)[:height]

    def _told(self, summary: Summary, width: int) -> Iterator[Row]:
        glyphs = self._glyphs
        badge = ending(summary)
        for line in textwrap.wrap(one_line(summary.topic, MAX_TOPIC), max(width, 10)):
            yield Row((Piece(line, bold=True),))
        yield Row()
        yield Row((Piece(badge.text(glyphs), badge.tone, bold=True),))
        yield Row()
        now = time.time()
        yield _fact("begun", when(summary.started, now))
        yield _fact("ended" if summary.finished else "last word", when(summary.updated, now))
        yield _fact("format", one_line(summary.format, 40))
        yield _fact("events", f"{summary.events:,}")
        yield _fact("id", summary.debate)
        for debater in summary.debaters:
            yield Row()
            name = Piece(one_line(debater.name, 40), bold=True)
            side = one_line(debater.side, 40)
            yield Row((name, Piece(f" {glyphs.between} {side}" if side else "", Tone.QUIET)))
            yield Row((Piece(one_line(debater.model or debater.source, 80), Tone.QUIET),))


def _fact(label: str, value: str) -> Row:
    return Row((Piece(label.ljust(LABEL + 2), Tone.QUIET), Piece(value)))
