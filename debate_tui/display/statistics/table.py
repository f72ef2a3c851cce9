"""``--stats``: a debate's figures as a table of plain text."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from debate_tui.display.statistics.wording import (
    format_clock,
    format_duration,
    format_frames,
    list_incidents,
    summary_rows,
)
from debate_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from debate_tui.display.statistics.report import StatisticsReport

COLUMN_GAP = "  "
PART_SEPARATOR = ", "
UNKNOWN_VALUE = "-"


def format_table(report: StatisticsReport) -> str:
    """The figures in aligned columns, one for each debater; below them everything that broke."""
    return "".join(f"{line.rstrip()}\n" for line in _table_lines(report))


def _table_lines(report: StatisticsReport) -> Iterator[str]:
    yield ""
    yield f"Stream statistics ({format_duration(report.elapsed)})"
    names = [one_line(figures.name, 40) for figures in report.streams]
    rows = [("", *names)]
    for measure in summary_rows(report):
        values = (
            PART_SEPARATOR.join(measure.full_text(figures)) or UNKNOWN_VALUE for figures in report.streams
        )
        rows.append((measure.label, *values))
    yield from _align_columns(rows)
    if report.frames is not None:
        yield f"{COLUMN_GAP}screen: {PART_SEPARATOR.join(format_frames(report.frames))}"
    if broken := list_incidents(report):
        yield ""
        yield "What broke"
        yield from _align_columns(
            [
                (format_clock(incident.at), incident.name, incident.fault, incident.outcome, incident.message)
                for incident in broken
            ]
        )


def _align_columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(cell_len, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in rows:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        yield COLUMN_GAP + COLUMN_GAP.join(padded)
