"""Stream statistics: every debater's figures, live, over the running debate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from rich.cells import cell_len
from textual.binding import Binding, BindingType

from debate_tui.display.statistics import wording
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.card import Overlay
from debate_tui.tui.tones import Tone
from debate_tui.tui.widgets.bars import axis, bars
from debate_tui.tui.widgets.line import Lines, Piece, Row, clip, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Resize
    from textual.geometry import Size

    from debate_tui.display.statistics import Figures, Report, Statistics
    from debate_tui.tui.glyphs import Glyphs
    from debate_tui.tui.speaker import Speaker

LOOK = 0.25
"""Seconds between two looks at the figures."""

LABEL = 13
ROOMY_LABEL = 16
ROOMY_COLUMN = 30
"""Cells of a column in which figures are written out in full."""
WIDEST_COLUMN = 64
GUTTER = 2
MARGIN = 3
TALLEST_BARS = 8
FREE_ROWS = 30
"""Rows of a terminal from which on the card leaves some of the debate to be seen."""


class StatisticsCard(Lines):
    """A column of figures for each debater, under its speed over time; below, everything that broke."""

    DEFAULT_CSS = "StatisticsCard { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(
        self,
        speakers: Sequence[Speaker],
        statistics: Statistics,
        report: Callable[[], Report],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._speakers = speakers
        self._statistics = statistics
        self._report = report
        self._glyphs = glyphs
        self._room = self._least = 0
        self._roomy = False
        self._label = LABEL
        self._column = 0
        self._rows: tuple[Row, ...] = ()

    def fit(self, size: Size) -> None:
        """Make the most of a screen of this size."""
        spare = 2 * MARGIN if size.height >= FREE_ROWS else 0
        self.inset = MARGIN if spare else 1
        inner = size.width - spare - 2 * self.inset
        count = max(1, len(self._speakers))
        self._roomy = inner // count >= ROOMY_COLUMN + ROOMY_LABEL // count
        self._label = ROOMY_LABEL if self._roomy else LABEL
        self._column = max(1, min((inner - self._label) // count, WIDEST_COLUMN))
        self._room = size.height - (4 if spare else 0)
        self._least = 0 if spare else size.height
        self.styles.width = self._label + count * self._column + 2 * self.inset if spare else size.width
        self.look()

    def look(self) -> None:
        """Look at the figures again, and show those that have changed."""
        rows = tuple(self._table(self._report()))
        grown = len(rows) != len(self._rows)
        self._rows = rows
        if grown:
            self.styles.height = max(len(rows), self._least)
        self.sync()

    def rows(self, width: int) -> tuple[Row, ...]:
        """What was there at the last look."""
        return self._rows

    def _table(self, report: Report) -> Iterator[Row]:
        figures = {each.debater: each for each in report.streams}
        streams = [figures.get(speaker.id) for speaker in self._speakers]
        measures = wording.live(report)
        broken = wording.incidents(report)
        tall, listed = self._share(self._room - len(measures) - 8, len(broken))
        yield Row()
        yield self._title(report)
        yield Row()
        yield self._across("", [self._who(speaker) for speaker in self._speakers])
        yield self._across("", [self._badge(speaker) for speaker in self._speakers])
        yield from self._speeds(tall, report.elapsed)
        yield Row()
        for measure in measures:
            yield self._across(measure.label, [self._value(measure, stream) for stream in streams])
        if listed:
            yield Row()
            yield from self._incidents(broken[-listed:])
        yield Row()

    @staticmethod
    def _share(spare: int, incidents: int) -> tuple[int, int]:
        """How many rows the bars and the incidents get."""
        listed = min(incidents, max(0, spare - 5))
        return max(1, min(TALLEST_BARS, spare - listed - bool(listed))), listed

    def _title(self, report: Report) -> Row:
        parts = [wording.clock(report.elapsed)]
        if report.painting is not None:
            parts += wording.painting(report.painting)
        right = self._parted([Piece(part, Tone.QUIET) for part in parts])
        return Row((Piece("Stream statistics", Tone.FOCUS, bold=True),), right)

    def _who(self, speaker: Speaker) -> tuple[Piece, ...]:
        info = speaker.info
        model = one_line(info.model, 60)
        name = Piece(one_line(info.name, 40), Tone.QUIET if speaker.removed else Tone.TEXT, bold=True)
        return (_longer(name, 2), Piece(model, Tone.QUIET)) if model and self._roomy else (name,)

    def _badge(self, speaker: Speaker) -> tuple[Piece, ...]:
        badge = speaker.badge(time.monotonic())
        text = badge.text(self._glyphs)
        if badge.details and cell_len(text) > self._column - GUTTER:
            text = replace(badge, word="").text(self._glyphs)
        return (Piece(text, badge.tone),)

    def _speeds(self, height: int, elapsed: float) -> Iterator[Row]:
        """Everybody's speed over time on one scale, and how far it reaches."""
        width = max(1, self._column - GUTTER)
        curves = [self._statistics.curve(speaker.id, width) for speaker in self._speakers]
        top = max((rate for curve in curves for rate in curve.rates), default=0.0)
        drawn = [bars(curve, height, top, self._glyphs) for curve in curves]
        for y in range(height):
            label = f"{top:,.0f} tokens/s" if y == 0 and top else ""
            yield self._across(label[: self._label - 1], [rows[y] for rows in drawn])
        span = f"over {wording.clock(elapsed)}"
        yield self._across(span, [axis(curve, self._glyphs) for curve in curves])

    def _value(self, measure: wording.Measure, figures: Figures | None) -> tuple[Piece, ...]:
        parts = (measure.full if self._roomy else measure.short)(figures) if figures else ()
        if not parts:
            return (Piece(self._glyphs.unknown, Tone.FAINT),)
        trouble = measure.trouble and figures is not None and figures.breaks
        first = Piece(parts[0], Tone.RECONNECTING if trouble else Tone.TEXT)
        return self._parted([first, *(Piece(part, Tone.QUIET) for part in parts[1:])])

    def _incidents(self, incidents: Sequence[wording.Incident]) -> Iterator[Row]:
        """The newest incidents, each in one line."""
        names = max(len(incident.name) for incident in incidents)
        faults = max(len(incident.fault) for incident in incidents)
        outcomes = max(len(incident.outcome) for incident in incidents)
        for incident in incidents:
            icon = self._glyphs.failed if incident.lost else self._glyphs.reconnecting
            tone = Tone.FAILED if incident.lost else Tone.RECONNECTING
            yield Row(
                (
                    Piece(f"{wording.clock(incident.at):>5}  ", Tone.QUIET),
                    Piece(f"{icon} {incident.name.ljust(names)}  ", tone),
                    Piece(f"{incident.fault.ljust(faults)}  "),
                    Piece(f"{incident.outcome.ljust(outcomes)}  ", Tone.QUIET),
                    Piece(incident.message, Tone.QUIET),
                )
            )

    def _across(self, label: str, columns: Sequence[tuple[Piece, ...]]) -> Row:
        """A row of the table: its label, and a column for each debater."""
        pieces = [Piece(label.ljust(self._label), Tone.QUIET)]
        for column in columns:
            kept = clip(column, self._column - GUTTER, self.ellipsis)
            pieces += kept
            pieces[-1] = _longer(pieces[-1], self._column - width_of(kept))
        return Row(tuple(pieces))

    def _parted(self, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
        """Pieces with something faint between them."""
        between = Piece(f"{self._glyphs.between} ", Tone.FAINT)
        parted = [piece for each in pieces for piece in (_longer(each, 1), between)]
        return (*parted[:-2], pieces[-1])


def _longer(piece: Piece, spaces: int) -> Piece:
    return piece._replace(text=piece.text + " " * spaces)


class StatisticsScreen(Overlay[None]):
    """Opened with ``s``; the debate goes on beneath."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,escape,q,enter", "close"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(
        self,
        speakers: Sequence[Speaker],
        statistics: Statistics,
        report: Callable[[], Report],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._card = StatisticsCard(speakers, statistics, report, glyphs)

    def compose(self) -> ComposeResult:
        """The card alone, in its size from the first frame on."""
        self._card.fit(self.app.size)
        yield self._card

    def on_mount(self) -> None:
        """Keep looking."""
        self.set_interval(LOOK, self._card.look)

    def on_resize(self, event: Resize) -> None:
        """Use the room there is."""
        self._card.fit(event.size)

    def action_close(self) -> None:
        """Back to the debate."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """A click beside the card closes it."""
        if event.widget is self:
            self.dismiss(None)
