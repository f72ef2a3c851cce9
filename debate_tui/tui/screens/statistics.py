"""Stream statistics: live figures for every debater, over the running debate."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from rich.cells import cell_len
from textual.binding import Binding, BindingType

from debate_tui.display.statistics import FAULT_FATAL, FAULT_RECOVERED, formatting
from debate_tui.domain.sanitise import one_line
from debate_tui.domain.wording import format_clock
from debate_tui.tui.screens.dialogs import OverlayScreen
from debate_tui.tui.styles import Tone
from debate_tui.tui.widgets.rows import Piece, Row, TextRows, clip, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Resize
    from textual.geometry import Size

    from debate_tui.display.statistics import RateCurve, Statistics, StatisticsReport, StreamFigures
    from debate_tui.tui.pane_state import PaneState
    from debate_tui.tui.symbols import Glyphs


# Bar charts: a rate over time, with faults marked on the axis.


_FAULT_TONES = {0: Tone.STREAMING, FAULT_RECOVERED: Tone.RECONNECTING, FAULT_FATAL: Tone.FAILED}


def rate_bars(curve: RateCurve, height: int, max_rate: float, glyphs: Glyphs) -> list[tuple[Piece, ...]]:
    """Return a curve as rows of equal width, top row first; `max_rate` is the full height.

    Any rate above 0 is visible.
    """
    steps = len(glyphs.fill_levels) - 1
    full = height * steps
    heights = [
        max(1, round(rate / max_rate * full)) if rate > 0 and max_rate > 0 else 0 for rate in curve.rates
    ]
    return [
        merge_cells(
            (glyphs.fill_levels[min(max(tall - below * steps, 0), steps)], _FAULT_TONES[fault])
            for tall, fault in zip(heights, curve.faults, strict=True)
        )
        for below in reversed(range(height))
    ]


def fault_axis(curve: RateCurve, glyphs: Glyphs) -> tuple[Piece, ...]:
    """Return the axis below the bars, with marks for faults."""
    marks = {0: glyphs.thin_line, FAULT_RECOVERED: glyphs.reconnecting, FAULT_FATAL: glyphs.failed}
    tones = _FAULT_TONES | {0: Tone.FAINT}
    return merge_cells((marks[fault], tones[fault]) for fault in curve.faults)


def merge_cells(cells: Iterable[tuple[str, Tone]]) -> tuple[Piece, ...]:
    """Merge cells into runs of one tone."""
    return tuple(_merge_cell_runs(cells))


def _merge_cell_runs(cells: Iterable[tuple[str, Tone]]) -> Iterator[Piece]:
    for tone, run in groupby(cells, key=lambda cell: cell[1]):
        yield Piece("".join(sign for sign, _ in run), tone)


REFRESH_SECONDS = 0.25
"""Seconds between updates of the figures."""

LABEL_WIDTH = 13
WIDE_LABEL_WIDTH = 16
WIDE_COLUMN_WIDTH = 30
"""Cells from which a column shows figures in full."""
MAX_COLUMN_WIDTH = 64
COLUMN_GAP = 2
MARGIN = 3
MAX_BAR_ROWS = 8
MARGIN_MIN_ROWS = 30
"""Rows of a terminal from which the card leaves part of the debate visible."""


class StatisticsCard(TextRows):
    """A column per debater with its rate over time and its figures, and a list of incidents below."""

    DEFAULT_CSS = "StatisticsCard { background: $panel; max-width: 100%; max-height: 100%; }"
    inset = MARGIN

    def __init__(
        self,
        pane_states: Sequence[PaneState],
        statistics: Statistics,
        report: Callable[[], StatisticsReport],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self.ellipsis = glyphs.ellipsis
        self._pane_states = pane_states
        self._statistics = statistics
        self._report = report
        self._glyphs = glyphs
        self._available_rows = self._min_rows = 0
        self._has_wide_columns = False
        self._label_width = LABEL_WIDTH
        self._column_width = 0
        self._rows: tuple[Row, ...] = ()

    def fit_to(self, size: Size) -> None:
        """Use as much of a screen of this size as possible."""
        spare = 2 * MARGIN if size.height >= MARGIN_MIN_ROWS else 0
        self.inset = MARGIN if spare else 1
        inner = size.width - spare - 2 * self.inset
        count = max(1, len(self._pane_states))
        self._has_wide_columns = inner // count >= WIDE_COLUMN_WIDTH + WIDE_LABEL_WIDTH // count
        self._label_width = WIDE_LABEL_WIDTH if self._has_wide_columns else LABEL_WIDTH
        self._column_width = max(1, min((inner - self._label_width) // count, MAX_COLUMN_WIDTH))
        self._available_rows = size.height - (4 if spare else 0)
        self._min_rows = 0 if spare else size.height
        self.styles.width = (
            self._label_width + count * self._column_width + 2 * self.inset if spare else size.width
        )
        self.update_figures()

    def update_figures(self) -> None:
        """Update the figures and repaint those that have changed."""
        rows = tuple(self._build_rows(self._report()))
        grown = len(rows) != len(self._rows)
        self._rows = rows
        if grown:
            self.styles.height = max(len(rows), self._min_rows)
        self.refresh_rows()

    def rows(self, width: int) -> tuple[Row, ...]:
        """Return the rows of the last update."""
        return self._rows

    def _build_rows(self, report: StatisticsReport) -> Iterator[Row]:
        figures = {each.debater: each for each in report.streams}
        streams = [figures.get(speaker.id) for speaker in self._pane_states]
        measures = formatting.live_rows(report)
        broken = formatting.list_incidents(report)
        tall, listed = self._divide_rows(self._available_rows - len(measures) - 8, len(broken))
        yield Row()
        yield self._title_row(report)
        yield Row()
        yield self._table_row("", [self._name_cell(speaker) for speaker in self._pane_states])
        yield self._table_row("", [self._badge_cell(speaker) for speaker in self._pane_states])
        yield from self._speed_rows(tall, report.elapsed)
        yield Row()
        for measure in measures:
            yield self._table_row(measure.label, [self._value_cell(measure, stream) for stream in streams])
        if listed:
            yield Row()
            yield from self._incident_rows(broken[-listed:])
        yield Row()

    @staticmethod
    def _divide_rows(spare: int, incidents: int) -> tuple[int, int]:
        """Return the number of rows for the bars and for the incidents."""
        listed = min(incidents, max(0, spare - 5))
        return max(1, min(MAX_BAR_ROWS, spare - listed - bool(listed))), listed

    def _title_row(self, report: StatisticsReport) -> Row:
        parts = [format_clock(report.elapsed)]
        if report.frames is not None:
            parts += formatting.format_frames(report.frames)
        right = self._separated([Piece(part, Tone.QUIET) for part in parts])
        return Row((Piece("Stream statistics", Tone.FOCUS, bold=True),), right)

    def _name_cell(self, pane_state: PaneState) -> tuple[Piece, ...]:
        info = pane_state.info
        model = one_line(info.model, 60)
        name = Piece(
            one_line(info.name, 40), Tone.QUIET if pane_state.removal_reason else Tone.TEXT, bold=True
        )
        return (
            (_pad_right(name, 2), Piece(model, Tone.QUIET)) if model and self._has_wide_columns else (name,)
        )

    def _badge_cell(self, pane_state: PaneState) -> tuple[Piece, ...]:
        badge = pane_state.badge(time.monotonic())
        text = badge.text(self._glyphs)
        if badge.details and cell_len(text) > self._column_width - COLUMN_GAP:
            text = replace(badge, word="").text(self._glyphs)
        return (Piece(text, badge.tone),)

    def _speed_rows(self, height: int, elapsed: float) -> Iterator[Row]:
        """Yield every debater's rate over time on one scale, with the scale and the time span."""
        width = max(1, self._column_width - COLUMN_GAP)
        curves = [self._statistics.rate_curve(speaker.id, width) for speaker in self._pane_states]
        top = max((rate for curve in curves for rate in curve.rates), default=0.0)
        drawn = [rate_bars(curve, height, top, self._glyphs) for curve in curves]
        for y in range(height):
            label = f"{top:,.0f} tokens/s" if y == 0 and top else ""
            yield self._table_row(label[: self._label_width - 1], [rows[y] for rows in drawn])
        span = f"over {format_clock(elapsed)}"
        yield self._table_row(span, [fault_axis(curve, self._glyphs) for curve in curves])

    def _value_cell(
        self, measure: formatting.StatisticsRow, figures: StreamFigures | None
    ) -> tuple[Piece, ...]:
        parts = (
            (measure.full_text if self._has_wide_columns else measure.short_text)(figures) if figures else ()
        )
        if not parts:
            return (Piece(self._glyphs.missing_value, Tone.FAINT),)
        trouble = measure.is_about_faults and figures is not None and figures.interruptions
        first = Piece(parts[0], Tone.RECONNECTING if trouble else Tone.TEXT)
        return self._separated([first, *(Piece(part, Tone.QUIET) for part in parts[1:])])

    def _incident_rows(self, incidents: Sequence[formatting.Incident]) -> Iterator[Row]:
        """Yield the latest incidents, one per line."""
        names = max(len(incident.name) for incident in incidents)
        faults = max(len(incident.fault) for incident in incidents)
        outcomes = max(len(incident.outcome) for incident in incidents)
        for incident in incidents:
            icon = self._glyphs.failed if incident.is_fatal else self._glyphs.reconnecting
            tone = Tone.FAILED if incident.is_fatal else Tone.RECONNECTING
            yield Row(
                (
                    Piece(f"{format_clock(incident.at):>5}  ", Tone.QUIET),
                    Piece(f"{icon} {incident.name.ljust(names)}  ", tone),
                    Piece(f"{incident.fault.ljust(faults)}  "),
                    Piece(f"{incident.outcome.ljust(outcomes)}  ", Tone.QUIET),
                    Piece(incident.message, Tone.QUIET),
                )
            )

    def _table_row(self, label: str, columns: Sequence[tuple[Piece, ...]]) -> Row:
        """Return a row of the table: its label, and a column for each debater."""
        pieces = [Piece(label.ljust(self._label_width), Tone.QUIET)]
        for column in columns:
            kept = clip(column, self._column_width - COLUMN_GAP, self.ellipsis)
            pieces += kept
            pieces[-1] = _pad_right(pieces[-1], self._column_width - pieces_width(kept))
        return Row(tuple(pieces))

    def _separated(self, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
        """Join pieces with a faint separator."""
        between = Piece(f"{self._glyphs.separator} ", Tone.FAINT)
        parted = [piece for each in pieces for piece in (_pad_right(each, 1), between)]
        return (*parted[:-2], pieces[-1])


def _pad_right(piece: Piece, spaces: int) -> Piece:
    return piece._replace(text=piece.text + " " * spaces)


class StatisticsScreen(OverlayScreen[None]):
    """The dialog opened with ``s``; the debate continues below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,escape,q,enter", "close"),
        Binding("ctrl+c,ctrl+q", "app.quit"),
    ]

    def __init__(
        self,
        pane_states: Sequence[PaneState],
        statistics: Statistics,
        report: Callable[[], StatisticsReport],
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._card = StatisticsCard(pane_states, statistics, report, glyphs)

    def compose(self) -> ComposeResult:
        """Yield the card, sized for the terminal from the first frame on."""
        self._card.fit_to(self.app.size)
        yield self._card

    def on_mount(self) -> None:
        """Start updating the figures."""
        self.set_interval(REFRESH_SECONDS, self._card.update_figures)

    def on_resize(self, event: Resize) -> None:
        """Adapt to the new size."""
        self._card.fit_to(event.size)

    def action_close(self) -> None:
        """Return to the debate."""
        self.dismiss(None)

    def on_click(self, event: Click) -> None:
        """Close the card on a click outside it."""
        if event.widget is self:
            self.dismiss(None)
