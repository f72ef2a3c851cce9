"""Stream statistics: live figures for every debater, over the running debate."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import set_cell_size
from textual.binding import Binding, BindingType

from debate_tui.display.statistics.table import format_title, table_rows
from debate_tui.domain.sanitise import one_line
from debate_tui.tui.screens.dialogs import CardScreen
from debate_tui.tui.styles import Tone, debater_tones
from debate_tui.tui.widgets.rows import Piece, clip, merge_cells, pieces_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from debate_tui.display.statistics import StatisticsReport
    from debate_tui.display.statistics.table import StatisticsRow
    from debate_tui.tui.symbols import Glyphs

REFRESH_SECONDS = 0.25
"""Seconds between updates of the figures."""
LABEL_WIDTH = 13
MAX_COLUMN_WIDTH = 48
COLUMN_GAP = 2


class StatisticsScreen(CardScreen[None]):
    """The dialog opened with ``s``: a column per debater; the debate continues below."""

    HELP_TOPIC = "statistics"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s,enter", "close")]

    def __init__(self, report: Callable[[], StatisticsReport], glyphs: Glyphs) -> None:
        super().__init__("", (), glyphs)
        self._report = report

    def on_mount(self) -> None:
        """Start updating the figures."""
        self.set_interval(REFRESH_SECONDS, lambda: self.show_rows(self.app.size.width))

    def rows(self, width: int) -> Sequence[Sequence[Piece]]:
        """Return the current figures."""
        report = self._report()
        self.title_text = format_title(report)
        return list(self._table(report, width))

    def _table(self, report: StatisticsReport, width: int) -> Iterator[Sequence[Piece]]:
        streams = report.streams
        room = (width - LABEL_WIDTH) // max(1, len(streams))
        cells = max(1, min(room, MAX_COLUMN_WIDTH) - COLUMN_GAP)
        tones = debater_tones(stream.info.id for stream in streams).values()
        names = [
            (
                Piece(f"{one_line(stream.info.name, 40)}  ", tone, bold=True),
                Piece(one_line(stream.info.model, 60), Tone.QUIET),
            )
            for stream, tone in zip(streams, tones, strict=True)
        ]
        yield self._columns("", names, cells)
        yield self._columns(f"last {cells} s", self._rate_charts(report, cells), cells)
        for row in table_rows(report):
            yield self._columns(row.label, list(self._figures(row, cells)), cells)

    def _figures(self, row: StatisticsRow, cells: int) -> Iterator[tuple[Piece, ...]]:
        """Yield each debater's figures, without the least important ones if they do not fit."""
        separator = f" {self._glyphs.separator} "
        for parts in row.cells:
            if not parts:
                yield (Piece(self._glyphs.missing_value, Tone.FAINT),)
                continue
            text = parts[0]
            for part in parts[1:]:
                if len(f"{text}{separator}{part}") > cells and row.label != "faults":
                    break
                text += f"{separator}{part}"
            yield (Piece(text, Tone.RECONNECTING if row.is_about_faults and text != "none" else Tone.TEXT),)

    def _rate_charts(self, report: StatisticsReport, cells: int) -> list[tuple[Piece, ...]]:
        """Return every debater's rate in the latest seconds on one scale, with its faults."""
        charts = [stream.rates.latest(report.now, cells) for stream in report.streams]
        highest = max((rate for chart in charts for rate, _ in chart), default=0.0)
        return [
            merge_cells(self._rate_cell(rate, fault, highest) for rate, fault in chart) for chart in charts
        ]

    def _rate_cell(self, rate: float, fault: bool | None, highest: float) -> tuple[str, Tone]:
        if fault is not None:
            return (
                (self._glyphs.failed, Tone.FAILED)
                if fault
                else (self._glyphs.reconnecting, Tone.RECONNECTING)
            )
        levels = self._glyphs.fill_levels
        level = max(1, round(rate / highest * (len(levels) - 1))) if rate else 0
        return levels[level], Tone.STREAMING

    def _columns(self, label: str, columns: Sequence[tuple[Piece, ...]], cells: int) -> Sequence[Piece]:
        """Return a row of the table: its label, and a column for each debater."""
        pieces = [Piece(set_cell_size(label, LABEL_WIDTH), Tone.QUIET)]
        for column in columns:
            fitting = clip(column, cells, self._glyphs.ellipsis)
            pieces += [*fitting, Piece(" " * (cells + COLUMN_GAP - pieces_width(fitting)))]
        return pieces
