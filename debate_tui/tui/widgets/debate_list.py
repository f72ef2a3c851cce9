"""The list of recorded debates, and the details of one of them."""

from __future__ import annotations

import textwrap
import time
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import debate_state
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.badge import Badge
from debate_tui.tui.widgets.option_list import SelectableList
from debate_tui.tui.widgets.rows import Piece, Row, TextRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.events import Click

    from debate_tui.record.summary import DebateSummary
    from debate_tui.tui.symbols import Glyphs


# Descriptions of a recorded debate: when it took place and how it ended.


_ENDING_LOOKS = {
    "complete": ("done", Tone.FINISHED),
    "stopped": ("stopped", Tone.PAUSED),
    "failed": ("failed", Tone.FAILED),
    "live": ("streaming", Tone.STREAMING),
    "interrupted": ("cut", Tone.PAUSED),
}


def ending_badge(summary: DebateSummary) -> Badge:
    """Return how a debate ended; one without an end is still live or was interrupted."""
    state = debate_state(summary.finished, live=summary.live)
    glyph, tone = _ENDING_LOOKS[state]
    return Badge(glyph, state, tone)


def format_when(seconds: float, now: float) -> str:
    """Return a time in local time, relative to `now`; both are seconds since the epoch."""
    moment, today = (datetime.fromtimestamp(at).astimezone() for at in (seconds, now))
    days = (today.date() - moment.date()).days
    if days == 0:
        return f"today {moment:%H:%M}"
    if days == 1:
        return f"yesterday {moment:%H:%M}"
    return f"{moment:%Y-%m-%d %H:%M}"


def debater_names(summary: DebateSummary) -> str:
    """Return the debaters' names."""
    return ", ".join(one_line(debater.name, 40) for debater in summary.debaters)


MIN_SPACED_HEIGHT = 30
"""Rows from which debates are separated by blank rows."""

MAX_TOPIC_CHARACTERS = 400
LABEL_CELLS = 9


class DebateList(SelectableList):
    """A list with two rows per debate, the newest first, of which one is highlighted."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("g", "first"), Binding("G", "last")]

    class Opened(Message):
        """Posted when a debate is double-clicked."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._summaries: tuple[DebateSummary, ...] = ()
        self._empty_text: tuple[str, ...] = ()

    def update(
        self, summaries: Sequence[DebateSummary], empty_text: Sequence[str], highlighted_id: str = ""
    ) -> None:
        """Show these debates and highlight the one with the id `highlighted_id`, if present.

        `empty_text` is shown if there are none.
        """
        self._summaries = tuple(summaries)
        self._empty_text = tuple(empty_text)
        places = (place for place, summary in enumerate(summaries) if summary.debate == highlighted_id)
        self.highlight(next(places, self._highlighted))

    @property
    def highlighted_debate(self) -> DebateSummary | None:
        """The highlighted debate."""
        return self._summaries[self._highlighted] if self._summaries else None

    @property
    def count(self) -> int:
        """Number of debates, visible or not."""
        return len(self._summaries)

    @property
    def visible_count(self) -> int:
        """Number of debates that fit."""
        return (self.size.height + self._rows_per_debate - 2) // self._rows_per_debate

    @property
    def _rows_per_debate(self) -> int:
        return 3 if self.size.height >= MIN_SPACED_HEIGHT else 2

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the rows of the visible debates."""
        height = self.size.height
        rows: list[Row] = []
        for place in range(self._first_visible, min(self._first_visible + self.visible_count, self.count)):
            rows += self._debate_rows(place)
        if not self.count:
            rows = [Row((Piece(line, Tone.QUIET),)) for line in ("", *self._empty_text)]
        return (*rows, *[Row()] * height)[:height]

    def _debate_rows(self, index: int) -> list[Row]:
        summary, glyphs = self._summaries[index], self._glyphs
        here = index == self._highlighted
        badge = ending_badge(summary)
        mark = Piece(f"{glyphs.interjection} " if here else "  ", Tone.FOCUS, bold=True)
        topic = Piece(
            one_line(summary.topic, MAX_TOPIC_CHARACTERS), Tone.FOCUS if here else Tone.TEXT, bold=True
        )
        facts = (
            format_when(summary.started, time.time()),
            one_line(summary.format, 40),
            debater_names(summary),
        )
        rows = [
            Row((mark, topic), (Piece(badge.text(glyphs), badge.tone),)),
            Row((Piece(f"  {f' {glyphs.separator} '.join(facts)}", Tone.QUIET),)),
        ]
        return [*rows, *[Row()] * (self._rows_per_debate - len(rows))]

    def on_click(self, event: Click) -> None:
        """Highlight the clicked debate; a double click opens it."""
        place = self._first_visible + event.y // self._rows_per_debate
        if place >= self.count:
            return
        self.highlight(place)
        if event.chain == 2:
            self.post_message(self.Opened())


class DebateDetails(TextRows):
    """Details of one debate: topic, times, format and debaters."""

    inset = 2

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.ellipsis = glyphs.ellipsis
        self._summary: DebateSummary | None = None

    def update(self, summary: DebateSummary | None) -> None:
        """Show this debate."""
        self._summary = summary
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return all details; those that do not fit are cut off at the end."""
        height = self.size.height
        rows = list(self._detail_rows(self._summary, width)) if self._summary is not None else []
        return (*rows, *[Row()] * height)[:height]

    def _detail_rows(self, summary: DebateSummary, width: int) -> Iterator[Row]:
        glyphs = self._glyphs
        badge = ending_badge(summary)
        for line in textwrap.wrap(one_line(summary.topic, MAX_TOPIC_CHARACTERS), max(width, 10)):
            yield Row((Piece(line, bold=True),))
        yield Row()
        yield Row((Piece(badge.text(glyphs), badge.tone, bold=True),))
        yield Row()
        now = time.time()
        yield _fact_row("begun", format_when(summary.started, now))
        yield _fact_row("ended" if summary.finished else "last word", format_when(summary.updated, now))
        yield _fact_row("format", one_line(summary.format, 40))
        yield _fact_row("events", f"{summary.events:,}")
        yield _fact_row("id", summary.debate)
        for debater in summary.debaters:
            yield Row()
            name = Piece(one_line(debater.name, 40), bold=True)
            side = one_line(debater.side, 40)
            yield Row((name, Piece(f" {glyphs.separator} {side}" if side else "", Tone.QUIET)))
            yield Row((Piece(one_line(debater.model or debater.source, 80), Tone.QUIET),))


def _fact_row(label: str, value: str) -> Row:
    return Row((Piece(label.ljust(LABEL_CELLS + 2), Tone.QUIET), Piece(value)))
